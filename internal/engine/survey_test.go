package engine

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breaker"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// TestWhatIsOnHoldEnds: what is taken for the end of a resource, of what was told to be on hold, by whoever has not looked again.
func TestWhatIsOnHoldEnds(t *testing.T) {
	onHold := []metav1.Condition{condition(v1alpha1.ConditionReady, false, v1alpha1.ReasonDestructionOnHold, "too much at once")}
	going := &metav1.Time{Time: three}
	fields := kind.Of(&fakeKind{})
	policy := kind.Kind{Traits: kind.Traits{Kind: "ProjectPolicy"}}
	for name, tc := range map[string]struct {
		of    kind.Kind
		going *metav1.Time
		ends  bool
	}{
		"a resource that goes":                    {fields, going, true},
		"a resource that may lose data":           {fields, nil, true},
		"a policy whose manifest goes":            {policy, going, true},
		"a policy that loses entries and no more": {policy, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			topic := shopTopic()
			topic.DeletionTimestamp, topic.Status.Conditions = tc.going, onHold
			topic.Status.Conditions[0].ObservedGeneration = topic.Generation
			tallies := newTallies(breaker.Record{}, nil)
			tallies.add(tc.of, topic)
			if got := tallies.namespaces["shop"].Others; len(got) != 1 || got[0].Ends != tc.ends {
				t.Errorf("others are %+v, want one whose end is %v", got, tc.ends)
			}
		})
	}
}
