package inventory

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// Folder is a Source of manifests that somebody has read, from a folder or wherever else.
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

// NewFolder has the annotations of Namespaces, by their name, and manifests of the kinds.
func NewFolder(kinds []kind.Kind, namespaces map[string]map[string]string, objects []v1alpha1.Object) *Folder {
	f := &Folder{namespaces: namespaces, of: map[string]*manifests{}}
	for _, k := range kinds {
		f.of[k.Kind] = &manifests{named: map[types.NamespacedName]v1alpha1.Object{}, byResource: map[string][]v1alpha1.Object{}}
	}
	for _, obj := range objects {
		if k, ok := kind.Named(kinds, obj.GetObjectKind().GroupVersionKind().Kind); ok {
			f.of[k.Kind].add(resourceKey(ProjectSaid(obj), k.ResourceID(obj)), obj)
		}
	}
	return f
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
