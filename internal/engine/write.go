package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// write carries out a plan, part by part: it records what is about to be taken on, then makes each call behind the gate. A part that
// fails does not keep the other from being written, unless nothing is known of the resource any more.
func (p *pass) write(ctx context.Context) outcome {
	p.before = p.record
	planned := p.Assessment
	if err := p.saveAboutToWrite(ctx); err != nil {
		p.record = p.before // nothing was stored, and nothing sent
		return failed("recording what is about to be written", err)
	}
	fieldsErr := p.writeFields(ctx)
	var policyErr error
	if p.goesOnAfter(fieldsErr) {
		policyErr = p.writePolicy(ctx)
	}
	p.forgetUnsent(fieldsErr, policyErr)
	return p.confirm(planned, fieldsErr, policyErr)
}

// saveAboutToWrite stores, before a write, what live cannot prove afterwards should the reply or this process be lost.
func (p *pass) saveAboutToWrite(ctx context.Context) error {
	p.record = p.record.AboutToWrite(p.manifest(), p.env, p.Assessment)
	if was := readyCondition(p.obj); p.Verdict.Action == plan.Create && (was == nil || was.Status == metav1.ConditionTrue) {
		setConditions(p.obj, outcome{reason: v1alpha1.ReasonProgressing, message: "creating the " + p.kind.Name, looked: true, drift: p.Changes})
	}
	return p.save(ctx)
}

// goesOnAfter says whether the policy is written after what the write of the fields came to: it is a part of its own, if the resource is
// there at all and the object is still the same.
func (p *pass) goesOnAfter(fieldsErr error) bool {
	if fieldsErr == nil {
		return true
	}
	return !wasNotSent(fieldsErr) && p.seen.Fields.Exists && !p.seen.Fields.Foreign && (gcp.IsInvalid(fieldsErr) || gcp.IsDenied(fieldsErr))
}

// forgetUnsent takes back what was recorded as pending for a part of which nothing was sent.
func (p *pass) forgetUnsent(fieldsErr, policyErr error) {
	refused := wasNotSent(fieldsErr) || wasNotSent(policyErr)
	p.record = p.record.NotSent(p.before, refused && !p.sent.fields, refused && !p.sent.policy)
}

// writeFields creates the resource, or changes what differs.
func (p *pass) writeFields(ctx context.Context) error {
	switch {
	case p.Fields == nil:
		return nil
	case p.Verdict.Action == plan.Create:
		return p.create(ctx)
	case len(p.Fields.Changes) == 0:
		return nil
	}
	for _, write := range p.kind.Fields.Update(p.env.Ref, p.Fields.Want, p.Fields.Changes) {
		if err := p.call(ctx, write); err != nil {
			return err
		}
	}
	return nil
}

// call makes one write of the fields: the gate, the call, and what the answer shows.
func (p *pass) call(ctx context.Context, write kind.Write) error {
	var live kind.Live
	err := p.behindGate(ctx, write.Name, &p.sent.fields, func(ctx context.Context) (err error) {
		log.FromContext(ctx).V(1).Info(write.Name, "resource", p.kind.ExternalName(p.env.Ref))
		live, err = write.Do(ctx, p.seen.Fields.Live)
		return err
	})
	if err != nil {
		return err
	}
	seen, err := p.see(ctx, live)
	p.seen.Fields = seen
	return err
}

// behindGate does something to Google Cloud if the gate lets it, and remembers that and when. sent becomes true once it was let. A glass
// that broke since the object was read is taken note of.
func (p *pass) behindGate(ctx context.Context, name string, sent *bool, do func(context.Context) error) error {
	target := p.Target
	target.ResourceVersion = p.obj.GetResourceVersion() // which our own saves have moved on
	gated, cancel, err := p.gate.pass(ctx, p.obj, target)
	var broken *glassBroken
	if errors.As(err, &broken) {
		return cmp.Or(p.noticeGlass(ctx, breakglass.Seen{Glass: broken.glass, Now: p.now()}), err)
	}
	if err != nil {
		return err
	}
	defer cancel()
	p.gatePassed = true
	mark := writeMark{name: name, began: p.now()}
	err = do(gated)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	mark.ended, mark.unknown = p.now(), gcp.IsUnavailable(err)
	p.writes.note(p.obj.GetUID(), mark)
	if isOurs(err) {
		return &notSent{err}
	}
	*sent = true
	return err
}

// isOurs says whether Holdfast itself refused to make a call, to keep within its limits.
func isOurs(err error) bool { return err != nil && gcp.Classify(err).Ours }

// confirm says what a write came to, by what the last answers showed.
func (p *pass) confirm(planned plan.Assessment, fieldsErr, policyErr error) outcome {
	wasThere := planned.Verdict.Action != plan.Create
	if p.sent.fields && p.seen.Fields.Exists && (fieldsErr == nil || !wasThere) { // it is the manifest's own, whatever follows
		p.record = p.record.Identified(p.env, p.seen.Fields.Live)
	}
	p.Assessment = plan.Assess(p.manifest(), p.record, p.seen, p.env)
	p.show()
	managed := p.Policy.Changes().Paths()
	if p.Fields != nil {
		managed = slices.Concat(p.Fields.Managed, managed)
	}
	left := unapplied(planned.Changes, p.Changes, managed)
	if fieldsErr == nil && policyErr == nil {
		return p.confirmApplied(planned, wasThere, left)
	}
	return p.confirmParts(planned, fieldsErr, policyErr, left)
}

// confirmParts says what a write came to of which a part failed.
func (p *pass) confirmParts(planned plan.Assessment, fieldsErr, policyErr error, left diff.Changes) outcome {
	fields := outcome{reason: v1alpha1.ReasonUpToDate}
	switch {
	case fieldsErr != nil:
		fields = failed("writing to Google Cloud", fieldsErr)
	case p.Fields != nil && p.sent.fields:
		p.record = p.record.Owns(p.manifest(), p.env, p.seen, managedBut(p.Fields.Managed, left))
		fields.done = p.deed(planned)
		fields.written = planned.Fields.Changes.Paths()
	}
	policy := outcome{reason: v1alpha1.ReasonUpToDate}
	if policyErr != nil {
		policy = failed("writing to Google Cloud", policyErr)
		if p.seen.Policy.Err != nil {
			policy = failed(plan.ReadingPolicy(p.kind), policyErr)
			policy.unknown = "the IAM policy"
		}
	} else if p.Policy != nil && p.sent.policy {
		p.record = p.record.OwnsGrants(p.manifest(), p.Policy)
	}
	fields.looked, fields.drift = true, left
	return combine(fields, policy)
}

// confirmApplied says what a write came to of which nothing failed.
func (p *pass) confirmApplied(planned plan.Assessment, wasThere bool, left diff.Changes) outcome {
	p.record = p.record.OwnsGrants(p.manifest(), p.Policy)
	ofPolicy := p.Policy != nil && (len(p.Policy.Changes()) > 0 || p.Policy.Waits() != "" || p.Policy.NotAllowed() != "") && !p.differs()
	if !wasThere && len(left) > 0 || ofPolicy {
		return p.appliedInPart(planned, left)
	}
	p.record = p.record.PlanApplied()
	var managed []string
	if p.Fields != nil {
		managed = p.Fields.Managed
	}
	if len(left) > 0 {
		p.record = p.record.Owns(p.manifest(), p.env, p.seen, append(managedBut(managed, left), unmanaged(left, managed)...))
		return outcome{reason: v1alpha1.ReasonNotApplied, looked: true, drift: left,
			message: "Google Cloud accepted the write and still differs in " + plan.List(left.Paths())}
	}
	p.record = p.record.Owns(p.manifest(), p.env, p.seen, managed)
	return outcome{reason: v1alpha1.ReasonUpToDate, message: plan.UpToDate, looked: true, done: p.deed(planned), written: planned.Changes.Paths()}
}

// differs says whether the fields differ.
func (p *pass) differs() bool { return p.Fields != nil && len(p.Fields.Changes) > 0 }

// appliedInPart says what a write came to that left something out. A create leaves out what waits for an approval of its own,
// such as a lock; a write of a policy, members that Google rejected or that are not known yet.
func (p *pass) appliedInPart(planned plan.Assessment, left diff.Changes) outcome {
	begun := p.record.Approved
	var managed []string
	if p.Fields != nil {
		managed = p.Fields.Managed
	}
	p.record = p.record.Owns(p.manifest(), p.env, p.seen, managedBut(managed, left))
	after := p.Verdict
	var out outcome
	switch after.Action {
	case plan.Hold:
		p.record = p.record.PlanApplied()
		p.Assessment = plan.Assess(p.manifest(), p.record, p.seen, p.env) // the hash is another one now
		out = p.hold()
	case plan.Create, plan.Update:
		p.record.Approved = begun
		out = outcome{reason: v1alpha1.ReasonProgressing, after: pauseStale, message: "applying what could not be set at once: " + plan.List(left.Paths())}
	default:
		p.record = p.record.PlanApplied()
		out = outcome{reason: after.Reason, message: after.Message, after: after.After}
	}
	out.looked, out.drift = true, left
	if p.Policy.NotKnownYet() {
		out.after = plan.PauseSettles
	}
	out.done, out.written = p.deed(planned), planned.Changes.Paths()
	return out
}

// unapplied are the changes that are left after a write. A field that was reset, and shows another value than before, is at
// what Google gives it by default here, whatever we took that to be: an organization's policy may have a say in it.
func unapplied(planned, left diff.Changes, managed []string) diff.Changes {
	was := map[string]string{}
	for _, c := range planned {
		was[c.Path] = c.From
	}
	return slices.DeleteFunc(slices.Clone(left), func(c diff.Change) bool {
		from, reset := was[c.Path]
		return reset && from != c.From && !slices.Contains(managed, c.Path)
	})
}

// unmanaged are the paths of changes that the manifest does not set: what was to be reset and was not.
func unmanaged(changes diff.Changes, managed []string) []string {
	return slices.DeleteFunc(changes.Paths(), func(p string) bool { return p == plan.WholeResource || slices.Contains(managed, p) })
}

// managedBut are the fields that are managed, without those that still differ.
func managedBut(managed []string, left diff.Changes) []string {
	return slices.DeleteFunc(slices.Clone(managed), func(p string) bool { return left.Has(p) })
}

// deed names what a completed write was.
func (p *pass) deed(planned plan.Assessment) plan.Deed {
	name, paths := p.kind.ExternalName(p.env.Ref), plan.List(planned.Changes.Paths())
	switch {
	case planned.Undelete != "":
		return plan.Deed{Reason: "Undeleted", Message: "brought back " + name}
	case planned.Verdict.Action == plan.Create:
		return plan.Deed{Reason: "Created", Message: "created " + name}
	case !planned.Owned && !planned.Granting:
		return plan.Deed{Reason: "Adopted", Message: fmt.Sprintf("adopted %s and changed %s", name, paths)}
	case p.wasReady:
		return plan.Deed{Reason: "DriftCorrected", Message: "corrected " + paths}
	default:
		return plan.Deed{Reason: "Updated", Message: "changed " + paths}
	}
}
