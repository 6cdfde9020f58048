package engine

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// ownPrefix begins the names of annotations and labels that mean something to Holdfast.
const ownPrefix = "holdfast.dev/"

// KeepOwnFields is a cache transform that drops what others own of an object's metadata: annotations such as the whole manifest that kubectl
// apply leaves there, labels, and who manages which field, but for who edited the spec last. It takes more memory than all that is needed, and
// nothing here reads it. Nothing that is cached is ever stored as a whole: patches change what they name.
//
// Annotations that are crowded stay, all of them: they count for whether the status fits beside them.
func KeepOwnFields() cache.TransformFunc {
	return func(in any) (any, error) {
		if obj, ok := in.(metav1.Object); ok {
			if annotations := obj.GetAnnotations(); sizeOf(annotations) <= surelyFits/2 {
				obj.SetAnnotations(ours(annotations))
			}
			obj.SetLabels(ours(obj.GetLabels()))
			obj.SetManagedFields(ownFields(obj.GetManagedFields()))
		}
		if manifest, ok := in.(v1alpha1.Object); ok {
			shareTexts(manifest)
		}
		return in, nil
	}
}

// ours are those annotations or labels that mean something to Holdfast; nil for none.
func ours(all map[string]string) map[string]string {
	var out map[string]string
	for key, value := range all {
		if !strings.HasPrefix(key, ownPrefix) {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = value
	}
	return out
}

// ownFields are the operator's entries, after the last edit of the spec.
func ownFields(all []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	own := slices.DeleteFunc(slices.Clone(all), func(f metav1.ManagedFieldsEntry) bool { return !isOwn(f) })
	return slices.Clip(append(lastEdit(all), own...))
}
