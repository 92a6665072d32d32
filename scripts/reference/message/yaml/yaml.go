// Package yaml has what a message template sees of sigs.k8s.io/kustomize/kyaml/yaml; templates print the package's name.
package yaml

// TypeMeta is an object's type.
type TypeMeta struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind,omitempty"`
}

// NameMeta is an object's name.
type NameMeta struct {
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

// ResourceIdentifier is both.
type ResourceIdentifier struct {
	TypeMeta `json:",inline"`
	NameMeta `json:",inline"`
}
