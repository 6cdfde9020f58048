package inventory

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Folder is a Source that was read from a folder of manifests.
type Folder struct {
	namespaces map[string]map[string]string
	manifests  map[string][]v1alpha1.Object // by kind
}

var _ Source = (*Folder)(nil)

// ReadFolder reads all Namespaces and manifests of the kinds from the YAML and JSON files of a folder and those below it. Other objects
// are passed over. A field that the kind does not have is an error, which names the file.
func ReadFolder(folder fs.FS, kinds []kind.Kind) (*Folder, error) {
	f := &Folder{namespaces: map[string]map[string]string{}, manifests: map[string][]v1alpha1.Object{}}
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
	if head.APIVersion == "v1" && head.Kind == "Namespace" {
		f.namespaces[head.Name] = head.Annotations
		return nil
	}
	k, known := kind.Named(kinds, head.Kind)
	if !known || head.APIVersion != v1alpha1.GroupVersion.String() {
		return nil
	}
	obj := k.New()
	if err := yaml.UnmarshalStrict(document, obj); err != nil {
		return fmt.Errorf("%s %s/%s: %w", k.Kind, head.Namespace, head.Name, err)
	}
	f.manifests[k.Kind] = append(f.manifests[k.Kind], obj)
	return nil
}

// Namespace implements Source.
func (f *Folder) Namespace(_ context.Context, name string) (annotations map[string]string, err error) {
	return f.namespaces[name], nil
}

// Namespaces implements Source.
func (f *Folder) Namespaces(context.Context) (map[string]map[string]string, error) {
	return f.namespaces, nil
}

// Manifest implements Source.
func (f *Folder) Manifest(_ context.Context, k kind.Kind, namespace, name string) (v1alpha1.Object, error) {
	for _, obj := range f.manifests[k.Kind] {
		if obj.GetNamespace() == namespace && obj.GetName() == name {
			return obj, nil
		}
	}
	return nil, nil
}

// Manifests implements Source.
func (f *Folder) Manifests(_ context.Context, k kind.Kind) ([]v1alpha1.Object, error) {
	return f.manifests[k.Kind], nil
}

// ByResource implements Source.
func (f *Folder) ByResource(_ context.Context, k kind.Kind, key string) ([]v1alpha1.Object, error) {
	var out []v1alpha1.Object
	for _, obj := range f.manifests[k.Kind] {
		if ResourceKey(k, obj) == key {
			out = append(out, obj)
		}
	}
	return out, nil
}

// ByReferent implements Source.
func (f *Folder) ByReferent(_ context.Context, k kind.Kind, referent string) ([]v1alpha1.Object, error) {
	var out []v1alpha1.Object
	for _, obj := range f.manifests[k.Kind] {
		if k.Referent != nil && k.Referent(obj) == referent {
			out = append(out, obj)
		}
	}
	return out, nil
}
