package engine

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// draft is an object whose status is being written anew, beside what the API server was last known to have. Its spec and metadata stay
// as they were read, but for finalizers, what the operator co-owns, and the resourceVersion: whatever is stored meanwhile was stored by
// this pass, since every save is on condition of that version.
type draft struct {
	writer client.Client
	newest client.Reader // uncached

	obj    v1alpha1.Object
	stored v1alpha1.Object
	// record is what will be remembered; the status has it once it is saved.
	record plan.Record
	// shownPolicy is what was last seen of the IAM policy, for the status; nil for nothing.
	shownPolicy *plan.PolicyPlan
	// version is the resourceVersion that the plan was made with, moved on by our own saves and by nothing else.
	version string
	// gatePassed says that the gate has found stored to be the newest in this pass.
	gatePassed bool
	// wasReady says that this generation was applied when the pass began.
	wasReady bool
	// began and was are when the pass began, and the status then.
	began time.Time
	was   *v1alpha1.CommonStatus
	// told are the events of the glass that are to be told once the status is stored.
	told []breakglass.Event
}

func newDraft(c client.Client, uncached client.Reader, obj v1alpha1.Object) *draft {
	ready, stored := readyCondition(obj), copyOf(obj)
	return &draft{
		writer: c, newest: uncached, obj: obj, stored: stored, was: stored.GetCommonStatus(),
		record:   plan.RecordOf(stored.GetCommonStatus()).Asked(obj),
		wasReady: ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == obj.GetGeneration(),
	}
}

// save writes the status if it differs from what is stored, on condition that the stored object is the newest; it fails as stale
// otherwise.
func (d *draft) save(ctx context.Context) error {
	before := d.obj.GetResourceVersion()
	if err := d.patchStatus(ctx, before); err != nil {
		d.gatePassed = false // somebody may have stored something since
		return err
	}
	if d.version == before {
		d.version = d.obj.GetResourceVersion()
	}
	return nil
}

// saveLast ends a pass. Once the gate has found the object to be the newest nobody else has written its status since, and what the pass has
// done is to be told even if somebody has edited the manifest meanwhile. Nothing may be written to Google Cloud after it.
func (d *draft) saveLast(ctx context.Context) error {
	if d.gatePassed {
		return d.patchStatus(ctx, "")
	}
	return d.save(ctx)
}

// patchStatus writes the status if it differs from what is stored, on condition that the stored object has a resourceVersion; empty for any.
func (d *draft) patchStatus(ctx context.Context, version string) error {
	d.fill()
	patch, err := statusPatch(d.stored, d.obj, version)
	if err != nil || patch == nil {
		return err
	}
	answer := emptyOf(d.obj) // which may have more than the status: what somebody else has stored
	answer.SetNamespace(d.obj.GetNamespace())
	answer.SetName(d.obj.GetName())
	if err := d.writer.Status().Patch(ctx, answer, patch); err != nil {
		return staleOr(err)
	}
	setStatus(d.obj, answer)
	d.obj.SetResourceVersion(answer.GetResourceVersion())
	d.stored = copyOf(d.obj)
	return nil
}

// fill writes the record, and what is shown beside it, into the status.
func (d *draft) fill() {
	status := d.obj.GetCommonStatus()
	d.record.Store(status)
	if status.IAM != nil && d.shownPolicy != nil {
		shown := d.shownPolicy
		status.IAM.MemberCount, status.IAM.GroupCount, status.IAM.Kept = int64(shown.Plan.Members), int64(shown.Plan.Groups), shown.Kept()
		status.IAM.NotOwned, status.IAM.NotOwnedCount = shown.ShowNotOwned(), int64(len(shown.Plan.NotOwned))
	}
}

// saveRecord stores the record though somebody has changed the object meanwhile. It does nothing where another process has stored something
// since, which then knows better; what is pending stays so.
func (d *draft) saveRecord(ctx context.Context) error {
	stored := plan.RecordOf(d.stored.GetCommonStatus())
	if equality.Semantic.DeepEqual(stored, d.record) {
		return nil
	}
	fresh := copyOf(d.obj)
	if err := d.newest.Get(ctx, client.ObjectKeyFromObject(d.obj), fresh); err != nil {
		return err
	}
	if fresh.GetUID() != d.obj.GetUID() || !equality.Semantic.DeepEqual(stored, plan.RecordOf(fresh.GetCommonStatus())) {
		return nil
	}
	before := copyOf(fresh)
	d.record.Store(fresh.GetCommonStatus())
	return d.writer.Status().Patch(ctx, fresh, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

// setFinalizer adds or removes the finalizer, on condition that the object is the newest.
func (d *draft) setFinalizer(ctx context.Context, want bool) error {
	changed := copyOf(d.stored)
	if want {
		controllerutil.AddFinalizer(changed, v1alpha1.Finalizer)
	} else {
		controllerutil.RemoveFinalizer(changed, v1alpha1.Finalizer)
	}
	if err := d.writer.Patch(ctx, changed, client.MergeFromWithOptions(d.stored, client.MergeFromWithOptimisticLock{})); err != nil {
		return staleOr(err)
	}
	for _, obj := range []v1alpha1.Object{d.obj, d.stored} {
		obj.SetFinalizers(changed.GetFinalizers())
		obj.SetResourceVersion(changed.GetResourceVersion())
	}
	return nil
}

func hasFinalizer(obj client.Object) bool {
	return controllerutil.ContainsFinalizer(obj, v1alpha1.Finalizer)
}

func copyOf(obj v1alpha1.Object) v1alpha1.Object { return obj.DeepCopyObject().(v1alpha1.Object) }

// statusOf is an object's status as the kind has it.
func statusOf(obj v1alpha1.Object) reflect.Value {
	return reflect.ValueOf(obj).Elem().FieldByName("Status")
}

func setStatus(obj, from v1alpha1.Object) { statusOf(obj).Set(statusOf(from)) }

// setOutputs brings the part of the status that is the kind's own: from another object, or to nothing.
func setOutputs(obj, from v1alpha1.Object) {
	common := *obj.GetCommonStatus()
	if from == nil {
		statusOf(obj).SetZero()
	} else {
		setStatus(obj, from)
	}
	*obj.GetCommonStatus() = common
}

// specOf writes an object's spec as JSON; nil for an empty one.
func specOf(obj v1alpha1.Object) *runtime.RawExtension {
	spec, err := json.Marshal(reflect.ValueOf(obj).Elem().FieldByName("Spec").Interface())
	if err != nil || string(spec) == "{}" { // an API object is always JSON
		return nil
	}
	return &runtime.RawExtension{Raw: spec}
}
