package breaker

import (
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// LongestAllowance is how far ahead an allowance may end.
const LongestAllowance = 24 * time.Hour

// skew is by how much the clocks of the API server, which checks the same, and of this process may differ.
const skew = time.Minute

// allowance are the annotations of a Namespace that make one.
var allowance = []string{v1alpha1.AllowDestructiveUntilAnnotation, v1alpha1.AllowDestructiveByAnnotation}

// Allowed says whether the annotations of a Namespace let everything through.
func Allowed(annotations map[string]string, now time.Time) bool {
	until, err := time.Parse(time.RFC3339, annotations[v1alpha1.AllowDestructiveUntilAnnotation])
	return err == nil && now.Before(until) && !until.After(now.Add(LongestAllowance+skew))
}

// Until is how long an allowance lasts from now on; 0 if there is none.
func Until(annotations map[string]string, now time.Time) time.Duration {
	until, err := time.Parse(time.RFC3339, annotations[v1alpha1.AllowDestructiveUntilAnnotation])
	if err != nil || !Allowed(annotations, now) {
		return 0
	}
	return until.Sub(now)
}

// Kept returns those of a Namespace's annotations that the operator must co-own, so that no GitOps tool takes them away.
func Kept(annotations map[string]string) map[string]string {
	out := map[string]string{}
	for _, key := range allowance {
		if value, there := annotations[key]; there {
			out[key] = value
		}
	}
	return out
}

// Clear returns what the operator must change in the annotations of a Namespace: nil values remove. It removes an allowance that is over, or that
// is none, such as one without a time or for longer than there is; it is empty if there is nothing to do.
func Clear(annotations map[string]string, now time.Time) map[string]any {
	out := map[string]any{}
	if Allowed(annotations, now) {
		return out
	}
	for key := range Kept(annotations) {
		out[key] = nil
	}
	return out
}
