package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
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
		p.record = p.before // nothing was sent, and perhaps nothing stored
		return failed(updating, "recording what is about to be written", err)
	}
	fieldsErr := p.writeFields(ctx)
	p.noteUnrecorded()
	if p.isThereAfterAll(ctx, fieldsErr) {
		return p.readAfterAll(ctx)
	}
	var policyErr error
	if p.policyFollows(fieldsErr) {
		policyErr = p.writePolicy(ctx)
	}
	if policyErr == nil && !p.seen.Policy.Written {
		p.record = p.record.NotGranted(p.before)
	}
	if fieldsErr != nil || policyErr != nil {
		p.forgetUnsent()
		p.noteUnrecorded()
		p.doubtProjectAfter(ctx, cmp.Or(fieldsErr, policyErr))
	}
	return p.confirm(planned, fieldsErr, policyErr)
}

// saveAboutToWrite stores, before a write, what live cannot prove afterwards should the reply or this process be lost.
func (p *pass) saveAboutToWrite(ctx context.Context) error {
	p.record = p.Assessment.Record
	if p.ProvesItself(p.manifest(), p.before) && !mayBeTooLarge(p.obj) {
		p.recorded, p.unstored = true, true
		p.noteUnrecorded()
		return nil
	}
	if was := readyCondition(p.obj); p.Verdict.Action == plan.Create && (was == nil || was.Status == metav1.ConditionTrue) {
		setConditions(p.obj, outcome{reason: v1alpha1.ReasonProgressing, message: "creating the " + p.kind.Name, looked: true, drift: p.Changes})
	}
	if err := p.save(ctx); err != nil {
		return err
	}
	p.recorded = true
	return nil
}

// saveLast ends a pass, as draft.saveLast. Once the lease is lost another process may have stored something since the gate was passed.
func (p *pass) saveLast(ctx context.Context) error {
	if _, leads := p.gate.leads(); !leads {
		p.gatePassed = false
	}
	return p.draft.saveLast(ctx)
}

// noteUnrecorded keeps the record where it was not stored before the write.
func (p *pass) noteUnrecorded() {
	if p.unstored {
		p.unrecorded.note(p.obj, p.record)
	}
}

// saveWritten stores what a pass has learned of its own writes, or that they were not sent, though it was planned with an object that is not
// the newest. All else is to be found out again; and where nothing was stored before the write and nothing was sent, there is nothing to store
// but that an incident has ended an approval.
func (p *pass) saveWritten(ctx context.Context) error {
	unsent := p.unstored && !p.sent.fields && !p.sent.policy
	if !p.recorded || unsent && (p.record.Approved != nil || p.before.Approved == nil) {
		return nil
	}
	p.record.Requested = plan.RecordOf(p.stored.GetCommonStatus()).Requested
	return p.saveRecord(ctx)
}

// policyFollows says whether the policy is written whatever the write of the fields came to: it is a part of its own, if the resource is there
// and the manifest's business, and the gate would still let a write out.
func (p *pass) policyFollows(fieldsErr error) bool {
	there := p.kind.Fields == nil || p.seen.Fields.Exists && !p.seen.Fields.Foreign
	return there && !wasNotSent(fieldsErr)
}

// forgetUnsent takes back what was recorded as pending for a part of which nothing was sent, because the gate refused it or because it was
// not even tried.
func (p *pass) forgetUnsent() {
	p.record = p.record.NotSent(p.before, !p.sent.fields, !p.sent.policy)
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
	for i, write := range p.kind.Fields.Update(p.env.Ref, p.Fields.Want, p.Fields.Changes) {
		err := p.call(ctx, write)
		if i == 0 && !p.Owned && didNotHappen(err) { // nothing was adopted
			p.record = p.record.NotWritten(p.before)
		}
		if err != nil {
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
	if err != nil {
		return &unread{err}
	}
	p.seen.Fields = seen
	return nil
}

// unread is what a write ended with that was carried out, and whose result could not be taken in.
type unread struct{ error }

func (u *unread) Unwrap() error { return u.error }

// didNotHappen says whether a write that failed is known not to have been carried out.
func didNotHappen(err error) bool {
	var carriedOut *unread
	return err != nil && !errors.As(err, &carriedOut) && !gcp.IsUnavailable(err)
}

// behindGate does something to Google Cloud if the gate lets it, and remembers that and when. sent becomes true once it was let. A glass
// that broke since the object was read is taken note of.
//
// The resource counts as being written to from before the gate looks for the other manifests of it: a glass that is broken on one that was not
// there yet is not acknowledged before the write has ended.
func (p *pass) behindGate(ctx context.Context, name string, sent *bool, do func(context.Context) error) error {
	defer p.writes.enter(p.env.Ref, name)()
	target := p.Target
	target.ResourceVersion = p.version
	rivals, err := p.inventory.Rivals(ctx, p.kind, p.obj, p.env.Binding.Project)
	if err != nil {
		return &notSent{fmt.Errorf("no write without knowing the other manifests of the %s: %w", p.kind.Name, err)}
	}
	if err := p.mayDestroy(ctx); err != nil {
		return &notSent{err}
	}
	gated, cancel, err := p.gate.pass(ctx, p.obj, rivals, target, p.destroys() && p.isAllowed())
	var broken *glassBroken
	switch {
	case errors.As(err, &broken) && broken.rival != nil:
		p.heldByRival()
		return err
	case broken != nil:
		if failure := p.noticeGlass(ctx, breakglass.Seen{Glass: broken.glass, Now: p.now()}); failure != nil {
			return &notSent{failure}
		}
		return err
	case err != nil:
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
	p.writes.note(p.env.Ref, mark)
	if gcp.IsLimited(err) {
		return &notSent{err}
	}
	*sent = true
	return err
}
