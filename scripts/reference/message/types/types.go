// Package types has what a message template sees of k8s.io/apimachinery/pkg/types; templates print the package's name.
package types

// NamespacedName is an object's namespace and name.
type NamespacedName struct {
	Namespace string
	Name      string
}

// String is NAMESPACE/NAME.
func (n NamespacedName) String() string { return n.Namespace + "/" + n.Name }
