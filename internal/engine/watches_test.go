package engine

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestNobodyLooksBecauseAnApprovalWasTakenOff, which the operator does itself.
func TestNobodyLooksBecauseAnApprovalWasTakenOff(t *testing.T) {
	approval := map[string]string{v1alpha1.ApproveAnnotation: "a", v1alpha1.ApproveByAnnotation: "ada"}
	for name, tc := range map[string]struct {
		before, now map[string]string
		want        bool
	}{
		"given":              {nil, approval, true},
		"another one":        {approval, map[string]string{v1alpha1.ApproveAnnotation: "b"}, true},
		"taken off":          {approval, nil, false},
		"and something else": {approval, map[string]string{v1alpha1.BreakGlassAnnotation: "x"}, true},
		"somebody else's":    {nil, map[string]string{"team": "shop"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			before, now := shopTopic(), shopTopic()
			before.Annotations, now.Annotations = tc.before, tc.now
			if got := worthALook().Update(event.UpdateEvent{ObjectOld: before, ObjectNew: now}); got != tc.want {
				t.Errorf("worth a look: %t", got)
			}
		})
	}
}
