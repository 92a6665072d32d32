// Package update has what a message template sees of image-automation-controller's internal/update, which cannot be
// imported; templates print the package's name. Where the controller walks a map at random, this walks it in the order
// that `eval batch` documents.
package update

import (
	"cmp"
	"maps"
	"slices"

	"supercargo/reference/message/yaml"
)

// Change is one marked value that changes.
type Change struct {
	OldValue string
	NewValue string
	Setter   string
}

// ObjectIdentifier names the object of a document.
type ObjectIdentifier struct {
	yaml.ResourceIdentifier
}

// ObjectChanges has the changes of each object.
type ObjectChanges map[ObjectIdentifier][]Change

// Result has the changes of each file.
type Result struct {
	FileChanges map[string]ObjectChanges
}

// Changes returns all changes, exact duplicates left out.
func (r Result) Changes() []Change {
	seen := make(map[Change]struct{})
	var changes []Change
	r.each(func(_ ObjectIdentifier, of []Change) {
		for _, change := range of {
			if _, known := seen[change]; !known {
				seen[change] = struct{}{}
				changes = append(changes, change)
			}
		}
	})
	return changes
}

// Objects returns the changes of each object, of all files.
func (r Result) Objects() ObjectChanges {
	objects := make(ObjectChanges)
	r.each(func(id ObjectIdentifier, of []Change) { objects[id] = append(objects[id], of...) })
	return objects
}

func (r Result) each(do func(ObjectIdentifier, []Change)) {
	for _, file := range slices.Sorted(maps.Keys(r.FileChanges)) {
		objects := r.FileChanges[file]
		for _, id := range slices.SortedFunc(maps.Keys(objects), compare) {
			do(id, objects[id])
		}
	}
}

func compare(a, b ObjectIdentifier) int {
	return cmp.Or(cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Name, b.Name), cmp.Compare(a.Namespace, b.Namespace))
}
