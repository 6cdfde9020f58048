package engine

import (
	"fmt"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// leave ends a pass that has nothing to write.
func (p *pass) leave() outcome {
	v := p.Verdict
	if v.Doubtful && p.wasReady && !p.glassMatters() { // whose acknowledgement people wait for
		return outcome{after: v.After}
	}
	out := outcome{reason: v.Reason, message: v.Message, after: v.After}
	if v.Err != nil && v.Reason == "" {
		if out = p.answered(reading, v.Doing, v.Err); p.deleting() {
			out = p.orLetGo(out)
		}
	}
	if v.Blind || p.seen.Fields.Foreign {
		if p.seen.Fields.Foreign {
			p.show()
		}
		return out
	}
	out.looked, out.drift = true, p.Changes
	p.mentionPolicy(&out)
	if p.deleting() {
		return out
	}
	p.show()
	if p.Applied {
		out.done, p.record = p.adopted(), p.Assessment.Record
	}
	return out
}

// adopted tells that a resource was adopted which the manifest did not own before.
func (p *pass) adopted() plan.Deed {
	if p.Owned || p.kind.Shared() && p.Granting {
		return plan.Deed{}
	}
	message := "adopted " + p.kind.ExternalName(p.env.Ref) + ", which matches; nothing was written"
	if unmanaged := p.obj.GetCommonStatus().Unmanaged; len(unmanaged) > 0 {
		paths := make([]string, len(unmanaged))
		for i, u := range unmanaged {
			paths[i] = u.Path
		}
		message += "; present and not managed: " + plan.List(paths)
	}
	if others := p.Policy.NotOwned(); others != "" {
		message += "; " + others
	}
	return plan.Deed{Reason: "Adopted", Message: message}
}

// mentionPolicy says of a pass that looked at the fields alone that the policy could not be read, and why.
func (p *pass) mentionPolicy(out *outcome) {
	err := p.seen.Policy.Err
	if err == nil {
		return
	}
	out.unknown = "the IAM policy"
	if p.Verdict.Err == nil {
		policy := p.answered(reading, plan.ReadingPolicy(p.kind), err)
		out.message += "; besides, " + policy.message
		out.after = soonest(out.after, policy.after)
	}
}

// managed are the fields that the manifest manages.
func (p *pass) managed() []string {
	if p.Fields == nil {
		return nil
	}
	return p.Fields.Managed
}

func (p *pass) observesOnly() bool {
	return p.env.Limits.Management(p.obj.GetCommonSpec().Management) == v1alpha1.ManagementObserve
}

// hold ends a pass whose plan waits for approval.
func (p *pass) hold() outcome {
	m := p.manifest()
	waiting, why := m.Show(p.Assessment), p.Verdict.Message
	if unshown := m.Unshown(p.Plan); unshown != "" {
		why += ". " + unshown
	}
	message := fmt.Sprintf("%s. To approve: kubectl annotate --overwrite -n %s %s %s %s=%s", why,
		p.obj.GetNamespace(), p.kind.Argument(), p.obj.GetName(), v1alpha1.ApproveAnnotation, waiting.Hash)
	if p.deleting() {
		message += ". " + plan.LettingGo(m)
	}
	p.show()
	out := outcome{reason: p.Verdict.Reason, message: message, looked: true, drift: p.Changes, plan: waiting}
	p.mentionPolicy(&out)
	return out
}
