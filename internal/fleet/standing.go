package fleet

import (
	"cmp"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// State is how a manifest stands, in one word. The values are part of what -o json prints.
type State string

// The states.
const (
	// Ready: Google Cloud matches the manifest.
	Ready State = "Ready"
	// Waiting: Holdfast waits, retries, or has not looked yet, and needs nobody.
	Waiting State = "Waiting"
	// Differing: Google Cloud differs from the manifest.
	Differing State = "Differing"
	// OnHold: a plan waits for approval.
	OnHold State = "OnHold"
	// Glass: the glass is broken, so that nothing is written.
	Glass State = "Glass"
	// Refused: it cannot become Ready until somebody acts.
	Refused State = "Refused"
)

// States are all states, in the order of their columns: the more a state needs somebody, the later it comes.
var States = []State{Ready, Waiting, Differing, Glass, OnHold, Refused}

// Reasons that stand beside those of the API.
const (
	// ReasonNotSeen: Holdfast has not looked at the manifest, or at its newest generation, yet.
	ReasonNotSeen = "NotSeen"
	// ReasonUnacknowledged: the annotation is set, and Holdfast has not acknowledged it yet: a write may still begin.
	ReasonUnacknowledged = "Unacknowledged"
)

// Standing is how a manifest stands, and why.
type Standing struct {
	State State
	// Reason is one of the API's reasons, or of those above.
	Reason string
	// Message is for people, in one line.
	Message string
	// Since is when it came to stand so; zero where nothing tells.
	Since time.Time
}

// holds are the reasons for which a plan waits for approval.
var holds = map[string]bool{
	v1alpha1.ReasonAwaitingApproval: true, v1alpha1.ReasonAwaitingAdoption: true, v1alpha1.ReasonDataLoss: true,
	v1alpha1.ReasonDestructionOnHold: true,
}

// StandingOf says how a manifest stands. The glass comes before everything else, for nothing is written while it is broken.
func StandingOf(obj v1alpha1.Object) Standing {
	status := obj.GetCommonStatus()
	if s, broken := underGlass(obj); broken {
		return s
	}
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return Standing{Waiting, ReasonNotSeen, "Holdfast has not looked at it yet", obj.GetCreationTimestamp().Time}
	case status.ObservedGeneration != obj.GetGeneration() && obj.GetDeletionTimestamp() != nil:
		return Standing{Waiting, ReasonNotSeen, "it is being deleted, and Holdfast has not looked at that yet", obj.GetDeletionTimestamp().Time}
	case status.ObservedGeneration != obj.GetGeneration():
		return Standing{Waiting, ReasonNotSeen, fmt.Sprintf("Holdfast has not looked at generation %d yet", obj.GetGeneration()), time.Time{}}
	}
	s := Standing{Ready, ready.Reason, ready.Message, ready.LastTransitionTime.Time}
	drifted := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionDrifted)
	isStalled := meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionStalled)
	switch {
	case isStalled && holds[ready.Reason]:
		s.State = OnHold
	case isStalled && ready.Reason != v1alpha1.ReasonDiffers:
		s.State = Refused
	case isStalled:
		s.State = Differing
	case drifted != nil && drifted.Status == metav1.ConditionTrue:
		s = Standing{Differing, drifted.Reason, drifted.Message, drifted.LastTransitionTime.Time}
	case ready.Status != metav1.ConditionTrue:
		s.State = Waiting
	}
	return s
}

// underGlass is how a manifest stands whose glass is broken, by its own annotation or by what the operator says.
func underGlass(obj v1alpha1.Object) (s Standing, broken bool) {
	status := obj.GetCommonStatus()
	reason, annotated := obj.GetAnnotations()[v1alpha1.BreakGlassAnnotation]
	told := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionBreakGlass)
	switch {
	case status.BreakGlass != nil && told != nil:
		message := told.Message
		if n := len(status.Drift); n > 0 {
			message += fmt.Sprintf("; Google Cloud differs in %s", count(n, "field"))
		}
		return Standing{Glass, told.Reason, message, status.BreakGlass.Since.Time}, true
	case annotated:
		by := cmp.Or(obj.GetAnnotations()[v1alpha1.BreakGlassByAnnotation], "an unrecorded user")
		message := fmt.Sprintf("opened by %s: %s; Holdfast has not acknowledged it yet", by, reason)
		return Standing{Glass, ReasonUnacknowledged, message, time.Time{}}, true
	}
	return Standing{}, false
}

// IsAcknowledged says whether the operator has told that the glass is broken and that no write is in flight.
func IsAcknowledged(obj v1alpha1.Object) bool {
	status := obj.GetCommonStatus()
	return status.BreakGlass != nil && meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionBreakGlass)
}

// IsSettled says whether the operator has nothing under way: it has looked at the newest generation and neither writes nor tries again.
func IsSettled(obj v1alpha1.Object) bool {
	status := obj.GetCommonStatus()
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || status.ObservedGeneration != obj.GetGeneration() {
		return false
	}
	return !meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReconciling) || ready.Reason == v1alpha1.ReasonAwaitingReference
}

// HasDrift says whether Google Cloud differs from the manifest, as the operator last saw it.
func HasDrift(obj v1alpha1.Object) bool {
	status := obj.GetCommonStatus()
	return meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionDrifted) || status.BreakGlass != nil && len(status.Drift) > 0
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
