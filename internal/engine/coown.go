package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// fieldManager is the name by which the operator owns annotations.
const fieldManager = "holdfast"

func isOwn(f metav1.ManagedFieldsEntry) bool {
	return f.Manager == fieldManager && f.Operation == metav1.ManagedFieldsOperationApply
}

// coOwn makes the operator own annotations, such as those of a glass or an approval, beside whoever wrote them. The apply carries uid
// and resourceVersion and only what is there, so that a stale read cannot reopen a closed glass. It does nothing where
// that is so already.
func coOwn(ctx context.Context, c client.Client, scheme *runtime.Scheme, obj client.Object, keep map[string]string) error {
	if len(keep) == 0 || maps.Equal(keep, ownAnnotations(obj)) {
		return nil
	}
	gvk, err := apiutil.GVKForObject(obj, scheme)
	if err != nil {
		return err
	}
	apply := &unstructured.Unstructured{}
	apply.SetGroupVersionKind(gvk)
	apply.SetName(obj.GetName())
	apply.SetNamespace(obj.GetNamespace())
	apply.SetUID(obj.GetUID())
	apply.SetResourceVersion(obj.GetResourceVersion())
	apply.SetAnnotations(keep)
	if err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(apply), client.FieldOwner(fieldManager), client.ForceOwnership); err != nil {
		return staleOr(err)
	}
	obj.SetResourceVersion(apply.GetResourceVersion())
	return nil
}

// ownAnnotations are the annotations that the operator owns of an object already, with their values.
func ownAnnotations(obj client.Object) map[string]string {
	out := map[string]string{}
	for _, f := range obj.GetManagedFields() {
		for key, value := range obj.GetAnnotations() {
			if isOwn(f) && ownsAnnotation(f, key) {
				out[key] = value
			}
		}
	}
	return out
}

// annotatedAt is when somebody but the operator last wrote an annotation, to the second; zero if nothing tells.
func annotatedAt(obj client.Object, key string) time.Time {
	var last time.Time
	for _, f := range obj.GetManagedFields() {
		if !isOwn(f) && f.Time != nil && f.Time.After(last) && ownsAnnotation(f, key) {
			last = f.Time.Time
		}
	}
	return last
}

func ownsAnnotation(f metav1.ManagedFieldsEntry, key string) bool {
	if f.FieldsV1 == nil {
		return false
	}
	var owned fieldpath.Set
	err := owned.FromJSON(bytes.NewReader(f.FieldsV1.GetRawBytes()))
	return err == nil && owned.Has(fieldpath.MakePathOrDie("metadata", "annotations", key))
}

// clearAway changes annotations that have had their time: those of a glass, or of an approval. It does so on condition that the object is the newest.
func clearAway(ctx context.Context, c client.Client, obj client.Object, changes map[string]any) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": obj.GetUID(), "resourceVersion": obj.GetResourceVersion(), "annotations": changes,
	}})
	if err != nil {
		return err
	}
	changed := obj.DeepCopyObject().(client.Object)
	if err := c.Patch(ctx, changed, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(fieldManager)); err != nil {
		return staleOr(err)
	}
	obj.SetResourceVersion(changed.GetResourceVersion())
	return nil
}
