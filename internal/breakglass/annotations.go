package breakglass

import (
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// kept are the annotations that the operator owns together with whoever wrote them, so that a GitOps tool which takes over
// what kubectl wrote does not remove them with it.
var kept = []string{
	v1alpha1.BreakGlassAnnotation, v1alpha1.BreakGlassByAnnotation, v1alpha1.BreakGlassUntilAnnotation,
	v1alpha1.ApproveAnnotation, v1alpha1.ApproveByAnnotation,
}

// Kept returns those of the annotations that the operator has to own too, as they are.
func Kept(annotations map[string]string) map[string]string {
	out := map[string]string{}
	for _, key := range kept {
		if value, there := annotations[key]; there {
			out[key] = value
		}
	}
	return out
}

// Expired says that the annotations hold a glass whose time is over.
func Expired(annotations map[string]string, now time.Time) bool {
	_, there := annotations[v1alpha1.BreakGlassAnnotation]
	return there && !read(annotations, v1alpha1.BreakGlassOnObject, now).Open()
}

// Clear returns what the operator has to change in the annotations: nil values remove. A glass whose time is over goes, and
// what says by whom and until when does not stay without it. It is empty where nothing is to be done.
func Clear(annotations map[string]string, now time.Time) map[string]any {
	out := map[string]any{}
	_, there := annotations[v1alpha1.BreakGlassAnnotation]
	if expired := Expired(annotations, now); there && !expired {
		return out
	} else if expired {
		out[v1alpha1.BreakGlassAnnotation] = nil
		out[v1alpha1.BreakGlassClosedByAnnotation] = v1alpha1.ClosedByExpiry
	}
	for _, key := range []string{v1alpha1.BreakGlassByAnnotation, v1alpha1.BreakGlassUntilAnnotation} {
		if _, there := annotations[key]; there {
			out[key] = nil
		}
	}
	return out
}
