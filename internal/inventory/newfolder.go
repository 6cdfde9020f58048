package inventory

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

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
