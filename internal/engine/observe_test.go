package engine

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestAQuotaHidesNoDrift: that a quota keeps the policy from being read says nothing against what was seen of the fields.
func TestAQuotaHidesNoDrift(t *testing.T) {
	for name, tc := range map[string]struct {
		drift bool
		ready metav1.ConditionStatus
	}{
		"the fields are as they should be": {false, metav1.ConditionTrue},
		"the fields have drifted":          {true, metav1.ConditionFalse},
	} {
		t.Run(name, func(t *testing.T) {
			r, topics := policied(t, ada)
			step(t, r, v1alpha1.ReasonUpToDate)
			if live := topics.live["orders"]; tc.drift {
				live.MessageRetentionSeconds = new(int64(7200))
				topics.live["orders"] = live
			}
			topics.reading = status.Error(codes.ResourceExhausted, "quota")
			got, _ := reconcileOnce(t, r)
			if is := readyCondition(got); is.Status != tc.ready {
				t.Errorf("Ready is %s (%s), want %s", is.Status, is.Message, tc.ready)
			}
			if is := *topics.live["orders"].MessageRetentionSeconds; is != 3600 {
				t.Errorf("the retention is %d s: the drift is not corrected", is)
			}
		})
	}
}
