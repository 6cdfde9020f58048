package engine

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

// draft is an object whose status is being written anew, beside what the API server was last known to have.
type draft[T v1alpha1.Object] struct {
	client client.Client
	obj    T
	stored T
	// newest says that the gate has found stored to be the newest in this pass. Nobody else writes the status, so it needs no
	// lock from then on.
	newest bool
	// wasReady says that this generation was applied when the pass began.
	wasReady bool
	// began and was are when the pass began, and the status then.
	began time.Time
	was   *v1alpha1.CommonStatus
	// told are the events of the glass that are to be told once the status is stored.
	told []breakglass.Event
}

func newDraft[T v1alpha1.Object](c client.Client, obj T) *draft[T] {
	ready, stored := readyCondition(obj), obj.DeepCopyObject().(T)
	return &draft[T]{
		client: c, obj: obj, stored: stored, was: stored.GetCommonStatus(),
		wasReady: ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == obj.GetGeneration(),
	}
}

// save writes the status if it differs from what is stored. It fails as stale where the stored object may not be the newest.
func (d *draft[T]) save(ctx context.Context) error {
	changed, err := d.changed()
	if err != nil || !changed {
		return err
	}
	patch := client.MergeFrom(d.stored)
	if !d.newest {
		patch = client.MergeFromWithOptions(d.stored, client.MergeFromWithOptimisticLock{})
	}
	if err := d.client.Status().Patch(ctx, d.obj, patch); err != nil {
		if isStale(err) {
			return errStale
		}
		return err
	}
	d.stored = d.obj.DeepCopyObject().(T)
	return nil
}

func (d *draft[T]) changed() (bool, error) {
	data, err := client.MergeFrom(d.stored).Data(d.obj)
	return string(data) != "{}", err
}

// setFinalizer adds or removes the finalizer, on condition that the object is the newest.
func (d *draft[T]) setFinalizer(ctx context.Context, want bool) error {
	changed := d.stored.DeepCopyObject().(T)
	if want {
		controllerutil.AddFinalizer(changed, v1alpha1.Finalizer)
	} else {
		controllerutil.RemoveFinalizer(changed, v1alpha1.Finalizer)
	}
	err := d.client.Patch(ctx, changed, client.MergeFromWithOptions(d.stored, client.MergeFromWithOptimisticLock{}))
	switch {
	case err != nil && isStale(err):
		return errStale
	case err != nil:
		return err
	}
	d.obj.SetFinalizers(changed.GetFinalizers())
	d.obj.SetResourceVersion(changed.GetResourceVersion())
	d.stored.SetFinalizers(changed.GetFinalizers())
	d.stored.SetResourceVersion(changed.GetResourceVersion())
	return nil
}

func hasFinalizer(obj client.Object) bool {
	return controllerutil.ContainsFinalizer(obj, v1alpha1.Finalizer)
}

// hold records that the object holds a resource, with these fields applied, and that nothing is pending.
func (d *draft[T]) hold(identity string, applied []string) {
	status := d.obj.GetCommonStatus()
	if identity != identityUnmarked || status.Identity == "" {
		status.Identity = identity
	}
	status.AppliedFields, status.Pending, status.Approved = applied, nil, nil
}

// applied lists the fields that are known to be the object's own: those recorded, and those that were about to be
// written when the record was made and are live with that very value.
func applied[T v1alpha1.Object](obj, described T) []string {
	status := obj.GetCommonStatus()
	out := slices.Clone(status.AppliedFields)
	for _, p := range status.Pending {
		if value := diff.Lookup(described, p.Path); (diff.Change{To: value}).Digest() == p.Digest && !slices.Contains(out, p.Path) {
			out = append(out, p.Path)
		}
	}
	slices.Sort(out)
	return out
}

// specOf writes a described object's spec as JSON.
func specOf(obj v1alpha1.Object) *runtime.RawExtension {
	whole, err := json.Marshal(obj)
	if err != nil {
		return nil // an API object is always JSON
	}
	var parts struct {
		Spec json.RawMessage `json:"spec"`
	}
	if err := json.Unmarshal(whole, &parts); err != nil || string(parts.Spec) == "{}" {
		return nil
	}
	return &runtime.RawExtension{Raw: parts.Spec}
}
