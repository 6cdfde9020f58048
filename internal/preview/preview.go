// Package preview says what applying manifests would do in Google Cloud, without doing it. It takes an object's way as the operator does,
// through the same inventory, the same looks and the same plan.Assess, and ends where the operator would write.
//
//	locate     which resource a manifest means, and what is decided without a look (locate.go)
//	look       at the resources, by lists where that is less (look.go)
//	expect     what manifests refer to that others of them would bring about (expect.go)
//	assess     what would be done (this file), and what that is called (outcome.go)
package preview

import (
	"context"

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
	// ShutDown says whether a project's deletion was requested, as gcp.Clients does; nil if nobody is to be asked.
	ShutDown func(ctx context.Context, impersonate, projectID string) (bool, error)
	// Self is whom Google knows the operator as when it acts as a service account (empty: as itself).
	Self func(ctx context.Context, impersonate string) iampolicy.Self
	// AsOurselves looks at everything as whoever plans. Otherwise the service accounts are acted as that Namespaces name.
	AsOurselves bool
	// Knows is what the inventory has.
	Knows Knowledge
	// Before is what was applied before, for manifests without a status that says so: all fields and grants of what it returns count as
	// applied. It returns nil for a manifest that is new. The function is nil where nobody knows.
	Before func(m plan.Manifest) v1alpha1.Object
}

// Preview is what applying one manifest would do.
type Preview struct {
	Kind   kind.Kind
	Object v1alpha1.Object
	// Environment and Seen are what the assessment was made from.
	Environment plan.Environment
	Seen        plan.Observation
	plan.Assessment
	// Outcome is what the assessment comes to, for people.
	Outcome Outcome
	// Unknown is what is not known that may make it another.
	Unknown []Gap

	record  plan.Record
	before  v1alpha1.Object
	decided bool
	// awaits says that it refers to what no status says to be there yet.
	awaits  bool
	account string // whom the looks were made as, for messages; empty for Holdfast
}

// One previews a manifest by reading its resource. An error says that the inventory could not answer; what Google answered is in the
// assessment.
func (p *Previewer) One(ctx context.Context, k kind.Kind, obj v1alpha1.Object) (Preview, error) {
	all, err := p.All(ctx, []plan.Manifest{{Kind: k, Object: obj}}, nil)
	if err != nil {
		return Preview{Kind: k, Object: obj}, err
	}
	return all[0], nil
}

// All previews manifests, in their order. Resources are listed by project where that takes fewer calls than to read them. An error says that
// the inventory could not answer, or that the context has ended. Progress, unless it is nil, is told how many of the resources were looked at;
// never twice at once.
func (p *Previewer) All(ctx context.Context, manifests []plan.Manifest, progress func(done, total int)) ([]Preview, error) {
	previews := make([]Preview, 0, len(manifests))
	for _, m := range manifests {
		preview, err := p.locate(ctx, m)
		if err != nil {
			return nil, err
		}
		previews = append(previews, preview)
	}
	p.look(ctx, previews, progress)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !p.Knows.Owner {
		takeOwners(previews)
	}
	p.expect(previews)
	for i := range previews {
		previews[i].assess()
		previews[i].Outcome = outcomeOf(previews[i])
		previews[i].Unknown = p.Knows.unknown(previews[i])
	}
	return previews, nil
}

func (v *Preview) manifest() plan.Manifest { return plan.Manifest{Kind: v.Kind, Object: v.Object} }

func (v *Preview) deleting() bool { return !v.Object.GetDeletionTimestamp().IsZero() }

// assess says what would be done, with what is known now.
func (v *Preview) assess() {
	if v.decided {
		return
	}
	if v.before != nil {
		v.record = v.recordOfBefore()
	}
	v.Assessment = plan.Assess(v.manifest(), v.record, v.Seen, v.Environment)
}

// takeOwners takes whoever has marked a resource for the installation that is planned for.
func takeOwners(previews []Preview) {
	for i := range previews {
		v := &previews[i]
		if owner := v.Seen.Fields.Live.Identity.Labels[v1alpha1.OwnerLabel]; owner != "" && v.Environment.Ref.Ownership != nil {
			v.Environment.Ref.Ownership[v1alpha1.OwnerLabel] = owner
		}
	}
}

// recordOfBefore is the record once the manifest that was there before is applied, if the resource is there.
func (v *Preview) recordOfBefore() plan.Record {
	before := plan.Manifest{Kind: v.Kind, Object: v.before}
	was := plan.Assess(before, plan.Record{}, v.Seen, v.Environment)
	if v.Kind.Fields != nil && !v.Seen.Fields.Exists {
		return plan.Record{}
	}
	var managed []string
	if was.Fields != nil {
		managed = was.Fields.Managed
	}
	record := plan.Record{}.Created(v.Environment).Owns(before, v.Environment, v.Seen, managed)
	if policy := was.Policy; policy != nil {
		record.Policy = plan.PolicyRecord{
			Known: true, Mode: policy.In.Mode, RevokedMode: policy.In.Mode, Grants: policy.In.Wanted,
		}
		for _, audit := range policy.In.AuditConfigs {
			record.Policy.AuditServices = append(record.Policy.AuditServices, audit.Service)
		}
	}
	return record
}
