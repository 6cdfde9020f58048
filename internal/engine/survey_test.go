package engine

import (
	"cmp"
	"errors"
	"maps"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

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
			tallies := newTallies(breaker.Record{}, nil, three)
			tallies.add(tc.of, topic)
			if got := tallies.namespaces["shop"].Others; len(got) != 1 || got[0].Ends != tc.ends {
				t.Errorf("others are %+v, want one whose end is %v", got, tc.ends)
			}
		})
	}
}

// TestWhatGoesUnseenCounts, unless a broken glass keeps it: a namespace would be on hold for what nobody is about to destroy.
func TestWhatGoesUnseenCounts(t *testing.T) {
	broken := map[string]string{v1alpha1.BreakGlassAnnotation: "INC-1"}
	until := func(at time.Time) map[string]string {
		return map[string]string{v1alpha1.BreakGlassAnnotation: "INC-1", v1alpha1.BreakGlassUntilAnnotation: at.Format(time.RFC3339)}
	}
	for name, tc := range map[string]struct {
		object, namespace map[string]string
		policy            v1alpha1.DeletionPolicy
		counts            bool
	}{
		"it goes":                            {counts: true},
		"it goes, and its resource stays":    {policy: v1alpha1.DeletionOrphan},
		"its glass is broken":                {object: broken},
		"its glass is broken for now":        {object: until(three.Add(time.Minute))},
		"the time of its glass is over":      {object: until(three), counts: true},
		"the glass of its Namespace is":      {namespace: broken},
		"the time of that is over":           {namespace: until(three), counts: true},
		"its own is over, not the Namespace": {object: until(three), namespace: until(three.Add(time.Minute))},
	} {
		t.Run(name, func(t *testing.T) {
			topic := shopTopic()
			topic.Spec.DeletionPolicy = cmp.Or(tc.policy, v1alpha1.DeletionDelete)
			topic.Finalizers, topic.Annotations, topic.Status.Identity = []string{v1alpha1.Finalizer}, tc.object, "marked"
			r, _ := testReconciler(t, topic)
			r.now = func() time.Time { return three }
			var namespace corev1.Namespace
			if err := r.client.Get(t.Context(), client.ObjectKey{Name: "shop"}, &namespace); err != nil {
				t.Fatal(err)
			}
			maps.Copy(namespace.Annotations, tc.namespace)
			if err := errors.Join(r.client.Update(t.Context(), &namespace), r.client.Delete(t.Context(), topic)); err != nil {
				t.Fatal(err)
			}
			found, err := r.circuit.survey(t.Context(), breaker.Record{})
			if err != nil {
				t.Fatal(err)
			}
			if got := len(found.namespaces["shop"].Unseen); got == 1 != tc.counts || got > 1 || found.had != 1 {
				t.Errorf("%d of %d wait, want that it does: %v", got, found.had, tc.counts)
			}
		})
	}
}
