package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// TestAbsences begin anew once the resource was found.
func TestAbsences(t *testing.T) {
	var (
		a     = newAbsences()
		of    = types.NamespacedName{Namespace: "shop", Name: "orders"}
		began = time.Date(2026, 9, 1, 15, 0, 0, 0, time.UTC)
		got   []absence
	)
	note := func(after time.Duration) { got = append(got, a.note(of, began.Add(after))) }
	note(0)
	note(time.Second)
	a.note(types.NamespacedName{Namespace: "shop", Name: "bills"}, began)
	note(time.Minute)
	a.drop(of)
	note(time.Hour)
	want := []absence{{began, 1}, {began, 2}, {began, 3}, {began.Add(time.Hour), 1}}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(absence{})); d != "" {
		t.Errorf("noted (-want +got):\n%s", d)
	}
}

// TestAnAbsenceBeginsWithTheFirstLookThatMisses the resource: neither with one before it was there, nor with one of long ago.
func TestAnAbsenceBeginsWithTheFirstLookThatMisses(t *testing.T) {
	type given struct {
		*Reconciler
		topics *unmarkedKind
		later  func(time.Duration)
	}
	// miss looks in vain a few times, minutes apart, which says nothing yet.
	miss := func(t *testing.T, g given) {
		g.topics.hidden = true
		for range 3 {
			g.later(time.Minute)
			step(t, g.Reconciler, v1alpha1.ReasonUpToDate)
		}
		g.topics.hidden = false
	}
	for name, before := range map[string]func(t *testing.T, g given){
		"it was created": func(*testing.T, given) {},
		"it was brought back": func(t *testing.T, g given) {
			miss(t, g)
			delete(g.topics.live, "orders")
			g.topics.undeletable = true
			step(t, g.Reconciler, v1alpha1.ReasonUpToDate)
			if len(g.topics.live) == 0 {
				t.Fatal("it is still not there")
			}
			createdLongAgo(t, g.Reconciler)
		},
		"a look found it": func(t *testing.T, g given) {
			miss(t, g)
			step(t, g.Reconciler, v1alpha1.ReasonUpToDate)
		},
		"a list has it": func(t *testing.T, g given) {
			miss(t, g)
			p, err := g.settledPass(t.Context(), client.ObjectKey{Namespace: "shop", Name: "orders"})
			if err != nil || p == nil {
				t.Fatalf("pass %v, error %v", p, err)
			}
			live, err := g.kind.Fields.Observe(t.Context(), kind.Ref{Project: "shop-project", ID: "orders"})
			if err != nil || !p.shows(t.Context(), live) {
				t.Fatalf("the list does not show what is held; error %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, topics, later := unmarked(t)
			r.kind.StaleReads, r.kind.StaleLooks = 8*time.Second, 3
			step(t, r, v1alpha1.ReasonUpToDate)
			createdLongAgo(t, r)
			g := given{r, topics, later}
			before(t, g)
			miss(t, g)
			step(t, r, v1alpha1.ReasonUpToDate)
			if len(r.missing.of) > 0 {
				t.Errorf("still missed: %v", r.missing.of)
			}
		})
	}
}
