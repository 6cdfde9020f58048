package engine

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
)

// attendGlass reads the glass of an object and brings its record up to date. On the object it clears away what is over, and
// co-owns what is not; a Namespace has its own controller for that.
func (p *pass) attendGlass(ctx context.Context) error {
	annotations, now := p.obj.GetAnnotations(), p.now()
	glass := breakglass.Read(annotations, p.namespace.Annotations, now)
	recorded := recordedScope(p.obj)
	if glass.Scope != recorded {
		// The record is written on condition that the object is the newest. Its Namespace may not be, so it is read.
		if err := p.uncached.Get(ctx, client.ObjectKeyFromObject(p.namespace), p.namespace); err != nil {
			return fmt.Errorf("reading the Namespace: %w", err)
		}
		glass = breakglass.Read(annotations, p.namespace.Annotations, now)
	}
	p.env.Glass = glass
	if err := p.recordGlass(ctx, glass, now); err != nil {
		return err
	}
	keep := func() error { return coOwn(ctx, p.client, p.scheme, p.obj, breakglass.Kept(annotations)) }
	if changes := breakglass.Clear(annotations, recorded == "", now); len(changes) > 0 {
		keep = func() error { return clearAway(ctx, p.client, p.obj, changes) }
	}
	err := keep()
	p.stored.SetResourceVersion(p.obj.GetResourceVersion())
	if err == nil && recorded != "" && !glass.Open() {
		err = p.storeClosing(ctx)
	}
	return err
}

// recordGlass brings the record up to date with what the annotations say.
func (p *pass) recordGlass(ctx context.Context, glass breakglass.Glass, now time.Time) error {
	past, expired := breakglass.Past(p.obj.GetAnnotations(), v1alpha1.BreakGlassOnObject, now)
	seen := breakglass.Seen{Glass: glass, Expired: expired, ClosedBy: p.obj.GetAnnotations()[v1alpha1.BreakGlassClosedByAnnotation], Now: now}
	switch recordedScope(p.obj) {
	case v1alpha1.BreakGlassOnObject: // as seen
	case v1alpha1.BreakGlassOnNamespace:
		_, seen.Expired = breakglass.Past(p.namespace.Annotations, v1alpha1.BreakGlassOnNamespace, now)
		seen.ClosedBy = p.namespace.Annotations[v1alpha1.BreakGlassClosedByAnnotation]
	case "":
		if expired && !wasRecorded(p.obj, past) { // it opened and ran out while nobody looked
			if err := p.noticeGlass(ctx, breakglass.Seen{Glass: past, Now: now}); err != nil {
				return err
			}
		}
	}
	return p.noticeGlass(ctx, seen)
}

// wasRecorded says whether a glass whose time is over is the newest in the history.
func wasRecorded(obj v1alpha1.Object, past breakglass.Glass) bool {
	history := obj.GetCommonStatus().BreakGlassHistory
	return len(history) > 0 && history[0].Until != nil && history[0].Until.Time.Equal(past.Until) && history[0].Reason == past.Reason
}

// storeClosing puts on record that the glass is closed, beyond the manifest and in its status, before anything is written again: as long as the
// status says that it is broken, nothing is. Ready ends to be an exception, too.
func (p *pass) storeClosing(ctx context.Context) error {
	if err := p.keepClosing(ctx); err != nil {
		return err
	}
	p.obj.GetCommonStatus().EnvironmentDigest = "" // nobody has looked since
	conditions := &p.obj.GetCommonStatus().Conditions
	if meta.IsStatusConditionTrue(*conditions, v1alpha1.ConditionReady) && !meta.IsStatusConditionFalse(*conditions, v1alpha1.ConditionDrifted) {
		const message = "break-glass was closed; checking for differences"
		p.setCondition(condition(v1alpha1.ConditionReady, false, v1alpha1.ReasonProgressing, message))
		p.setCondition(condition(v1alpha1.ConditionReconciling, true, v1alpha1.ReasonProgressing, message))
	}
	return p.storeGlass(ctx, flight{})
}

// keepClosing puts a closed glass on record beyond the manifest. As long as that fails the status says that the glass is broken, and nothing
// is written.
func (p *pass) keepClosing(ctx context.Context) error {
	newest := copyOf(p.obj)
	err := p.uncached.Get(ctx, client.ObjectKeyFromObject(p.obj), newest)
	if err == nil && newest.GetResourceVersion() != p.obj.GetResourceVersion() { // it may be open again
		err = errStale
	}
	if err == nil {
		err = p.keepHistory(ctx)
	}
	if err != nil {
		status, was := p.obj.GetCommonStatus(), p.stored.GetCommonStatus()
		status.BreakGlass, status.BreakGlassHistory, p.told = was.BreakGlass.DeepCopy(), was.DeepCopy().BreakGlassHistory, nil
		return staleOr(err)
	}
	return nil
}

func (p *pass) setCondition(c metav1.Condition) {
	c.ObservedGeneration = p.obj.GetGeneration()
	meta.SetStatusCondition(&p.obj.GetCommonStatus().Conditions, c)
}

// storeGlass stores the record of the glass and the condition that shows it, and tells what happened to it. inFlight is as in outcome.
func (p *pass) storeGlass(ctx context.Context, inFlight flight) error {
	p.setCondition(glassCondition(p.obj.GetCommonStatus().BreakGlass, inFlight))
	if err := p.save(ctx); err != nil {
		return err
	}
	p.tellGlass(ctx, p.draft)
	p.metrics.Show(p.measured(client.ObjectKeyFromObject(p.obj)), p.obj)
	return nil
}

// recordedScope is where the glass is broken that the status has an open record of; empty for none.
func recordedScope(obj v1alpha1.Object) v1alpha1.BreakGlassScope {
	if open := obj.GetCommonStatus().BreakGlass; open != nil {
		return open.Scope
	}
	return ""
}

// noticeGlass records what is seen of the glass. Where it is not what is on record, it also finds out whether the policies vouched for it, and,
// once, when it is seen broken first, which write had passed the gate before.
func (p *pass) noticeGlass(ctx context.Context, seen breakglass.Seen) error {
	status := p.obj.GetCommonStatus()
	seen.Deleted = p.obj.GetDeletionTimestamp()
	if err := p.vouch(ctx, &seen); err != nil {
		return err
	}
	if seen.Glass.Open() && recordedScope(p.obj) != seen.Glass.Scope {
		p.endApprovals()
		var err error
		if seen.LastWrite, err = p.writeUnderWay(ctx, seen); err != nil {
			return err
		}
		if seen.Deleted != nil {
			if seen.OpenedAt, err = p.brokenAt(ctx, seen.Glass.Scope); err != nil {
				return err
			}
		}
	}
	if seen.Glass.Open() {
		p.forgetApproval()
	}
	p.told = append(p.told, breakglass.Advance(status, seen)...)
	return nil
}

// vouch finds out whether the policies vouch for the names in what is seen of the glass.
func (p *pass) vouch(ctx context.Context, seen *breakglass.Seen) error {
	if breakglass.IsRecorded(p.obj.GetCommonStatus(), seen.Glass) {
		p.guards.note(p.obj)
		seen.Verified = seen.Glass.By != ""
		return nil
	}
	holder := client.Object(p.obj)
	if seen.Glass.Scope == v1alpha1.BreakGlassOnNamespace || !seen.Glass.Open() && recordedScope(p.obj) == v1alpha1.BreakGlassOnNamespace {
		holder = p.namespace
	}
	verified, err := p.guards.vouch(ctx, p.obj, holder)
	if err != nil {
		return err
	}
	seen.Verified = verified && seen.Glass.By != ""
	if !verified && seen.ClosedBy != "" && seen.ClosedBy != v1alpha1.ClosedByExpiry {
		seen.ClosedBy += " (unverified)"
	}
	return nil
}

// endApprovals ends also the approval that nothing was begun under: its hash is that of no plan any more. It is for the moment in which a glass is
// first seen to be broken; who approves later knows of it.
func (p *pass) endApprovals() {
	if p.obj.GetAnnotations()[v1alpha1.ApproveAnnotation] != "" {
		p.record = p.record.PlanApplied()
	}
	p.forgetApproval()
}

// heldByRival ends what is approved here once the glass of another manifest of the resource holds it. Only Ready remembers that this was seen
// before, after which somebody may approve what is on hold; the hash that it shows is that of no plan any more then.
func (p *pass) heldByRival() {
	was, shown := readyCondition(p.stored), p.stored.GetCommonStatus().Plan
	seen, approved := was != nil && was.Reason == v1alpha1.ReasonBreakGlass, p.obj.GetAnnotations()[v1alpha1.ApproveAnnotation]
	if !seen && shown != nil && shown.Hash == approved {
		p.record = p.record.PlanApplied()
	}
	p.forgetApproval()
}

// forgetApproval: an approval does not outlive an incident. What is there now, somebody has to see first.
func (p *pass) forgetApproval() { p.record.Approved = nil }

// writeUnderWay names the write that may have been under way when the glass was broken: one of this process that ended in
// the second in which the annotation was stored, or later, or any of the process before, or of another shard. The API server dates
// fields to the second.
func (p *pass) writeUnderWay(ctx context.Context, seen breakglass.Seen) (string, error) {
	obj, ref := p.obj, p.inventory.Locate(p.kind, p.obj, p.namespace.Annotations).Ref
	if p.writes.since(ref, seen.Now.Add(-justNow)) == "" {
		return p.writes.ofOthers(obj, p.tenants.lastMove(obj.GetNamespace()), seen.Now), nil
	}
	broken, err := p.brokenAt(ctx, seen.Glass.Scope)
	return p.writes.since(ref, broken.Add(-clockSkew)), err
}

// brokenAt reads when the glass was broken, to the second; zero if nothing tells.
func (p *pass) brokenAt(ctx context.Context, scope v1alpha1.BreakGlassScope) (time.Time, error) {
	annotated, key := client.Object(copyOf(p.obj)), client.ObjectKeyFromObject(p.obj)
	if scope == v1alpha1.BreakGlassOnNamespace {
		annotated, key = &corev1.Namespace{}, client.ObjectKey{Name: p.obj.GetNamespace()}
	}
	if err := p.uncached.Get(ctx, key, annotated); err != nil {
		return time.Time{}, fmt.Errorf("finding out when the glass was broken: %w", err)
	}
	return annotatedAt(annotated, v1alpha1.BreakGlassAnnotation), nil
}

// clockSkew is by how much the clocks of the API server and of this process may differ, for naming a write too much rather
// than one too few.
const clockSkew = 2 * time.Second

// tellGlass tells what happened to the glass once that is stored: events and the audit log.
func (r *Reconciler) tellGlass(ctx context.Context, d *draft) {
	for _, event := range d.told {
		r.event(ctx, d.obj, corev1.EventTypeWarning, event.Reason, "BreakGlass", event.Message)
		log.FromContext(ctx).WithName("audit").Info(event.Message, "event", event.Reason)
	}
	d.told = nil
}

// inFlight says which write may still take effect on the resource of an object whose glass is broken.
func (p *pass) inFlight() flight {
	if p.acknowledged() || recordedScope(p.obj) == "" {
		return flight{}
	}
	return p.writes.inFlight(p.obj, p.env.Ref, len(p.env.Rivals) > 0, p.lastMove(), p.now())
}

// lastMove is the last move to this shard of a Namespace with a manifest of the resource.
func (p *pass) lastMove() move {
	namespaces := []string{p.obj.GetNamespace()}
	for _, rival := range p.env.Rivals {
		namespaces = append(namespaces, rival.Object.GetNamespace())
	}
	return p.tenants.lastMove(namespaces...)
}
