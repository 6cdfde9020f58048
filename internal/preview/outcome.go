package preview

import (
	"fmt"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// Effect is what applying would do, in a word.
type Effect string

// The effects.
const (
	// Create and Update: the changes would be written.
	Create Effect = "create"
	Update Effect = "update"
	// Adopt: the resource is there, nobody's, and as the manifest says. It becomes the manifest's own without a write.
	Adopt Effect = "adopt"
	// OnHold: the changes would be written once a person releases them.
	OnHold Effect = "on hold"
	// Refused: nothing would be written before somebody changes something.
	Refused Effect = "refused"
	// Nothing: there is nothing to do.
	Nothing Effect = "nothing"
	// Unknown: a look failed.
	Unknown Effect = "unknown"
	// Delete, Orphan and Revoke are for manifests that go: the resource is deleted, or left where it is, or what was granted is revoked.
	Delete Effect = "delete"
	Orphan Effect = "orphan"
	Revoke Effect = "revoke"
)

// Effects are all effects, in the order in which they are counted to people.
var Effects = []Effect{Create, Update, Adopt, Delete, Orphan, Revoke, OnHold, Refused, Unknown, Nothing}

// Hold says what a plan waits for.
type Hold string

// The holds.
const (
	HoldAdoption   Hold = "adoption"
	HoldApproval   Hold = "approval"
	HoldDataLoss   Hold = "data loss"
	HoldBreakGlass Hold = "break-glass"
)

// Outcome is what an assessment comes to.
type Outcome struct {
	// Effect is what would be done.
	Effect Effect
	// Reason is the reason that Ready would have, one of the API's; empty where something would be done, or has failed.
	Reason string
	// Message says what is so, and what a person can do about it; empty where the changes say all.
	Message string
	// Hold says what the plan waits for, and Release what releases it; both are empty unless the effect is OnHold.
	Hold    Hold
	Release string
	// Hash is what to approve; empty where an approval releases nothing, or the hash will be another one once the manifest is applied.
	Hash string
}

// outcomeOf is what an assessment comes to: it follows from the assessment, the environment, what was seen, and the names of the manifest.
func outcomeOf(v Preview) Outcome {
	verdict := v.Verdict
	out := Outcome{Effect: Nothing, Reason: verdict.Reason, Message: verdict.Message}
	switch verdict.Action {
	case plan.Create, plan.Update:
		out.Effect, out.Message = effects[verdict.Action], v.remarks()
	case plan.Hold:
		out = v.onHold(out)
	case plan.Delete:
		out.Effect, out.Message = Delete, "spec.deletionPolicy is "+string(v.Object.GetCommonSpec().DeletionPolicy)
	case plan.Revoke:
		out.Effect = Revoke
		if !v.Policy.Writes() {
			out.Effect, out.Message = Orphan, "nothing that the manifest granted is left to revoke"
		}
	case plan.Release, plan.Unmark:
		out.Effect, out.Message = v.released()
	default:
		out = v.left(out)
	}
	return out
}

var effects = map[plan.Action]Effect{plan.Create: Create, plan.Update: Update}

// left is the outcome where nothing is to be written now.
func (v *Preview) left(out Outcome) Outcome {
	if err := v.Verdict.Err; err != nil {
		out.Effect, out.Message = Unknown, v.Verdict.Doing+": "+err.Explain(v.Environment.Binding.Project, v.account)
		if v.Verdict.Message != "" {
			out.Message = v.Verdict.Message
		}
		return out
	}
	switch out.Reason {
	case v1alpha1.ReasonUpToDate:
		if v.adopts() {
			out.Effect = Adopt
		}
		if out.Reason = ""; out.Message == plan.UpToDate {
			out.Message = ""
		}
	case v1alpha1.ReasonAwaitingReference, v1alpha1.ReasonNotApplied, v1alpha1.ReasonDiffers, v1alpha1.ReasonDeleting:
		// which is said, and needs nobody
	case v1alpha1.ReasonBreakGlass:
		out.Effect, out.Hold, out.Release = OnHold, HoldBreakGlass, "closing the glass"
	case v1alpha1.ReasonProgressing:
		out.Effect = Unknown
	default:
		out.Effect = Refused
	}
	return out
}

// adopts says whether the resource would become the manifest's own that was not before.
func (v *Preview) adopts() bool {
	return !v.Kind.Shared() && v.Seen.Fields.Exists && !v.Owned &&
		v.Environment.Limits.Management(v.Object.GetCommonSpec().Management) != v1alpha1.ManagementObserve
}

// onHold is the outcome of a plan that waits for a person.
func (v *Preview) onHold(out Outcome) Outcome {
	out.Effect, out.Hold, out.Release = OnHold, HoldApproval, "an approval"
	switch out.Reason {
	case v1alpha1.ReasonAwaitingAdoption:
		out.Hold, out.Release = HoldAdoption, "an approval, or spec.adoption: Always"
	case v1alpha1.ReasonDataLoss:
		out.Hold = HoldDataLoss
	}
	if v.Object.GetUID() != "" {
		out.Hash = v.Hash
		out.Release += fmt.Sprintf(": kubectl annotate -n %s %s %s %s=%s", v.Object.GetNamespace(), v.Kind.Argument(), v.Object.GetName(),
			v1alpha1.ApproveAnnotation, v.Hash)
	}
	return out
}

// released is the outcome for a manifest that goes and leaves the resource where it is.
func (v *Preview) released() (Effect, string) {
	deed := v.Verdict.Deed
	if deed.Reason != "Orphaned" && !v.Seen.Fields.Exists {
		return Nothing, deed.Message
	}
	if v.Verdict.Action == plan.Unmark {
		return Orphan, deed.Message + "; its ownership labels are removed"
	}
	return Orphan, deed.Message
}

// remarks are what is to be said of changes that would be written beside the changes.
func (v *Preview) remarks() string {
	var said []string
	exists := v.Kind.Shared() || v.Seen.Fields.Exists
	switch {
	case v.Undelete != "":
		said = append(said, "it was deleted and is brought back; what differs then follows")
	case exists && !v.Owned && !v.Kind.Shared():
		said = append(said, "adopts the "+v.Kind.Name+", which already exists")
	case !exists && v.Fields != nil:
		for _, c := range v.Fields.Changes {
			if why := v.Kind.FieldTraits.Hold(c); why != "" {
				said = append(said, c.Path+" is left out and waits for approval then: "+why)
			}
		}
	}
	if err := v.Seen.Policy.Err; err != nil {
		said = append(said, plan.ReadingPolicy(v.Kind)+": "+err.Explain(v.Environment.Binding.Project, v.account))
	}
	for _, more := range []string{v.Policy.Unwritable(), v.Policy.NotAllowed(), waiting(v.Policy.Waits())} {
		if more != "" {
			said = append(said, more)
		}
	}
	return strings.Join(said, "; ")
}

func waiting(what string) string {
	if what == "" {
		return ""
	}
	return "what is granted to others follows: waiting for " + what
}

// Failed says whether something could not be looked at.
func (v *Preview) Failed() bool {
	return v.Outcome.Effect == Unknown || v.Seen.Fields.Err != nil || v.Seen.Policy.Err != nil && v.Verdict.Action.Writes()
}

// Shown are the changes to show for the outcome: what would be written, or waits, or is refused, or differs.
func (v *Preview) Shown() (shown []Change) {
	changes := v.Plan
	if v.Outcome.Effect == Orphan || v.Outcome.Effect == Unknown {
		changes = nil
	}
	for _, c := range plan.DangerousFirst(v.Kind, changes) {
		shown = append(shown, Change{Change: c, Dangerous: plan.IsDangerous(v.Kind, c)})
	}
	return shown
}
