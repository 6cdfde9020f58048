package engine

import (
	"cmp"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/queue"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// show puts what is live into the status; a resource of another project is nobody's business here.
func (p *pass) show() {
	status, seen := p.obj.GetCommonStatus(), p.seen.Fields
	p.record.Project, p.record.ExternalName = p.env.Ref.Project, p.kind.ExternalName(p.env.Ref)
	if p.kind.Fields != nil && (!seen.Exists || seen.Foreign) {
		status.Observed, status.Unmanaged = nil, nil
		setOutputs(p.obj, nil)
		return
	}
	p.record, p.shownPolicy = p.record.Looked(p.manifest(), p.Policy), p.Policy
	if p.kind.Fields != nil {
		status.Observed, status.Unmanaged = observedOf(seen.Live), plan.ShowUnmanaged(seen.Live.Unmanaged)
		setOutputs(p.obj, seen.Live.Object)
	}
}

// report ends a pass: one status patch if anything changed, an event on a transition, and when to look again.
func (r *Reconciler) report(ctx context.Context, p *pass, out outcome) (reconcile.Result, error) {
	if out.gone {
		r.tellGlass(ctx, p.draft)
		r.tell(ctx, p.obj, out, nil)
		r.measureEnd(p.draft, out.done.Reason)
		return reconcile.Result{}, nil
	}
	if now, err := r.tenants.namespace(ctx, p.obj.GetNamespace()); err != nil || !r.tenants.owns(now) { // another shard's process says what is so
		return r.reportStale(ctx, p, outcome{after: pauseStale, done: out.done})
	}
	switch {
	case out.settled:
		r.metrics.Show(r.measured(p.name()), p.obj)
		return r.next(out, p)
	case out.acknowledges:
		return r.reportAcknowledged(ctx, p, out)
	case out.reason == "" && out.silent == metrics.Limited:
		return r.reportLimited(ctx, p, out)
	case out.reason == "": // planned on a stale read: nothing is known that is worth saying
		p.keepTurn()
		return r.reportStale(ctx, p, out)
	}
	was := readyCondition(p.stored)
	out = p.pauseRefused(out)
	status := p.obj.GetCommonStatus()
	out.inFlight = p.inFlight()
	if p.Policy != nil {
		out.by = p.Policy.RetryRefused
	}
	setConditions(p.obj, out)
	exposure := p.noteExposure()
	status.ObservedGeneration = p.obj.GetGeneration()
	p.record.Requested = p.obj.GetAnnotations()[v1alpha1.ReconcileRequestedAtAnnotation]
	status.Drift, status.Plan = plan.Bounded(r.kind, out.drift), out.plan
	breakglass.Note(status, status.Drift)
	if isReady(p.obj) && out.reason == v1alpha1.ReasonUpToDate {
		status.EnvironmentDigest = plan.EnvironmentDigest(r.kind, p.obj, p.env)
	}
	if err := p.saveLast(ctx); err != nil {
		if isTooLarge(err) {
			return r.reportTooLarge(ctx, p)
		}
		if isStale(err) {
			return r.reportStale(ctx, p, outcome{after: pauseStale, done: out.done})
		}
		return reconcile.Result{}, err
	}
	r.tellGlass(ctx, p.draft)
	r.measure(p.draft, out)
	r.tell(ctx, p.obj, out, was)
	if exposure != "" {
		r.event(ctx, p.obj, corev1.EventTypeWarning, v1alpha1.ReasonOperatorProject, "Reconcile", exposure)
	}
	switch err := p.endApproval(ctx, out); {
	case isStale(err):
		return reconcile.Result{RequeueAfter: pauseStale}, nil
	case err != nil:
		return reconcile.Result{}, err
	}
	return r.next(out, p)
}

// reportStale ends a pass that was planned with an object that is not the newest. What it has learned of its own writes is stored all the
// same; where that cannot be, what was recorded as pending stays so.
func (r *Reconciler) reportStale(ctx context.Context, p *pass, out outcome) (reconcile.Result, error) {
	r.storeWritten(ctx, p, out)
	r.measureEnd(p.draft, metrics.Stale)
	return reconcile.Result{RequeueAfter: out.after}, nil
}

// reportLimited ends a pass that our own limits have cut short. That is nobody's business: no condition changes because of it, but for the
// acknowledgement of a glass that was broken meanwhile.
func (r *Reconciler) reportLimited(ctx context.Context, p *pass, out outcome) (reconcile.Result, error) {
	r.storeWritten(ctx, p, out)
	if p.glassMatters() {
		out.inFlight = p.inFlight()
		switch err := p.storeGlass(ctx, out.inFlight); {
		case isStale(err):
			out.after = pauseStale
		case err != nil:
			return reconcile.Result{}, err
		}
	}
	if !out.outOfLine {
		out.after = p.comeBack(out.after)
	}
	r.measureEnd(p.draft, metrics.Limited)
	return r.next(out, p)
}

// storeWritten stores what a pass with nothing to say has learned of its own writes.
func (r *Reconciler) storeWritten(ctx context.Context, p *pass, out outcome) {
	if err := p.saveWritten(ctx); err != nil {
		log.FromContext(ctx).Info("what the last pass wrote stays recorded as pending", "error", err.Error())
	}
	if out.done.Reason != "" && p.recorded {
		r.tell(ctx, p.obj, out, nil)
	}
}

// next says when the object is looked at again: no later than an open glass closes by itself, and what is over is cleared away.
func (r *Reconciler) next(out outcome, p *pass) (reconcile.Result, error) {
	obj := p.obj
	glass, now := obj.GetCommonStatus().BreakGlass, r.now()
	result := reconcile.Result{RequeueAfter: out.after}
	switch {
	case out.err != nil && glass == nil:
		return reconcile.Result{}, out.err
	case out.err != nil: // a failure does not keep the glass from closing on time
		result.RequeueAfter = pauseFailed
	case out.after == 0: // nobody waits for this look: what people do goes ahead of it
		result = reconcile.Result{RequeueAfter: p.restsFor(), Priority: new(handler.LowPriority)}
	}
	after := result.RequeueAfter
	by := func(t time.Time) { after = soonest(after, max(t.Sub(now), pauseStale)) }
	for _, t := range []time.Time{out.by, out.inFlight.until} {
		if !t.IsZero() {
			by(t)
		}
	}
	if glass != nil { // whoever waits for it waits for an acknowledgement, and for nothing else, before everybody
		result.Priority = new(0)
	}
	if !out.inFlight.until.IsZero() {
		result.Priority = new(queue.Urgent)
	}
	if glass != nil && glass.Until != nil {
		by(glass.Until.Time)
	}
	if past, expired := breakglass.Past(obj.GetAnnotations(), v1alpha1.BreakGlassOnObject, now); expired {
		by(past.Until.Add(breakglass.ClearLag))
	}
	p.routine = p.routine && after == result.RequeueAfter
	result.RequeueAfter = after
	return result, nil
}

// tell emits the event of a deed, or of a change of Ready. Of an object that stays the status says the same, and so there are not more of them
// than the API server should have to write beside it.
func (r *Reconciler) tell(ctx context.Context, obj v1alpha1.Object, out outcome, was *metav1.Condition) {
	kind, reason, message := eventOf(obj, out, was)
	if reason == "" {
		return
	}
	if !out.gone && !r.eventLimits.allow(obj.GetUID(), r.now()) {
		r.metrics.NotTold(r.kind.Label())
		return
	}
	r.event(ctx, obj, kind, reason, "Reconcile", message)
}

// eventOf is the event of a deed, or of a change of Ready; without a reason if there is none.
func eventOf(obj v1alpha1.Object, out outcome, was *metav1.Condition) (kind, reason, message string) {
	if out.done.Reason != "" {
		return corev1.EventTypeNormal, out.done.Reason, out.done.Message
	}
	is := readyCondition(obj)
	if out.gone || is == nil || was != nil && was.Reason == is.Reason && was.Status == is.Status {
		return "", "", ""
	}
	kind = corev1.EventTypeWarning
	if is.Status == metav1.ConditionTrue || standingOf(is.Reason) == waiting {
		kind = corev1.EventTypeNormal
	}
	return kind, is.Reason, is.Message
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
	set := func(c metav1.Condition) {
		c.ObservedGeneration, c.Message = generation, text.Cut(c.Message, longestMessage)
		meta.SetStatusCondition(conditions, c)
	}
	for _, c := range []metav1.Condition{isReady, out.drifted(), glassCondition(glass, out.inFlight)} {
		set(c)
	}
	for _, c := range []metav1.Condition{reconciling, stalled} {
		if c.Status != metav1.ConditionTrue {
			meta.RemoveStatusCondition(conditions, c.Type)
			continue
		}
		set(c)
	}
}

// glassCondition derives the condition BreakGlass. An object is worked on by one pass at a time, and a pass ends after its
// writes: when it reports, none of its own is in flight, except one that was never answered. Another manifest of the resource may be at one.
func glassCondition(glass *v1alpha1.BreakGlass, inFlight flight) metav1.Condition {
	if glass == nil {
		return condition(v1alpha1.ConditionBreakGlass, false, v1alpha1.ReasonClosed, "break-glass is not active")
	}
	by := cmp.Or(glass.By, "an unrecorded user")
	if !glass.Verified {
		by += " (unverified: the admission policies that vouch for the name were not seen enforced before and after)"
	}
	said := fmt.Sprintf("break-glass is active on the %s, opened by %s: %s", glass.Scope, by, glass.Reason)
	switch {
	case inFlight.name != "":
		return metav1.Condition{Type: v1alpha1.ConditionBreakGlass, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonWriteInFlight,
			Message: fmt.Sprintf("%s. No further write starts, but that of another manifest of the resource has not ended: %s", said, inFlight.name)}
	case inFlight != flight{}:
		return metav1.Condition{Type: v1alpha1.ConditionBreakGlass, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonWriteInFlight,
			Message: fmt.Sprintf("%s. No further write starts, but Google may still complete one until %s%s", said, inUTC(inFlight.until), named(glass.LastWrite))}
	}
	return condition(v1alpha1.ConditionBreakGlass, true, v1alpha1.ReasonOpen, said)
}

// named names the write, if the record of the glass does.
func named(write string) string {
	if write == "" {
		return ""
	}
	return " (" + write + ")"
}
