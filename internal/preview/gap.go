package preview

import (
	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// Knowledge is what is known beside the manifests themselves and Google Cloud.
type Knowledge struct {
	// Records says that the statuses of manifests are what the operator remembers of them; without that nobody knows what was applied before.
	Records bool
	// Others says that the manifests and Namespaces of the whole cluster are known.
	Others bool
	// Operator says that it is known whom Google knows the operator as.
	Operator bool
	// Owner says that it is known by which name the installation marks what it owns.
	Owner bool
}

// Gap is something that is not known of a manifest and that may make its plan another one.
type Gap string

// What may be unknown of a manifest.
const (
	// GapRecord is of one whose resource is there.
	GapRecord Gap = "which fields and grants were applied before: what has left the manifest would be reset, or revoked"
	// GapOwned is of one whose resource is there and matches, or goes.
	GapOwned Gap = "whether the resource is the manifest's own already, and whether it was created or adopted"
	// GapOthers is of every one.
	GapOthers Gap = "manifests elsewhere: one of the same resource would be a conflict"
	// GapGlass is of every one.
	GapGlass Gap = "an open glass, which would put writes on hold"
	// GapBorn is of one whose resource is yet to be created, and whose policy is to have no other grants.
	GapBorn Gap = "what Google grants on a new resource by itself: with mode Authoritative that is removed, once it is approved, and what the manifest " +
		"grants waits with it"
	// GapAwaits is of one on hold whose policy removes grants, and refers to what is not there yet.
	GapAwaits Gap = "what is granted before: until all that the policy refers to is there it removes nothing, and grants without approval what it can"
)

// GapOperator is about the plan as a whole.
const GapOperator = "whom Google Cloud knows the operator as (--gcp-identity): what would lock it out or let somebody act as it is shown, though the " +
	"operator refuses it"

// GapOwner is about the plan as a whole.
const GapOwner = "the name by which the operator marks what it owns (--owner-id): whoever has marked a resource is taken for it"

// unknown is what is not known of a manifest.
func (k Knowledge) unknown(v Preview) []Gap {
	var out []Gap
	there := v.Seen.Fields.Exists || v.Kind.Shared() && v.Seen.Policy.Looked
	if !k.Records && there && !v.decided && v.before == nil {
		out = append(out, GapRecord)
	}
	if !k.Records && v.Seen.Fields.Exists && (v.Outcome.Effect == Adopt || v.Outcome.Hold == HoldAdoption || v.Verdict.Action == plan.Delete) {
		out = append(out, GapOwned)
	}
	if v.unborn() && v.Policy != nil && v.Policy.In.Mode == v1alpha1.IAMAuthoritative {
		out = append(out, GapBorn)
	}
	if v.awaits && v.Verdict.Action == plan.Hold && v.Policy != nil && v.Policy.In.Mode != v1alpha1.IAMAdditive {
		out = append(out, GapAwaits)
	}
	if !k.Others {
		out = append(out, GapOthers, GapGlass)
	}
	return out
}

// unborn says whether the resource would be created, now or once that is approved.
func (v *Preview) unborn() bool {
	return v.Kind.Fields != nil && !v.Seen.Fields.Exists && (v.Verdict.Action == plan.Create || v.Verdict.Action == plan.Hold)
}

// Whole is what is not known of the plan as a whole.
func (k Knowledge) Whole() []string {
	var out []string
	if !k.Operator {
		out = append(out, GapOperator)
	}
	if !k.Owner {
		out = append(out, GapOwner)
	}
	return out
}
