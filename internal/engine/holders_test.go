package engine

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func TestWhoComesToHoldAResource(t *testing.T) {
	r, _ := testReconciler(t, shopTopic())
	fresh := shopTopic()
	holding := step(t, r, v1alpha1.ReasonUpToDate)
	for name, tc := range map[string]struct {
		before, now *v1alpha1.Topic
		want        bool
	}{
		"its resource was created": {fresh, holding, true},
		"it held it before":        {holding, holding, false},
		"it has let go":            {holding, fresh, false},
		"it waits":                 {fresh, fresh, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := comesToHold(r.kind).Update(event.UpdateEvent{ObjectOld: tc.before, ObjectNew: tc.now}); got != tc.want {
				t.Errorf("comes to hold: %t", got)
			}
		})
	}
}

// TestOfTwoThatHoldOneIsToldToLook: two manifests of one resource came to hold it in the same moment, each before it could know of the other.
func TestOfTwoThatHoldOneIsToldToLook(t *testing.T) {
	r, _ := testReconciler(t, shopTopic())
	first := step(t, r, v1alpha1.ReasonUpToDate)
	second := first.DeepCopy()
	second.Name, second.UID, second.ResourceVersion, second.Spec.ResourceID = "second", "2", "", "orders"
	if err := r.client.Create(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if told := holders(cached{finder: refusing{t}, tenants: r.tenants}, r.kind)(t.Context(), shopTopic()); len(told) > 0 {
		t.Errorf("as it was before it held anything it told %v to look", told)
	}
	told := holders(r.source(), r.kind)(t.Context(), first)
	want := []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(second)}}
	if d := cmp.Diff(want, told); d != "" {
		t.Errorf("told to look (-want +got):\n%s", d)
	}
	for _, request := range append(want, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(first)}) {
		if _, err := r.Reconcile(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	winners := 0
	for _, topic := range []*v1alpha1.Topic{first, second} {
		if err := r.client.Get(t.Context(), client.ObjectKeyFromObject(topic), topic); err != nil {
			t.Fatal(err)
		}
		if isReady(topic) {
			winners++
		}
	}
	if winners != 1 {
		t.Errorf("%d of two are Ready", winners)
	}
}

// refusing fails the test if anything is looked for.
type refusing struct{ t *testing.T }

func (r refusing) by(_ context.Context, _ kind.Kind, index, key string) ([]v1alpha1.Object, error) {
	r.t.Errorf("in the index %s %q was looked for", index, key)
	return nil, nil
}

func (r refusing) all(context.Context, kind.Kind) ([]v1alpha1.Object, error) {
	r.t.Error("all were looked through")
	return nil, nil
}
