package inventory

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// Folder is a Source that was read from a folder of manifests.
type Folder struct {
	namespaces map[string]map[string]string
	of         map[string]*manifests // by kind
}

// manifests are those of one kind, in the order in which they were read.
type manifests struct {
	all        []v1alpha1.Object
	named      map[types.NamespacedName]v1alpha1.Object
	byResource map[string][]v1alpha1.Object
}

var _ Source = (*Folder)(nil)

// core is the API group of Namespaces, and of lists.
var core = schema.GroupVersion{Version: "v1"}

// ReadFolder reads all Namespaces and manifests of the kinds from the YAML and JSON files of a folder and those below it, also from lists,
// which is how kubectl prints several objects. Other objects are passed over. A field that the kind does not have is an error, which names
// the file.
func ReadFolder(folder fs.FS, kinds []kind.Kind) (*Folder, error) {
	f := &Folder{namespaces: map[string]map[string]string{}, of: map[string]*manifests{}}
	for _, k := range kinds {
		f.of[k.Kind] = &manifests{named: map[types.NamespacedName]v1alpha1.Object{}, byResource: map[string][]v1alpha1.Object{}}
	}
	err := fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(name)) {
			return err
		}
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return err
		}
		if err := f.readFile(text, kinds); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	return f, err
}

func (f *Folder) readFile(text []byte, kinds []kind.Kind) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := f.readDocument(document, kinds); err != nil {
			return err
		}
	}
}

func (f *Folder) readDocument(document []byte, kinds []kind.Kind) error {
	if len(bytes.TrimSpace(document)) == 0 {
		return nil
	}
	var head metav1.PartialObjectMetadata
	if err := yaml.Unmarshal(document, &head); err != nil {
		return err
	}
	switch head.GroupVersionKind() {
	case core.WithKind("Namespace"):
		f.namespaces[head.Name] = head.Annotations
		return nil
	case core.WithKind("List"):
		return f.readList(document, kinds)
	}
	k, known := kind.Named(kinds, head.Kind)
	if !known || head.APIVersion != v1alpha1.GroupVersion.String() {
		return nil
	}
	obj := k.New()
	if err := yaml.UnmarshalStrict(document, obj); err != nil {
		return fmt.Errorf("%s %s/%s: %w", k.Kind, head.Namespace, head.Name, err)
	}
	f.of[k.Kind].add(resourceKey(ProjectSaid(obj), k.ResourceID(obj)), obj)
	return nil
}

func (f *Folder) readList(document []byte, kinds []kind.Kind) error {
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := yaml.Unmarshal(document, &list); err != nil {
		return err
	}
	for _, item := range list.Items {
		if err := f.readDocument(item, kinds); err != nil {
			return err
		}
	}
	return nil
}

func (m *manifests) add(key string, obj v1alpha1.Object) {
	m.all = append(m.all, obj)
	m.named[types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetName()}] = obj
	m.byResource[key] = append(m.byResource[key], obj)
}

func resourceKey(project, name string) string { return project + "/" + name }

// Namespace implements Source.
func (f *Folder) Namespace(_ context.Context, name string) (annotations map[string]string, err error) {
	return f.namespaces[name], nil
}

// Manifest implements Source.
func (f *Folder) Manifest(_ context.Context, k kind.Kind, namespace, name string) (v1alpha1.Object, error) {
	return f.of[k.Kind].named[types.NamespacedName{Namespace: namespace, Name: name}], nil
}

// Manifests are all manifests of a kind.
func (f *Folder) Manifests(k kind.Kind) []v1alpha1.Object { return f.of[k.Kind].all }

// ByResource implements Source.
func (f *Folder) ByResource(_ context.Context, k kind.Kind, project, name string) ([]v1alpha1.Object, error) {
	of := f.of[k.Kind].byResource
	return slices.Concat(of[resourceKey(project, name)], of[resourceKey("", name)]), nil
}

// Holding implements Source.
func (f *Folder) Holding(ctx context.Context, k kind.Kind, project, name string) ([]v1alpha1.Object, error) {
	found, err := f.ByResource(ctx, k, project, name)
	if err != nil {
		return nil, err
	}
	var out []v1alpha1.Object
	for _, obj := range found {
		if plan.StandingOf(k, obj) == plan.Holding {
			out = append(out, obj)
		}
	}
	return out, nil
}

// ByReferent implements Source.
func (f *Folder) ByReferent(_ context.Context, k kind.Kind, referent string) ([]v1alpha1.Object, error) {
	var out []v1alpha1.Object
	for _, obj := range f.of[k.Kind].all {
		if k.Referent != nil && k.Referent(obj) == referent {
			out = append(out, obj)
		}
	}
	return out, nil
}
