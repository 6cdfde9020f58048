package engine

import (
	"errors"
	"fmt"
	"slices"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// confirm says what a write came to, by what the last answers showed.
func (p *pass) confirm(planned plan.Assessment, fieldsErr, policyErr error) outcome {
	wasThere := planned.Verdict.Action != plan.Create
	if p.sent.fields && p.seen.Fields.Exists && (fieldsErr == nil || !wasThere) { // it is the manifest's own, whatever follows
		p.record = p.record.Identified(p.env, p.seen.Fields.Live)
	}
	p.reassess()
	p.show()
	left := unapplied(planned.Changes, p.Changes, slices.Concat(p.managed(), p.Policy.Changes().Paths()), p.kind.FieldTraits)
	p.record.Approved = plan.StillApproved(p.record.Approved, p.applied(planned), p.kind.FieldTraits)
	if fieldsErr == nil && policyErr == nil {
		return p.confirmApplied(planned, wasThere, left)
	}
	return p.confirmParts(planned, fieldsErr, policyErr, left)
}

// applied are the changes of a plan that were sent, and that are seen to be made.
func (p *pass) applied(planned plan.Assessment) diff.Changes {
	made := func(of, left diff.Changes) diff.Changes {
		return slices.DeleteFunc(slices.Clone(of), func(c diff.Change) bool { return left.Has(c.Path) })
	}
	var all diff.Changes
	if p.sent.fields && planned.Fields != nil && p.Fields != nil {
		all = append(all, made(planned.Fields.Changes, p.Fields.Changes)...)
	}
	if p.seen.Policy.Written && p.Policy != nil {
		all = append(all, made(planned.Policy.Changes(), p.Policy.Changes())...)
	}
	return all
}

// confirmParts says what a write came to of which a part failed.
func (p *pass) confirmParts(planned plan.Assessment, fieldsErr, policyErr error, left diff.Changes) outcome {
	fields := outcome{reason: v1alpha1.ReasonUpToDate}
	switch {
	case fieldsErr != nil:
		what := updating
		if planned.Verdict.Action == plan.Create {
			what = creating
		}
		fields = p.answered(what, writing, fieldsErr)
	case p.Fields != nil && p.sent.fields:
		begun := p.record.Approved
		p.record = p.record.Owns(p.manifest(), p.env, p.seen, p.stillApplied(left))
		p.record.Approved = begun // for what is left
		fields.done, fields.written = p.deed(planned, planned.Fields.Changes), planned.Fields.Changes.Paths()
		if p.differs() {
			fields.reason, fields.message = v1alpha1.ReasonNotApplied, stillDiffers(p.Fields.Changes)
		}
	}
	policy := outcome{reason: v1alpha1.ReasonUpToDate}
	if policyErr != nil {
		policy = p.answered(updating, writing, policyErr)
		if p.seen.Policy.Err != nil {
			policy = p.answered(reading, plan.ReadingPolicy(p.kind), policyErr)
			policy.unknown = "the IAM policy"
		}
	} else if p.Policy != nil && p.sent.policy {
		p.record = p.record.OwnsGrants(p.manifest(), p.Policy)
		policy.done, policy.written = p.deed(planned, planned.Policy.Changes()), planned.Policy.Changes().Paths()
	}
	fields.looked, fields.drift = true, left
	return combine(fields, policy)
}

// confirmApplied says what a write came to of which nothing failed.
func (p *pass) confirmApplied(planned plan.Assessment, wasThere bool, left diff.Changes) outcome {
	p.record = p.record.OwnsGrants(p.manifest(), p.Policy)
	ofPolicy := p.Policy != nil && !p.differs() &&
		(len(p.Policy.Changes()) > 0 || p.Policy.Waits() != "" || p.Policy.NotAllowed() != "" || p.Policy.StoredOtherwise() != "")
	if !wasThere && len(left) > 0 || ofPolicy {
		return p.appliedInPart(planned, left)
	}
	p.record = p.record.PlanApplied()
	if len(left) > 0 {
		p.record = p.record.Owns(p.manifest(), p.env, p.seen, p.stillApplied(left))
		return outcome{reason: v1alpha1.ReasonNotApplied, message: stillDiffers(left), looked: true, drift: left}
	}
	p.record = p.record.Owns(p.manifest(), p.env, p.seen, p.managed())
	return outcome{
		reason: v1alpha1.ReasonUpToDate, message: p.UpToDate(), looked: true,
		done: p.deed(planned, planned.Changes), written: planned.Changes.Paths(),
	}
}

func stillDiffers(left diff.Changes) string {
	return "Google Cloud accepted the write and still differs in " + plan.List(left.Paths())
}

// differs says whether the fields differ.
func (p *pass) differs() bool { return p.Fields != nil && len(p.Fields.Changes) > 0 }

// appliedInPart says what a write came to that left something out. A create leaves out what waits for an approval of its own,
// such as a lock; a write of a policy, members that Google rejected or that are not known yet.
func (p *pass) appliedInPart(planned plan.Assessment, left diff.Changes) outcome {
	begun := p.record.Approved
	p.record = p.record.Owns(p.manifest(), p.env, p.seen, managedBut(p.managed(), left))
	written := slices.DeleteFunc(slices.Clone(planned.Changes), func(c diff.Change) bool { return left.Has(c.Path) })
	wrote := p.sent.fields || p.seen.Policy.Written
	if wrote && !p.Verdict.Action.Writes() {
		p.record = p.record.PlanApplied()
	}
	after := p.Verdict
	var out outcome
	switch after.Action {
	case plan.Hold:
		p.reassess() // the hash is another one now
		out = p.hold()
	case plan.Create, plan.Update:
		p.record.Approved = begun
		if p.seen.Policy.Written && !p.differs() { // which no further write of the same will change: not at once, nor for ever
			message := stillDiffers(left)
			out = outcome{reason: v1alpha1.ReasonNotApplied, message: message, err: errors.New(message)}
			break
		}
		message := "applying what could not be set at once: " + plan.List(left.Paths())
		out = outcome{reason: v1alpha1.ReasonProgressing, message: message, err: errors.New(message)}
	default:
		if len(p.Policy.Changes()) > 0 { // which will be tried again, under the same approval
			p.record.Approved = begun
		}
		out = outcome{reason: after.Reason, message: after.Message, after: after.After}
	}
	out.looked, out.drift = true, left
	if retry := p.Policy.RetryUnseen(p.now()); retry > 0 {
		out.after = retry
	}
	if wrote {
		out.done, out.written = p.deed(planned, written), written.Paths()
	}
	return out
}

// unapplied are the changes that are left after a write. A field that was reset, and shows another value than before, is at
// what Google gives it by default here, whatever we took that to be; and so is one that shows the same, if an organization can set its default.
func unapplied(planned, left diff.Changes, managed []string, fields diff.Fields) diff.Changes {
	was := map[string]string{}
	for _, c := range planned {
		was[c.Path] = c.From
	}
	return slices.DeleteFunc(slices.Clone(left), func(c diff.Change) bool {
		from, reset := was[c.Path]
		return reset && (from != c.From || fields.Inherited(c.Path)) && !slices.Contains(managed, c.Path)
	})
}

// stillApplied are the fields to remember as applied after a write that left something: without those that the manifest sets and that still
// differ, and with those that were to be reset and were not.
func (p *pass) stillApplied(left diff.Changes) []string {
	left = slices.DeleteFunc(slices.Clone(left), func(c diff.Change) bool { return !p.ofFields(c) })
	return append(managedBut(p.managed(), left), unmanaged(left, p.managed())...)
}

// ofFields says whether a change is one of the fields, and not of the IAM policy.
func (p *pass) ofFields(c diff.Change) bool { return p.Fields != nil && p.Fields.Changes.Has(c.Path) }

// unmanaged are the paths of changes that the manifest does not set: what was to be reset and was not.
func unmanaged(changes diff.Changes, managed []string) []string {
	return slices.DeleteFunc(changes.Paths(), func(p string) bool { return p == plan.WholeResource || slices.Contains(managed, p) })
}

// managedBut are the fields that are managed, without those that still differ.
func managedBut(managed []string, left diff.Changes) []string {
	return slices.DeleteFunc(slices.Clone(managed), func(p string) bool { return left.Has(p) })
}

// deed names what a completed write of changes was.
func (p *pass) deed(planned plan.Assessment, written diff.Changes) plan.Deed {
	name, paths := p.kind.ExternalName(p.env.Ref), plan.List(written.Paths())
	switch {
	case planned.Undelete != "":
		return plan.Deed{Reason: "Undeleted", Message: "brought back " + name}
	case planned.Verdict.Action == plan.Create:
		return plan.Deed{Reason: "Created", Message: "created " + name}
	case !planned.Owned && !planned.Granting:
		return plan.Deed{Reason: "Adopted", Message: fmt.Sprintf("adopted %s and changed %s", name, paths)}
	case p.wasReady || p.circuit.wasReady(p.obj):
		return plan.Deed{Reason: "DriftCorrected", Message: "corrected " + paths}
	default:
		return plan.Deed{Reason: "Updated", Message: "changed " + paths}
	}
}
