package preview

import "github.com/holdfast-dev/holdfast/internal/plan"

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

// Unknown is something that is not known of a manifest and that may make its plan another one.
type Unknown string

// What may be unknown of a manifest.
const (
	// UnknownRecord is of one whose resource is there.
	UnknownRecord Unknown = "which fields and grants were applied before: what has left the manifest would be reset, or revoked"
	// UnknownOwned is of one whose resource is there and matches, or goes.
	UnknownOwned Unknown = "whether the resource is the manifest's own already, and whether it was created or adopted"
	// UnknownOthers is of every one.
	UnknownOthers Unknown = "manifests elsewhere: one of the same resource would be a conflict"
	// UnknownGlass is of every one.
	UnknownGlass Unknown = "an open glass, which would put writes on hold"
)

// UnknownOperator is about the plan as a whole.
const UnknownOperator = "whom Google Cloud knows the operator as (--gcp-identity): what would lock it out or let somebody act as it is shown, though the " +
	"operator refuses it"

// UnknownOwner is about the plan as a whole.
const UnknownOwner = "the name by which the operator marks what it owns (--owner-id): whoever has marked a resource is taken for it"

// unknown is what is not known of a manifest.
func (k Knowledge) unknown(v Preview) []Unknown {
	var out []Unknown
	there := v.Seen.Fields.Exists || v.Kind.Shared() && v.Seen.Policy.Looked
	if !k.Records && there && !v.decided && v.before == nil {
		out = append(out, UnknownRecord)
	}
	if !k.Records && v.Seen.Fields.Exists && (v.Outcome.Effect == Adopt || v.Outcome.Hold == HoldAdoption || v.Verdict.Action == plan.Delete) {
		out = append(out, UnknownOwned)
	}
	if !k.Others {
		out = append(out, UnknownOthers, UnknownGlass)
	}
	return out
}

// Whole is what is not known of the plan as a whole.
func (k Knowledge) Whole() []string {
	var out []string
	if !k.Operator {
		out = append(out, UnknownOperator)
	}
	if !k.Owner {
		out = append(out, UnknownOwner)
	}
	return out
}
