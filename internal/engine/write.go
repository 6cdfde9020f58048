package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// write carries out a plan: it records what is about to be taken on, then makes each call behind the gate.
func (r *Reconciler[T, L]) write(ctx context.Context, d *draft[T], v view[T, L], plan diff.Changes) outcome {
	attempted := d.obj.GetCommonStatus().CreateTime
	if err := r.recordPending(ctx, d, v, plan); err != nil {
		return failed("recording what is about to be written", err)
	}
	before := v
	v, err := r.writeResource(ctx, d, v, attempted)
	if err == nil {
		v, err = r.writePolicy(ctx, d, v, !before.exists || len(before.diff.Changes) > 0)
	}
	return r.confirm(d, before, v, err)
}

// writeResource creates the resource, or changes what differs, the IAM policy left aside.
func (r *Reconciler[T, L]) writeResource(ctx context.Context, d *draft[T], v view[T, L], attempted *metav1.Time) (view[T, L], error) {
	if !v.exists {
		return r.create(ctx, d, v, attempted)
	}
	if len(v.diff.Changes) == 0 {
		return v, nil
	}
	var err error
	for _, call := range r.kind.Update(v.ref, v.diff.Want, v.diff.Changes) {
		if v, err = r.call(ctx, d, v, call); err != nil {
			break
		}
	}
	return v, err
}

// call makes one write: the gate, the call, and what the answer shows.
func (r *Reconciler[T, L]) call(ctx context.Context, d *draft[T], v view[T, L], call Call[L]) (view[T, L], error) {
	live := v.live
	err := r.behindGate(ctx, d, v.binding, call.Name, func(ctx context.Context) (err error) {
		log.FromContext(ctx).V(1).Info(call.Name, "resource", r.kind.ExternalName(v.ref))
		live, err = call.Do(ctx, v.live)
		return err
	})
	if err != nil {
		return v, err
	}
	return r.see(ctx, d.obj, v, live)
}

// behindGate does something to Google Cloud if the gate lets it, and remembers that and when. A glass that broke since the
// object was read is taken note of.
func (r *Reconciler[T, L]) behindGate(ctx context.Context, d *draft[T], binding tenancy.Binding, name string, do func(context.Context) error) error {
	gated, cancel, err := r.gate.pass(ctx, d.obj, binding)
	var broken *glassBroken
	if errors.As(err, &broken) {
		return cmp.Or(r.noticeGlass(ctx, d, breakglass.Seen{Glass: broken.glass, Now: r.now()}), err)
	}
	if err != nil {
		return err
	}
	defer cancel()
	d.newest = true
	mark := writeMark{name: name, began: r.now()}
	if err = do(gated); err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	mark.ended, mark.unknown = r.now(), gcp.IsUnavailable(err)
	r.writes.note(d.obj.GetUID(), mark)
	return err
}

// recordPending stores, before a write, what live cannot prove afterwards should the reply or this process be lost: which
// project the object is bound to, which fields are newly taken on, which plan was approved.
func (r *Reconciler[T, L]) recordPending(ctx context.Context, d *draft[T], v view[T, L], plan diff.Changes) error {
	status := d.obj.GetCommonStatus()
	status.Project = v.ref.Project
	status.ExternalName = r.kind.ExternalName(v.ref)
	if given := approval(d.obj, plan, r.kind.Traits().Fields); given != nil {
		status.Approved = given
	}
	status.AppliedFields = v.applied // with what was pending and is live: the next line forgets it
	if fresh := newlyManaged(v); len(fresh) > 0 {
		status.Pending = fresh
	}
	pendPolicy(d.obj, v.policy)
	if !v.exists && r.kind.Traits().Settles > 0 {
		status.CreateTime = &metav1.Time{Time: r.now().Truncate(time.Second)}
	}
	if was := readyCondition(d.obj); !v.exists && (was == nil || was.Status == metav1.ConditionTrue) {
		message := fmt.Sprintf("creating the %s", r.kind.Traits().Name)
		setConditions(d.obj, outcome{reason: v1alpha1.ReasonProgressing, message: message, looked: true, drift: plan})
	}
	return d.save(ctx)
}

// newlyManaged are the fields that the object manages and that were not applied before.
func newlyManaged[T v1alpha1.Object, L any](v view[T, L]) []v1alpha1.PendingChange {
	var fresh []v1alpha1.PendingChange
	for _, path := range v.diff.Managed {
		if !slices.Contains(v.applied, path) {
			fresh = append(fresh, v1alpha1.PendingChange{Path: path, Digest: diff.Change{To: diff.Lookup(v.diff.Want, path)}.Digest()})
		}
	}
	return fresh
}

// confirm says what a write came to, by what the last answer showed.
func (r *Reconciler[T, L]) confirm(d *draft[T], before, v view[T, L], err error) outcome {
	r.show(d, v)
	left := unapplied(r.plan(before), r.plan(v), slices.Concat(v.diff.Managed, v.policy.changes().Paths()))
	if err != nil {
		if !before.exists && v.exists { // the resource was made, and what follows failed
			d.obj.GetCommonStatus().Identity = identityOf(v.identity, r.marks(d.obj))
		}
		out := failed("writing to Google Cloud", err)
		out.looked, out.drift = true, left
		return out
	}
	holdPolicy(d.obj, v.policy)
	ofPolicy := v.policy != nil && (len(v.policy.changes()) > 0 || v.policy.awaits() != "") && len(v.diff.Changes) == 0
	if !before.exists && len(left) > 0 || ofPolicy {
		return r.appliedInPart(d, before, v, left)
	}
	d.obj.GetCommonStatus().PlanSequence++
	if len(left) > 0 {
		d.hold(identityOf(v.identity, r.marks(d.obj)), append(managedBut(v.diff.Managed, left), unmanaged(left, v.diff.Managed)...))
		return outcome{reason: v1alpha1.ReasonNotApplied, looked: true, drift: left,
			message: "Google Cloud accepted the write and yet differs in " + list(left.Paths())}
	}
	d.hold(identityOf(v.identity, r.marks(d.obj)), v.diff.Managed)
	return outcome{reason: v1alpha1.ReasonUpToDate, message: upToDate, looked: true, done: r.deed(d, before), written: r.plan(before).Paths()}
}

// appliedInPart says what a write came to that left something out. A create leaves out what waits for an approval of its own,
// such as a lock, and what the client library cannot send along; a write of a policy, members that Google refuses or that are
// not known yet.
func (r *Reconciler[T, L]) appliedInPart(d *draft[T], before, v view[T, L], left diff.Changes) outcome {
	status := d.obj.GetCommonStatus()
	begun, choice := status.Approved, decide(r.facts(d.obj, v, left))
	d.hold(identityOf(v.identity, r.marks(d.obj)), managedBut(v.diff.Managed, left))
	out := outcome{reason: choice.reason, message: choice.message, looked: true, drift: left}
	if v.policy != nil && len(v.policy.unseen) > 0 {
		out.after = pauseSettles
	}
	switch choice.action {
	case actionHold:
		status.PlanSequence++
		out = r.held(d, v, left, choice)
	case actionCreate, actionUpdate:
		status.Approved = begun
		out.reason, out.after = v1alpha1.ReasonProgressing, pauseStale
		out.message = "what could not be set at once follows: " + list(left.Paths())
	case actionNone: // as decided
		status.PlanSequence++
	}
	out.done, out.written = r.deed(d, before), r.plan(before).Paths()
	return out
}

// unapplied are the changes that are left after a write. A field that was reset, and shows another value than before, is at
// what Google gives it by default here, whatever we took that to be: an organization's policy may have a say in it.
func unapplied(planned, left diff.Changes, managed []string) diff.Changes {
	was := map[string]string{}
	for _, c := range planned {
		was[c.Path] = c.From
	}
	return slices.DeleteFunc(left, func(c diff.Change) bool {
		from, reset := was[c.Path]
		return reset && from != c.From && !slices.Contains(managed, c.Path)
	})
}

// unmanaged are the paths of changes that the manifest does not set: what was to be reset and was not.
func unmanaged(changes diff.Changes, managed []string) []string {
	return slices.DeleteFunc(changes.Paths(), func(p string) bool { return p == wholeResource || slices.Contains(managed, p) })
}

// managedBut are the fields that are managed, without those that still differ.
func managedBut(managed []string, left diff.Changes) []string {
	return slices.DeleteFunc(slices.Clone(managed), func(p string) bool { return left.Has(p) })
}

// deed names what a completed write was.
func (r *Reconciler[T, L]) deed(d *draft[T], before view[T, L]) done {
	name := r.kind.ExternalName(before.ref)
	paths := list(r.plan(before).Paths())
	switch {
	case before.undelete != "":
		return done{"Undeleted", "brought back " + name}
	case !before.exists:
		return done{"Created", "created " + name}
	case !before.held && !before.granting():
		return done{"Adopted", fmt.Sprintf("took over %s and changed %s", name, paths)}
	case d.wasReady:
		return done{"DriftCorrected", fmt.Sprintf("put back %s", paths)}
	default:
		return done{"Updated", fmt.Sprintf("changed %s", paths)}
	}
}
