package engine

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// outcome is what a pass came to. Conditions, event and next look follow from it, and from nothing else.
type outcome struct {
	// reason is one of the API's reasons of Ready; empty for a pass that has nothing to say.
	reason string
	// silent is why it has nothing to say, for the metrics. Default: the object was out of date.
	silent string
	// outOfLine says that what is left to be written needs no place in the line for Google's quotas.
	outOfLine bool
	// message says what is so, and what a person can do about it.
	message string
	// looked says that live was seen, so that drift is known.
	looked bool
	// drift is how live differs now.
	drift diff.Changes
	// unknown names the part that could not be looked at while the rest was; empty for none.
	unknown string
	// plan waits for approval; nil if none does.
	plan *v1alpha1.Plan
	// done is what was written or adopted, for the event; empty for nothing.
	done plan.Deed
	// written are the paths that a write brought to what the manifest says.
	written []string
	// err makes the pass be tried again with growing pauses.
	err error
	// after makes the pass be tried again after exactly that time.
	after time.Duration
	// by is when the pass is tried again at the latest; zero for the usual time.
	by time.Time
	// inFlight is a write that may still take effect though the glass is broken.
	inFlight flight
	// acknowledges says that the pass has nothing to say but that of the glass.
	acknowledges bool
	// settled says that there is nothing to do, and no cause to look.
	settled bool
	// gone says that the object is released and has no status any more.
	gone bool
}

// standing is how an object with a reason stands.
type standing int

const (
	atRest  standing = iota // nothing to do
	waiting                 // progresses without intervention
	stalled                 // a person has to act
)

// reasons are all reasons of Ready with how an object stands that has one, in the order of how much they need a person: of two parts of a
// resource, the one whose reason comes later is told first.
var reasons = []struct {
	reason string
	standing
}{
	{v1alpha1.ReasonUpToDate, atRest},

	{v1alpha1.ReasonAwaitingReference, waiting},
	{v1alpha1.ReasonProgressing, waiting},
	{v1alpha1.ReasonDeleting, waiting},
	{v1alpha1.ReasonThrottled, waiting},
	{v1alpha1.ReasonUnavailable, waiting},

	{v1alpha1.ReasonReferenceNotAllowed, stalled},
	{v1alpha1.ReasonAwaitingApproval, stalled},
	{v1alpha1.ReasonAwaitingAdoption, stalled},
	{v1alpha1.ReasonDataLoss, stalled},
	{v1alpha1.ReasonDestructionOnHold, stalled},
	{v1alpha1.ReasonDiffers, stalled},
	{v1alpha1.ReasonNotApplied, stalled},
	{v1alpha1.ReasonNotEmpty, stalled},
	{v1alpha1.ReasonQuotaExceeded, stalled},
	{v1alpha1.ReasonImmutable, stalled},
	{v1alpha1.ReasonInvalid, stalled},
	{v1alpha1.ReasonDenied, stalled},
	{v1alpha1.ReasonNotFound, stalled},
	{v1alpha1.ReasonProjectUnbound, stalled},
	{v1alpha1.ReasonProjectNotAllowed, stalled},
	{v1alpha1.ReasonBindingChanged, stalled},
	{v1alpha1.ReasonShardConflict, stalled},
	{v1alpha1.ReasonNotAllowed, stalled},
	{v1alpha1.ReasonConflict, stalled},
	{v1alpha1.ReasonTooLarge, stalled},
	{v1alpha1.ReasonBreakGlass, stalled},
}

// rank is where a reason is among the reasons.
func rank(reason string) int {
	for i, r := range reasons {
		if r.reason == reason {
			return i
		}
	}
	return -1
}

// standingOf is how an object stands that has a reason; at rest if it has none yet.
func standingOf(reason string) standing {
	if i := rank(reason); i >= 0 {
		return reasons[i].standing
	}
	return atRest
}

// conditions derives Ready, Reconciling and Stalled. keep is the Ready condition as it was: while the glass is broken it stays
// with a generation that was applied before, whatever becomes of the resource.
func (o outcome) conditions(keep *metav1.Condition, generation int64, glassBroken bool) (isReady, isReconciling, isStalled metav1.Condition) {
	reason, message := o.reason, o.message
	if glassBroken && standingOf(reason) != atRest && keep != nil && keep.ObservedGeneration == generation && keep.Status == metav1.ConditionTrue {
		return *keep, condition(v1alpha1.ConditionReconciling, false, "", ""), condition(v1alpha1.ConditionStalled, false, "", "")
	}
	s := standingOf(reason)
	return condition(v1alpha1.ConditionReady, s == atRest, reason, message),
		condition(v1alpha1.ConditionReconciling, s == waiting, reason, message),
		condition(v1alpha1.ConditionStalled, s == stalled, reason, message)
}

// drifted derives the condition Drifted.
func (o outcome) drifted() metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionDrifted}
	switch {
	case !o.looked:
		c.Status, c.Reason, c.Message = metav1.ConditionUnknown, v1alpha1.ReasonUnknown, "Google Cloud could not be looked at: "+o.message
	case len(o.drift) == 0 && o.unknown != "":
		c.Status, c.Reason, c.Message = metav1.ConditionUnknown, v1alpha1.ReasonUnknown, o.unknown+" could not be looked at: "+o.message
	case len(o.drift) == 0:
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, v1alpha1.ReasonInSync, "Google Cloud does not differ from the manifest"
	default:
		c.Status, c.Reason, c.Message = metav1.ConditionTrue, v1alpha1.ReasonDiffers, "Google Cloud differs in "+plan.List(o.drift.Paths())
	}
	return c
}

func condition(kind string, is bool, reason, message string) metav1.Condition {
	status := metav1.ConditionFalse
	if is {
		status = metav1.ConditionTrue
	}
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message}
}

// Pauses before the next look, where nothing more precise is known.
const (
	// pauseDenied: permissions are granted by people.
	pauseDenied = 5 * time.Minute
	// pauseThrottled, where Google does not say how long: its quotas are per minute.
	pauseThrottled = 30 * time.Second
	// pauseFailed, while the glass is broken: it has to close on time whatever fails.
	pauseFailed = 10 * time.Second
	// pauseStale: the cache catches up within moments.
	pauseStale = 200 * time.Millisecond
)
