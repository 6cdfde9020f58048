package engine

import (
	"fmt"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// leave ends a pass that has nothing to write.
func (p *pass) leave() outcome {
	v := p.Verdict
	out := outcome{reason: v.Reason, message: v.Message, after: v.After}
	if v.Err != nil {
		out = failed(v.Doing, v.Err)
	}
	if v.Blind || p.seen.Fields.Foreign {
		if p.seen.Fields.Foreign {
			p.show()
		}
		return out
	}
	out.looked, out.drift = true, p.Changes
	if v.Err != nil {
		out.unknown = "the IAM policy"
	}
	if p.deleting() {
		return out
	}
	p.show()
	if p.applied() && !p.observesOnly() {
		out.done = p.own()
	}
	return out
}

// applied says whether all that can be applied of what was looked at is.
func (p *pass) applied() bool {
	switch p.Verdict.Reason {
	case v1alpha1.ReasonUpToDate, v1alpha1.ReasonAwaitingReference, v1alpha1.ReasonReferenceNotAllowed:
		return true
	default: // what failed is the policy's part: the fields were compared, and match
		return p.Verdict.Err != nil && p.Owned
	}
}

// own records that the manifest owns the resource as it is.
func (p *pass) own() (adopted plan.Deed) {
	if !p.Owned && !(p.kind.Shared() && p.Granting) {
		adopted = plan.Deed{Reason: "Adopted", Message: "adopted " + p.kind.ExternalName(p.env.Ref) + ", which matches; nothing was written"}
	}
	if p.record.Approved != nil { // it was applied, though its reply was lost
		p.record = p.record.PlanApplied()
	}
	p.record = p.record.Owns(p.manifest(), p.env, p.seen, p.managed()).OwnsGrants(p.manifest(), p.Policy)
	return adopted
}

// managed are the fields that the manifest manages.
func (p *pass) managed() []string {
	if p.Fields == nil {
		return nil
	}
	return p.Fields.Managed
}

func (p *pass) observesOnly() bool {
	return p.obj.GetCommonSpec().Management == v1alpha1.ManagementObserve
}

// hold ends a pass whose plan waits for approval.
func (p *pass) hold() outcome {
	waiting := p.Show()
	message := fmt.Sprintf("%s. To approve: kubectl annotate --overwrite -n %s %s %s %s=%s", p.Verdict.Message,
		p.obj.GetNamespace(), resourceArgument(p.kind), p.obj.GetName(), v1alpha1.ApproveAnnotation, waiting.Hash)
	p.show()
	return outcome{reason: p.Verdict.Reason, message: message, looked: true, drift: p.Changes, plan: waiting}
}
