package breakglass

import (
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// kept are the annotations that the operator co-owns with whoever wrote them, so that a GitOps tool which takes over what kubectl
// wrote does not remove them. Who closed a glass is among them: the tool may not remove that, and its apply would be refused.
var kept = []string{
	v1alpha1.BreakGlassAnnotation, v1alpha1.BreakGlassByAnnotation, v1alpha1.BreakGlassUntilAnnotation, v1alpha1.BreakGlassClosedByAnnotation,
	v1alpha1.ApproveAnnotation, v1alpha1.ApproveByAnnotation,
}

// Kept returns those of the annotations that the operator must co-own, as they are.
func Kept(annotations map[string]string) map[string]string {
	out := map[string]string{}
	for _, key := range kept {
		if value, there := annotations[key]; there {
			out[key] = value
		}
	}
	return out
}

// Past returns the glass in the annotations if it has expired, as it was while it was open.
func Past(annotations map[string]string, scope v1alpha1.BreakGlassScope, now time.Time) (g Glass, expired bool) {
	g, there := parse(annotations, scope)
	return g, there && !g.Until.IsZero() && !g.Until.After(now)
}

// ClearLag is how long the operator waits before it removes an expired glass: the API server dates changes to the second, and lets
// the operator remove only what has expired by the API server's own clock.
const ClearLag = 2 * time.Second

// Clear returns what the operator must change in the annotations: nil values remove. It removes an expired glass, who broke it
// and until when if there is no glass, and, once that is recorded, who closed it. It is empty if there is nothing to do.
func Clear(annotations map[string]string, recorded bool, now time.Time) map[string]any {
	out := map[string]any{}
	_, there := annotations[v1alpha1.BreakGlassAnnotation]
	_, expired := Past(annotations, "", now.Add(-ClearLag))
	switch {
	case there && !expired:
		return out
	case expired:
		out[v1alpha1.BreakGlassAnnotation] = nil
		out[v1alpha1.BreakGlassClosedByAnnotation] = v1alpha1.ClosedByExpiry
	case recorded:
		remove(out, annotations, v1alpha1.BreakGlassClosedByAnnotation)
	}
	remove(out, annotations, v1alpha1.BreakGlassByAnnotation, v1alpha1.BreakGlassUntilAnnotation)
	return out
}

func remove(out map[string]any, annotations map[string]string, keys ...string) {
	for _, key := range keys {
		if _, there := annotations[key]; there {
			out[key] = nil
		}
	}
}
