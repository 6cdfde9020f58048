package engine

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// isTooLarge says whether the API server, or what it stores objects in, refused an object for its size. The latter says so in words alone.
func isTooLarge(err error) bool {
	return err != nil && (apierrors.IsRequestEntityTooLargeError(err) || strings.Contains(err.Error(), "request is too large"))
}

// surelyFits is how large an object may be, in bytes, for its status to fit beside it in any case. The spec is in it up to three times more: as
// what is live, as what differs, and in the fields' owners.
const surelyFits = 128 << 10

// mayBeTooLarge says whether an object is so large that its status may not fit beside it.
func mayBeTooLarge(obj v1alpha1.Object) bool {
	size := sizeOf(obj.GetAnnotations())
	if spec := specOf(obj); spec != nil {
		size += len(spec.Raw)
	}
	return size > surelyFits
}

func sizeOf(annotations map[string]string) (size int) {
	for key, value := range annotations {
		size += len(key) + len(value)
	}
	return size
}

// tooLarge is the outcome of a pass that cannot store what it has to remember. Nothing is written of which nothing could be remembered.
func tooLarge() outcome {
	return outcome{reason: v1alpha1.ReasonTooLarge, after: pauseDenied, message: "the API server stores no object as large as this one would be with all that " +
		"is to be remembered about it, so nothing is written: make the manifest smaller, by fewer members, groups instead of members, shorter conditions or annotations"}
}

// reportTooLarge ends a pass whose status is too large to be stored: what was stored last stays, and says why.
func (r *Reconciler) reportTooLarge(ctx context.Context, p *pass) (reconcile.Result, error) {
	out := tooLarge()
	was := readyCondition(p.stored)
	setStatus(p.obj, copyOf(p.stored))
	p.record, p.shownPolicy, p.told = plan.RecordOf(p.stored.GetCommonStatus()), nil, nil
	setConditions(p.obj, out)
	p.obj.GetCommonStatus().ObservedGeneration = p.obj.GetGeneration()
	switch err := p.save(ctx); {
	case isStale(err):
		return reconcile.Result{RequeueAfter: pauseStale}, nil
	case isTooLarge(err): // not even that: it was as large as can be before Holdfast saw it
		r.event(ctx, p.obj, corev1.EventTypeWarning, out.reason, "Reconcile", out.message)
		r.measureEnd(p.draft, metrics.Stale)
		return reconcile.Result{RequeueAfter: out.after}, nil
	case err != nil:
		return reconcile.Result{}, err
	}
	r.measure(p.draft, out)
	r.tell(ctx, p.obj, out, was)
	return r.next(out, p)
}
