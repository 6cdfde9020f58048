package preview

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// whoeverPlans is whom messages ask to grant something to where the operator has not made the call.
const whoeverPlans = "the account that this plan is made as"

// deletionsTake is for how long a deletion may wait for other manifests to take something over. Its preview says what follows then.
const deletionsTake = time.Hour

// locate says which resource a manifest means and what else matters to it, and decides what is decided without a look.
func (p *Previewer) locate(ctx context.Context, m plan.Manifest) (Preview, error) {
	v := Preview{Kind: m.Kind, Object: m.Object}
	annotations, err := p.Inventory.Source.Namespace(ctx, m.Object.GetNamespace())
	if err != nil {
		return v, fmt.Errorf("%s: reading the Namespace: %w", v.name(), err)
	}
	v.Environment = p.Inventory.Locate(m.Kind, m.Object, annotations)
	e := &v.Environment
	if e.Refusal == nil || v.deleting() { // one that goes has to hand over what it granted, wherever that was
		if err := p.Inventory.Relate(ctx, m.Kind, m.Object, e); err != nil {
			return v, fmt.Errorf("%s: %w", v.name(), err)
		}
	}
	if v.deleting() {
		e.Now = e.Now.Add(deletionsTake)
	}
	if p.AsOurselves {
		e.Ref.Impersonate, v.account = "", whoeverPlans
	}
	v.recall(p)
	if verdict := plan.AssessUnobserved(m, v.record, *e); verdict != nil {
		v.Verdict, v.decided = *verdict, true
		return v, nil
	}
	if m.Kind.Principal != nil || plan.MentionsPolicy(m, v.record) {
		e.Self = p.self(ctx, e.Binding.Impersonate)
	}
	return v, nil
}

// recall brings the record: what the operator remembers, or, where nothing is remembered, what it would once the manifest that was there
// before is applied. Of that no more is known before a look than that it mentions the policy.
func (v *Preview) recall(p *Previewer) {
	e := v.Environment
	v.record = plan.RecordOf(v.Object.GetCommonStatus()).Asked(v.Object)
	if e.Refusal == nil {
		v.record = v.record.In(e.Ref.Project)
	}
	v.record = v.record.PassedOn(v.manifest(), e)
	if p.Before == nil || v.record.Bound() {
		return
	}
	if v.before = p.Before(v.manifest()); v.before != nil && mentionsPolicy(v.Kind, *v) {
		v.record.Policy.Known = true
	}
}

func mentionsPolicy(k kind.Kind, v Preview) bool {
	return plan.MentionsPolicy(plan.Manifest{Kind: k, Object: v.before}, plan.Record{})
}

func (p *Previewer) self(ctx context.Context, impersonate string) iampolicy.Self {
	if p.Self == nil {
		return iampolicy.Self{Incomplete: true}
	}
	return p.Self(ctx, impersonate)
}

func (v *Preview) name() string {
	return fmt.Sprintf("%s %s/%s", v.Kind.Kind, v.Object.GetNamespace(), v.Object.GetName())
}
