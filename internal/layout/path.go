package layout

import (
	"fmt"
	"slices"
	"strings"
)

// Layout says which file a manifest is in: the words namespace, kind and name, each once, with slashes between them. The last is the file.
type Layout string

// Default has a folder for each namespace, and in it one for each kind.
const Default Layout = "namespace/kind/name"

// Validate says what is wrong with a layout. Each of the words must be there, or two manifests could be in one file.
func (l Layout) Validate() error {
	words := strings.Split(string(l), "/")
	slices.Sort(words)
	if !slices.Equal(words, []string{"kind", "name", "namespace"}) {
		return fmt.Errorf("layout %q: want the words namespace, kind and name, each once, with slashes between them, such as %s", l, Default)
	}
	return nil
}

// File is the file of a manifest, as a path with slashes. A Namespace is in itself, and comes first: kubectl applies files in the order of their
// names, and nothing can be applied before its namespace.
func (l Layout) File(obj Object) string {
	namespace, kind := obj.GetNamespace(), strings.ToLower(obj.GetKind())
	if namespace == "" {
		namespace, kind = obj.GetName(), "0-"+kind
	}
	of := map[string]string{"namespace": namespace, "kind": kind, "name": obj.GetName()}
	var file []string
	for word := range strings.SplitSeq(string(l), "/") {
		file = append(file, of[word])
	}
	return strings.Join(file, "/") + ".yaml"
}
