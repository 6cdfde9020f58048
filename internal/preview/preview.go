// Package preview says what applying manifests would do in Google Cloud, without doing it. It takes an object's way as the operator does,
// through the same inventory, the same looks and the same plan.Assess, and ends where the operator would write.
package preview

import (
	"context"
	"fmt"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/observe"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// Previewer looks at Google Cloud and plans.
type Previewer struct {
	// Inventory has the manifests and Namespaces as they would be once all is applied.
	Inventory *inventory.Inventory
	// Numbers knows the numbers of projects.
	Numbers observe.Numbers
	// Self is whom Google knows the operator as when it acts as a service account (empty: as itself).
	Self func(ctx context.Context, impersonate string) iampolicy.Self
}

// Preview is what applying one manifest would do.
type Preview struct {
	Kind   kind.Kind
	Object v1alpha1.Object
	// Environment and Seen are what the assessment was made from.
	Environment plan.Environment
	Seen        plan.Observation
	plan.Assessment
}

// One previews a manifest by reading its resource. An error says that the inventory could not answer; what Google answered is in the
// assessment.
func (p *Previewer) One(ctx context.Context, k kind.Kind, obj v1alpha1.Object) (Preview, error) {
	out := Preview{Kind: k, Object: obj}
	var err error
	if out.Environment, err = p.Inventory.Environment(ctx, k, obj); err != nil {
		return out, fmt.Errorf("%s %s/%s: %w", k.Kind, obj.GetNamespace(), obj.GetName(), err)
	}
	m, record := plan.Manifest{Kind: k, Object: obj}, plan.RecordOf(obj.GetCommonStatus()).In(out.Environment.Ref.Project)
	if verdict := plan.AssessUnobserved(m, record, out.Environment); verdict != nil {
		out.Verdict = *verdict
		return out, nil
	}
	out.Environment.Self = p.Self(ctx, out.Environment.Ref.Impersonate)
	if k.Fields != nil {
		out.Seen.Fields = observe.Fields(ctx, k, out.Environment.Ref, record, p.Numbers)
	}
	if plan.MentionsPolicy(m, record) {
		out.Seen.Policy = observe.Policy(ctx, k, out.Environment.Ref, out.Seen.Fields)
	}
	out.Assessment = plan.Assess(m, record, out.Seen, out.Environment)
	return out, nil
}
