package engine

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/metrics"
)

// show puts what is live into the status; a resource of another project is nobody's business here.
func (r *Reconciler[T, L]) show(d *draft[T], v view[T, L]) {
	status := d.obj.GetCommonStatus()
	status.Project = v.ref.Project
	status.ExternalName = r.kind.ExternalName(v.ref)
	if !v.exists || v.wrongProject {
		status.Observed = nil
		clearOutputs(d.obj)
		return
	}
	status.Observed = specOf(v.described)
	showPolicy(d.obj, v.policy)
	r.kind.Report(d.obj, v.live)
}

// clearOutputs empties the status but for what all kinds have in common.
func clearOutputs(obj v1alpha1.Object) {
	common := *obj.GetCommonStatus()
	reflect.ValueOf(obj).Elem().FieldByName("Status").SetZero()
	*obj.GetCommonStatus() = common
}

// report ends a pass: one status patch if anything changed, an event on a transition, and when to look again.
func (r *Reconciler[T, L]) report(ctx context.Context, d *draft[T], out outcome) (reconcile.Result, error) {
	if out.gone {
		r.tellGlass(ctx, d)
		r.tell(d.obj, out, nil)
		r.measureEnd(d, out.done.reason)
		return reconcile.Result{}, nil
	}
	if out.reason == "" { // planned on a stale read: nothing is known that is worth saying
		r.measureEnd(d, metrics.Stale)
		return reconcile.Result{RequeueAfter: out.after}, nil
	}
	was := readyCondition(d.stored)
	status := d.obj.GetCommonStatus()
	out.inFlight = r.inFlight(d)
	setConditions(d.obj, out)
	status.ObservedGeneration = d.obj.GetGeneration()
	status.LastHandledReconcileAt = d.obj.GetAnnotations()[v1alpha1.ReconcileRequestedAtAnnotation]
	status.Drift, status.Plan = bounded(out.drift), out.plan
	breakglass.Note(status, status.Drift)
	if err := d.save(ctx); err != nil {
		if isStale(err) {
			r.measureEnd(d, metrics.Stale)
			return reconcile.Result{RequeueAfter: pauseStale}, nil
		}
		return reconcile.Result{}, err
	}
	r.tellGlass(ctx, d)
	r.measure(d, out)
	r.tell(d.obj, out, was)
	return r.next(out, d.obj)
}

// next says when the object is looked at again: no later than an open glass closes by itself, and what is over is cleared away.
func (r *Reconciler[T, L]) next(out outcome, obj T) (reconcile.Result, error) {
	glass, now := obj.GetCommonStatus().BreakGlass, r.now()
	result := reconcile.Result{RequeueAfter: out.after}
	switch {
	case out.err != nil && glass == nil:
		return reconcile.Result{}, out.err
	case out.err != nil: // a failure does not keep the glass from closing on time
		result.RequeueAfter = pauseFailed
	case out.after == 0: // nobody waits for this look: what people do goes ahead of it
		result = reconcile.Result{RequeueAfter: r.sweep.Next(), Priority: new(handler.LowPriority)}
	}
	after := result.RequeueAfter
	by := func(t time.Time) { after = min(after, max(t.Sub(now), pauseStale)) }
	if !out.inFlight.IsZero() {
		by(out.inFlight)
	}
	if glass != nil && glass.Until != nil {
		by(glass.Until.Time)
	}
	if past, expired := breakglass.Past(obj.GetAnnotations(), v1alpha1.BreakGlassOnObject, now); expired {
		by(past.Until.Add(breakglass.ClearLag))
	}
	result.RequeueAfter = after
	return result, nil
}

// tell emits the event of a deed, or of a change of Ready.
func (r *Reconciler[T, L]) tell(obj T, out outcome, was *metav1.Condition) {
	if out.done.reason != "" {
		r.events.Eventf(obj, nil, corev1.EventTypeNormal, out.done.reason, "Reconcile", "%s", out.done.message)
		return
	}
	is := readyCondition(obj)
	if out.gone || is == nil || was != nil && was.Reason == is.Reason && was.Status == is.Status {
		return
	}
	kind := corev1.EventTypeWarning
	if is.Status == metav1.ConditionTrue || standings[is.Reason] == waiting {
		kind = corev1.EventTypeNormal
	}
	r.events.Eventf(obj, nil, kind, is.Reason, "Reconcile", "%s", is.Message)
}

func readyCondition(obj v1alpha1.Object) *metav1.Condition {
	return meta.FindStatusCondition(obj.GetCommonStatus().Conditions, v1alpha1.ConditionReady)
}

// setConditions derives all conditions from an outcome. Transition times move only on transitions.
func setConditions(obj v1alpha1.Object, out outcome) {
	conditions := &obj.GetCommonStatus().Conditions
	generation := obj.GetGeneration()
	glass := obj.GetCommonStatus().BreakGlass
	isReady, reconciling, stalled := out.conditions(readyCondition(obj), generation, glass != nil)
	for _, c := range []metav1.Condition{isReady, out.drifted(), glassCondition(glass, out.inFlight)} {
		c.ObservedGeneration = generation
		meta.SetStatusCondition(conditions, c)
	}
	for _, c := range []metav1.Condition{reconciling, stalled} {
		if c.Status != metav1.ConditionTrue {
			meta.RemoveStatusCondition(conditions, c.Type)
			continue
		}
		c.ObservedGeneration = generation
		meta.SetStatusCondition(conditions, c)
	}
}

// glassCondition derives the condition BreakGlass. An object is worked on by one pass at a time, and a pass ends after its
// writes: when it reports, none of its own is in flight, except one that was never answered.
func glassCondition(glass *v1alpha1.BreakGlass, inFlight time.Time) metav1.Condition {
	if glass == nil {
		return condition(v1alpha1.ConditionBreakGlass, false, v1alpha1.ReasonClosed, "the glass is closed")
	}
	by := cmp.Or(glass.By, "somebody who is not recorded")
	if !glass.Verified {
		by += " (unverified: the admission policies that vouch for the name were not installed)"
	}
	said := fmt.Sprintf("broken on the %s by %s: %s", glass.Scope, by, glass.Reason)
	if !inFlight.IsZero() {
		return metav1.Condition{Type: v1alpha1.ConditionBreakGlass, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonWriteInFlight,
			Message: fmt.Sprintf("%s. No write starts any more, but Google may still carry one out until %s (%s)", said, inUTC(inFlight), glass.LastWrite)}
	}
	return condition(v1alpha1.ConditionBreakGlass, true, v1alpha1.ReasonOpen, said)
}
