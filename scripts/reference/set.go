package main

// The rewrite as Flux does it: kyaml's own reader and writer around Flux's filter.
//
// Source: fluxcd/image-automation-controller internal/update/{setters,filter,filereader,result}.go and
// internal/policy/applier.go, whose steps are repeated here because they cannot be imported.

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"unicode/utf8"

	securejoin "github.com/cyphar/filepath-securejoin"
	"github.com/google/go-containerregistry/pkg/name"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/kustomize/kyaml/fieldmeta"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/kio/kioutil"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

const (
	shortHand    = "$imagepolicy"
	extensionKey = "x-k8s-cli"
)

func init() {
	fieldmeta.SetShortHandRef(shortHand)
	openapi.SuppressBuiltInSchemaUse()
}

type setRequest struct {
	Policies   []setPolicy        `json:"policies"`
	Files      map[string]content `json:"files"`
	Symlinks   map[string]string  `json:"symlinks"`
	UpdatePath string             `json:"update_path"`
	// Another program's answer, whose files are described as those of this one's are.
	Ours struct {
		Files map[string]content `json:"files"`
	} `json:"ours"`
}

type setPolicy struct {
	Namespace, Name, Image, Tag, Digest string
}

// content is a file's bytes: a string, or {"base64": …} for bytes that are no UTF-8.
type content []byte

func (c *content) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*c = content(text)
		return nil
	}
	var packed struct{ Base64 []byte }
	err := json.Unmarshal(raw, &packed)
	*c = packed.Base64
	return err
}

func (c content) MarshalJSON() ([]byte, error) {
	if utf8.Valid(c) {
		return json.Marshal(string(c))
	}
	return json.Marshal(map[string]string{"base64": base64.StdEncoding.EncodeToString(c)})
}

type setUpdate struct {
	File   string    `json:"file"`
	Object setObject `json:"object"`
	Setter string    `json:"setter"`
	Old    string    `json:"old"`
	New    string    `json:"new"`
}

type setObject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
}

// fluxSetAnswer answers with what Flux would write, byte for byte.
func fluxSetAnswer(line []byte) (answer, error) {
	var request setRequest
	if err := json.Unmarshal(line, &request); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(scratch(), "set-flux-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	// The run and the resolved links name the same directory.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	if err := lay(dir, request); err != nil {
		return nil, err
	}
	run := &setRun{}
	if failure := run.apply(dir, request); failure != nil {
		text := strings.ReplaceAll(failure.Error(), dir, "<workdir>")
		return answer{"error": text, "files": answer{}, "updates": []setUpdate{}, "problem_files": []string{}}, nil
	}
	files, err := changed(dir, request.Files)
	if err != nil {
		return nil, err
	}
	problems := append([]string{}, run.problems...)
	sort.Strings(problems)
	return answer{
		"error": nil, "files": files, "updates": run.sorted(), "problem_files": problems,
		// The data of the files, and of the texts of another program, as Flux reads both.
		"data": described(files), "other_data": described(request.Ours.Files),
	}, nil
}

// scratch is where a request's files lie for a moment: in memory where the system has a folder for that, because making and
// removing them on a disk takes five times as long as all the rest; else where temporary files go.
func scratch() string {
	const memory = "/dev/shm"
	if os.Getenv("TMPDIR") == "" && syscall.Access(memory, 2) == nil {
		return memory
	}
	return ""
}

func described(files map[string]content) map[string][]string {
	data := map[string][]string{}
	for path, text := range files {
		data[path] = dataOf(text)
	}
	return data
}

func lay(dir string, request setRequest) error {
	for path, bytes := range request.Files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, path), bytes, 0o644); err != nil {
			return err
		}
	}
	for link, target := range request.Symlinks {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, link)), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			return err
		}
	}
	return nil
}

// changed has every regular file that differs from before, new ones included.
func changed(dir string, before map[string]content) (map[string]content, error) {
	files := map[string]content{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		after, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if old, known := before[filepath.ToSlash(name)]; !known || !bytes.Equal(old, after) {
			files[filepath.ToSlash(name)] = after
		}
		return err
	})
	return files, err
}

// setRun is one run: the setters, and what they did.
type setRun struct {
	known    map[string]bool
	updates  []setUpdate
	problems []string
}

// apply is ApplyPolicies and UpdateWithSetters.
func (r *setRun) apply(workDir string, request setRequest) error {
	path := workDir
	if request.UpdatePath != "" {
		joined, err := securejoin.SecureJoin(workDir, request.UpdatePath)
		if err != nil {
			return fmt.Errorf("failed to secure join manifest path: %w", err)
		}
		path = joined
	}
	schema, err := r.schema(request.Policies)
	if err != nil {
		return err
	}
	pipeline := kio.Pipeline{
		Inputs:  []kio.Reader{&screeningReader{run: r, path: path}},
		Outputs: []kio.Writer{&kio.LocalPackageWriter{PackagePath: path}},
		Filters: []kio.Filter{r.setAll(schema)},
	}
	return pipeline.Execute()
}

func (r *setRun) schema(policies []setPolicy) (*spec.Schema, error) {
	r.known = map[string]bool{}
	definitions := map[string]spec.Schema{}
	for _, policy := range policies {
		if policy.Image == "" && policy.Tag == "" {
			continue
		}
		image := policy.Image + ":" + policy.Tag
		if policy.Digest != "" {
			image += "@" + policy.Digest
		}
		if _, err := name.ParseReference(image, name.WeakValidation); err != nil {
			return nil, fmt.Errorf("encountered invalid image ref %q: %w", image, err)
		}
		setter := policy.Namespace + ":" + policy.Name
		for suffix, value := range map[string]string{
			"": image, ":tag": policy.Tag, ":name": policy.Image, ":digest": policy.Digest,
		} {
			definitions[fieldmeta.SetterDefinitionPrefix+setter+suffix] = setterSchema(setter+suffix, value)
			r.known[setter+suffix] = true
		}
	}
	var schema spec.Schema
	schema.Definitions = definitions
	return &schema, nil
}

func setterSchema(name, value string) spec.Schema {
	schema := spec.StringProperty()
	schema.Extensions = map[string]any{}
	schema.Extensions.Add(extensionKey, map[string]any{
		"setter": map[string]string{"name": name, "value": value},
	})
	return *schema
}

// screeningReader is Flux's ScreeningLocalReader.
type screeningReader struct {
	run  *setRun
	path string
}

func (s *screeningReader) Read() ([]*yaml.RNode, error) {
	root, err := filepath.Abs(s.path)
	if err != nil {
		return nil, err
	}
	var base string
	var result []*yaml.RNode
	err = filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return fmt.Errorf("walking path for files: %w", err)
		}
		if path == root {
			base = path
			if !info.IsDir() {
				base = filepath.Dir(path)
			}
		}
		if info.IsDir() {
			return nil
		}
		nodes, err := s.file(base, path, info)
		result = append(result, nodes...)
		return err
	})
	return result, err
}

func (s *screeningReader) file(base, path string, info os.FileInfo) ([]*yaml.RNode, error) {
	if ext := filepath.Ext(path); ext != ".yaml" && ext != ".yml" && filepath.Base(path) != "Kustomization" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		if info.Mode()&os.ModeSymlink != 0 {
			return nil, nil
		}
		return nil, fmt.Errorf("reading YAML file: %w", err)
	}
	if !bytes.Contains(text, []byte(fmt.Sprintf("%q", shortHand))) {
		return nil, nil
	}
	relative, err := filepath.Rel(base, path)
	if err != nil {
		return nil, fmt.Errorf("relativising path: %w", err)
	}
	reader := &kio.ByteReader{
		Reader:            bytes.NewBuffer(text),
		SetAnnotations:    map[string]string{kioutil.PathAnnotation: relative},
		PreserveSeqIndent: true,
	}
	nodes, err := reader.Read()
	if err != nil {
		s.run.problems = append(s.run.problems, relative)
		return nil, nil
	}
	return nodes, nil
}

// setAll sets every field that has a marker, and returns the documents of the files in which a value changed.
func (r *setRun) setAll(schema *spec.Schema) kio.Filter {
	return kio.FilterFunc(func(nodes []*yaml.RNode) ([]*yaml.RNode, error) {
		touched := map[string]bool{}
		for _, node := range nodes {
			path, _, err := kioutil.GetFileAnnotations(node)
			if err != nil {
				return nil, err
			}
			err = accept(node, schema, func(setter, old, new string) {
				if new != old {
					r.record(path, setter, node, old, new)
					touched[path] = true
				}
			})
			if err != nil {
				return nil, err
			}
		}
		var kept []*yaml.RNode
		for _, node := range nodes {
			path, _, err := kioutil.GetFileAnnotations(node)
			if err != nil {
				return nil, err
			}
			if touched[path] {
				kept = append(kept, node)
			}
		}
		return kept, nil
	})
}

func (r *setRun) record(file, setter string, node *yaml.RNode, old, new string) {
	meta, err := node.GetMeta()
	if !r.known[setter] || err != nil {
		return
	}
	id := meta.GetIdentifier()
	r.updates = append(r.updates, setUpdate{
		File:   file,
		Object: setObject{APIVersion: id.APIVersion, Kind: id.Kind, Namespace: id.Namespace, Name: id.Name},
		Setter: setter, Old: old, New: new,
	})
}

// sorted orders what Flux keeps in maps: by file, then object; the changes of one object come as they were made.
func (r *setRun) sorted() []setUpdate {
	key := func(update setUpdate) string {
		id := update.Object
		return strings.Join([]string{update.File, id.APIVersion, id.Kind, id.Namespace, id.Name}, "\x00")
	}
	updates := append([]setUpdate{}, r.updates...)
	sort.SliceStable(updates, func(i, j int) bool { return key(updates[i]) < key(updates[j]) })
	return updates
}

// accept visits every scalar value.
func accept(object *yaml.RNode, schema *spec.Schema, changed func(setter, old, new string)) error {
	switch object.YNode().Kind {
	case yaml.DocumentNode:
		return accept(yaml.NewRNode(object.YNode()), schema, changed)
	case yaml.MappingNode:
		return object.VisitFields(func(node *yaml.MapNode) error {
			return accept(node.Value, schema, changed)
		})
	case yaml.SequenceNode:
		return object.VisitElements(func(node *yaml.RNode) error {
			return accept(node, schema, changed)
		})
	case yaml.ScalarNode:
		return visit(object, fieldSchema(object, schema), changed)
	}
	return nil
}

func fieldSchema(node *yaml.RNode, schema *spec.Schema) *spec.Schema {
	meta := fieldmeta.FieldMeta{SettersSchema: schema}
	if err := meta.Read(node); err != nil || meta.IsEmpty() {
		return nil
	}
	if meta.Schema.Ref.String() != "" {
		resolved, err := openapi.Resolve(&meta.Schema.Ref, schema)
		if err == nil && resolved != nil {
			meta.Schema = *resolved
		}
	}
	return &meta.Schema
}

func visit(object *yaml.RNode, schema *spec.Schema, changed func(setter, old, new string)) error {
	if schema == nil {
		return nil
	}
	found := schema.VendorExtensible.Extensions[extensionKey]
	if found == nil {
		return nil
	}
	var extension struct {
		Setter *struct{ Name, Value string }
	}
	packed, err := json.Marshal(found)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(packed, &extension); err != nil || extension.Setter == nil {
		return err
	}
	old := object.YNode().Value
	object.YNode().Value = extension.Setter.Value
	changed(extension.Setter.Name, old, extension.Setter.Value)
	if len(schema.Type) > 0 {
		yaml.FormatNonStringStyle(object.YNode(), *schema)
	}
	return nil
}

// dataOf is what Flux's reader makes of a text once its own bookkeeping is gone: a line for each node, layout and
// comments left out. A text that it cannot read has no data.
func dataOf(text []byte) []string {
	reader := &kio.ByteReader{Reader: bytes.NewBuffer(text), DisableUnwrapping: true}
	nodes, err := reader.Read()
	if err != nil {
		return []string{"error: " + err.Error()}
	}
	lines := []string{}
	for _, node := range nodes {
		for _, key := range []string{
			kioutil.IndexAnnotation, kioutil.LegacyIndexAnnotation, kioutil.SeqIndentAnnotation,
			kioutil.PathAnnotation, kioutil.LegacyPathAnnotation,
		} {
			_ = node.PipeE(yaml.ClearAnnotation(key))
		}
		_ = yaml.ClearEmptyAnnotations(node)
		lines = append(lines, "---")
		lines = appendNode(lines, node.YNode())
	}
	return lines
}

func appendNode(lines []string, node *yaml.Node) []string {
	value := node.Value
	if node.Kind == yaml.AliasNode {
		value = "*" + value
	}
	lines = append(lines, fmt.Sprintf("%d %s &%s %s", node.Kind, node.ShortTag(), node.Anchor, value))
	for _, child := range node.Content {
		lines = appendNode(lines, child)
	}
	return append(lines, "")
}
