package engine

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// Emptying a resource goes in batches, each behind the gate, and a pass does a few of them before it reports.
const (
	emptyBatch   = 100
	emptyBatches = 10
	pauseEmpty   = 10 * time.Millisecond
)

// untouched is what is said of an object that is let go without a write.
const untouched = "nothing in Google Cloud was touched"

// deletionWaits is what is said of an object that is deleted while its glass is broken.
const deletionWaits = "the deletion waits until the glass is closed"

// remove carries out the deletion policy and lets the object go.
func (r *Reconciler[T, L]) remove(ctx context.Context, d *draft[T], v view[T, L], others rivals[T]) outcome {
	spec, status := d.obj.GetCommonSpec(), d.obj.GetCommonStatus()
	switch {
	case v.glass.Open(): // also where nothing would be written: the finalizer stays until a person has closed the glass
		return outcome{reason: v1alpha1.ReasonBreakGlass, message: deletionWaits, looked: !v.wrongProject, drift: v.diff.Changes}
	case !v.exists:
		return r.release(ctx, d, done{"Released", "there is no " + r.kind.ExternalName(v.ref) + " any more"})
	case v.wrongProject, spec.Management == v1alpha1.ManagementObserve:
		return r.release(ctx, d, done{"Released", untouched})
	case r.kind.Traits().PolicyOnly:
		return r.revoke(ctx, d, v)
	case status.Identity == "" && !v.held:
		return r.release(ctx, d, done{"Released", "the resource was never taken over and was not touched"})
	case orphans(d.obj):
		return r.orphan(ctx, d, v, "as spec.deletionPolicy says")
	case others.declared():
		return r.orphan(ctx, d, v, "because another manifest declares it")
	case !isRecorded(status.Identity, v.identity, r.marks(d.obj)):
		return outcome{reason: v1alpha1.ReasonConflict, looked: true, drift: v.diff.Changes, message: fmt.Sprintf(
			"this %s is not the one that was recorded, so it is not deleted; delete it by hand, or set spec.deletionPolicy to Orphan", r.kind.Traits().Name)}
	}
	switch orphan, err := r.definitionGoes(ctx, d.obj); {
	case err != nil:
		return failed("reading the CustomResourceDefinition, which must be known before anything is deleted", err)
	case orphan:
		return r.orphan(ctx, d, v, "because its CustomResourceDefinition is being deleted")
	}
	plan := deletion(r.kind.ExternalName(v.ref))
	if r.awaitsApproval(d.obj, plan) {
		return r.held(d, v, plan, awaitApproval("this deletes the "+r.kind.Traits().Name))
	}
	return r.destroy(ctx, d, v)
}

// awaitsApproval says whether the plan of a deletion must be approved first.
func (r *Reconciler[T, L]) awaitsApproval(obj T, plan diff.Changes) bool {
	return obj.GetCommonSpec().Management == v1alpha1.ManagementApprove && !isApproved(obj, plan, r.kind.Traits().Fields)
}

func awaitApproval(what string) decision {
	return decision{actionHold, v1alpha1.ReasonAwaitingApproval, "spec.management is Approve, and " + what}
}

// destroy deletes the resource, its contents first if that was asked for.
func (r *Reconciler[T, L]) destroy(ctx context.Context, d *draft[T], v view[T, L]) outcome {
	emptier, withContents := r.kind.(Emptier[L])
	withContents = withContents && d.obj.GetCommonSpec().DeletionPolicy == v1alpha1.DeletionDeleteWithContents
	before := objectsDeleted(d.obj)
	if withContents {
		if out, more := r.empty(ctx, d, v, emptier); more {
			return out
		}
	}
	_, err := r.call(ctx, d, v, Call[L]{Name: "deleting the " + r.kind.Traits().Name, Do: func(ctx context.Context, live L) (L, error) {
		return live, r.kind.Delete(ctx, v.ref, live)
	}})
	switch {
	case gcp.IsNotEmpty(err) && objectsDeleted(d.obj) > before:
		return outcome{reason: v1alpha1.ReasonDeleting, looked: true, drift: v.diff.Changes, after: pauseStale,
			message: "deleting the contents: something was added meanwhile"}
	case err != nil:
		out := failed("carrying out spec.deletionPolicy "+string(d.obj.GetCommonSpec().DeletionPolicy), err)
		out.looked, out.drift = true, v.diff.Changes
		return out
	}
	return r.release(ctx, d, done{"Deleted", "deleted " + r.kind.ExternalName(v.ref)})
}

func objectsDeleted(obj v1alpha1.Object) int64 {
	if progress := obj.GetCommonStatus().Deletion; progress != nil {
		return progress.ObjectsDeleted
	}
	return 0
}

// empty deletes contents, some batches a pass. more is false when nothing is left.
func (r *Reconciler[T, L]) empty(ctx context.Context, d *draft[T], v view[T, L], emptier Emptier[L]) (out outcome, more bool) {
	progress := d.obj.GetCommonStatus().Deletion
	if progress == nil {
		progress = &v1alpha1.DeletionProgress{StartTime: metav1.NewTime(r.now().Truncate(time.Second))}
	}
	var err error
	for batch := 0; batch == 0 || more && batch < emptyBatches && err == nil; batch++ {
		var deleted int
		deleted, more, err = r.emptyBatch(ctx, d, v, emptier)
		progress.ObjectsDeleted += int64(deleted)
	}
	d.obj.GetCommonStatus().Deletion = progress
	if err != nil {
		out = failed("deleting the contents", err)
		out.looked, out.drift = true, v.diff.Changes
		return out, true
	}
	return outcome{reason: v1alpha1.ReasonDeleting, looked: true, drift: v.diff.Changes, after: pauseEmpty,
		message: fmt.Sprintf("deleting the contents: %d object generations so far", progress.ObjectsDeleted)}, more
}

func (r *Reconciler[T, L]) emptyBatch(ctx context.Context, d *draft[T], v view[T, L], emptier Emptier[L]) (deleted int, more bool, err error) {
	err = r.behindGate(ctx, d, v.binding, "deleting contents of the "+r.kind.Traits().Name, func(ctx context.Context) (err error) {
		deleted, more, err = emptier.Empty(ctx, v.ref, v.live, emptyBatch)
		return err
	})
	return deleted, more || err != nil, err
}

// orphan lets the resource be, without the marks of its owner. Where writing needs approval the marks stay: they hinder
// nobody in this installation.
func (r *Reconciler[T, L]) orphan(ctx context.Context, d *draft[T], v view[T, L], why string) outcome {
	marked := readMark(v.identity.Labels, r.marks(d.obj)) == markOwn
	if marked && d.obj.GetCommonSpec().Management == v1alpha1.ManagementManage {
		ref := v.ref
		ref.Ownership = nil
		for _, call := range r.kind.Update(ref, v.described, diff.Changes{}) {
			var err error
			if v, err = r.call(ctx, d, v, call); err != nil {
				out := failed("removing the ownership labels", err)
				out.looked, out.drift = true, v.diff.Changes
				return out
			}
		}
	}
	return r.release(ctx, d, done{"Orphaned", fmt.Sprintf("left %s in Google Cloud, %s", r.kind.ExternalName(v.ref), why)})
}

// removeUnbound lets an object go whose namespace no longer reaches its project: nothing may be written there.
func (r *Reconciler[T, L]) removeUnbound(ctx context.Context, d *draft[T], refusal *tenancy.Refusal) outcome {
	spec, status := d.obj.GetCommonSpec(), d.obj.GetCommonStatus()
	switch {
	case status.Identity == "" && status.ExternalName == "" || spec.Management == v1alpha1.ManagementObserve:
		return r.release(ctx, d, done{"Released", untouched})
	case orphans(d.obj):
		return r.releaseMarked(ctx, d, refusal.Message)
	default:
		return outcome{reason: refusal.Reason, message: "the deletion waits: " + refusal.Message}
	}
}

// releaseMarked lets an object go whose resource cannot be reached to take the marks off.
func (r *Reconciler[T, L]) releaseMarked(ctx context.Context, d *draft[T], why string) outcome {
	left := "left " + d.obj.GetCommonStatus().ExternalName + " in Google Cloud"
	if r.kind.Traits().Labels {
		left += " with its ownership labels"
	}
	return r.release(ctx, d, done{"Orphaned", left + ": " + why})
}

// orphans says whether deleting the object leaves the resource.
func orphans(obj v1alpha1.Object) bool {
	policy := obj.GetCommonSpec().DeletionPolicy
	return policy == v1alpha1.DeletionOrphan || policy == ""
}

// yield is what the younger of two manifests for one resource does: nothing, and it says so.
func (r *Reconciler[T, L]) yield(ctx context.Context, d *draft[T], winner client.Object) outcome {
	if !d.obj.GetDeletionTimestamp().IsZero() {
		return r.release(ctx, d, done{"Released", "another manifest declares the resource; nothing in Google Cloud was touched"})
	}
	if r.kind.Traits().PolicyOnly {
		return outcome{reason: v1alpha1.ReasonConflict, message: fmt.Sprintf("the older manifest %s/%s and this one cannot both be carried out: one owns a role, "+
			"a service's audit config or the whole policy that the other speaks of; change spec.mode, or take that out of one of the two",
			winner.GetNamespace(), winner.GetName())}
	}
	return outcome{reason: v1alpha1.ReasonConflict, message: fmt.Sprintf(
		"the older manifest %s/%s declares the same resource and holds it; delete one of the two", winner.GetNamespace(), winner.GetName())}
}

// release removes the finalizer.
func (r *Reconciler[T, L]) release(ctx context.Context, d *draft[T], deed done) outcome {
	if err := d.setFinalizer(ctx, false); err != nil {
		return failed("removing the finalizer", err)
	}
	return outcome{gone: true, done: deed}
}

// ensureFinalizer adds the finalizer before anything is written on the object's behalf.
func (r *Reconciler[T, L]) ensureFinalizer(ctx context.Context, d *draft[T]) error {
	if hasFinalizer(d.obj) || !d.obj.GetDeletionTimestamp().IsZero() || d.obj.GetCommonSpec().Management == v1alpha1.ManagementObserve {
		return nil
	}
	return d.setFinalizer(ctx, true)
}

// definitionGoes reads, uncached, whether the kind's definition is being deleted: then all its objects are, and nobody
// asked for their resources to go.
func (r *Reconciler[T, L]) definitionGoes(ctx context.Context, obj T) (bool, error) {
	gvk, err := apiutil.GVKForObject(obj, r.scheme)
	if err != nil {
		return false, err
	}
	mapping, err := r.client.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return false, err
	}
	var definition metav1.PartialObjectMetadata
	definition.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	if err := r.uncached.Get(ctx, client.ObjectKey{Name: mapping.Resource.GroupResource().String()}, &definition); err != nil {
		return false, err
	}
	return !definition.GetDeletionTimestamp().IsZero(), nil
}
