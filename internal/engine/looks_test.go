package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/metrics"
)

func TestDues(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	d := newDues(func() time.Time { return now })
	name := client.ObjectKey{Namespace: "shop", Name: "orders"}
	if d.isDue(name) {
		t.Error("it is due though nobody has asked")
	}
	d.ask(name, time.Minute) // without a queue
	d.set(name, time.Hour)   // later, which does not put it off
	if left, ok := d.left(name); !ok || left != time.Minute || d.isDue(name) {
		t.Errorf("left is %s, asked %v", left, ok)
	}
	now = now.Add(time.Minute)
	if !d.isDue(name) {
		t.Error("it is not due when its time has come")
	}
	d.drop(name)
	if _, ok := d.left(name); ok {
		t.Error("it is still known")
	}
}

// TestWhatIsSettledIsLeftAlone until somebody asks, once for each who asks.
func TestWhatIsSettledIsLeftAlone(t *testing.T) {
	r, topics := testReconciler(t, shopTopic())
	step(t, r, v1alpha1.ReasonUpToDate)
	reads := 0
	look := func() {
		t.Helper()
		r.use(kind.Of(&editedKind{topics, func() { reads++ }}))
		if _, err := r.Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "shop", Name: "orders"}}); err != nil {
			t.Fatal(err)
		}
	}
	requests := &looks{inventory: r.inventory, of: map[string]*Reconciler{"Topic": r}}
	ask := func(kind, project, id string) bool {
		t.Helper()
		declared, err := requests.request(t.Context(), kind, project, id)
		if err != nil {
			t.Fatal(err)
		}
		return declared
	}
	r.due.drop(client.ObjectKey{Namespace: "shop", Name: "orders"}) // of a process that has just begun
	look()
	look()
	got := []any{reads, ask("Topic", "shop-project", "other"), ask("Bucket", "shop-project", "orders"), ask("Topic", "shop-project", "orders")}
	look()
	look()
	if d := cmp.Diff([]any{0, false, false, true, 1}, append(got, reads)); d != "" {
		t.Errorf("reads before, who is declared, reads after (-want +got):\n%s", d)
	}
}

func TestCensus(t *testing.T) {
	type note struct {
		project string
		found   tally
	}
	m := metrics.New()
	c := newCensus("topic", m)
	for _, n := range []note{
		{"a", tally{unmanaged: 2}},
		{"b", tally{denied: true}},
		{"b", tally{denied: true}},
		{"a", tally{unmanaged: 3}},
	} {
		c.note(n.project, n.found, 3)
	}
	if c.shown {
		t.Error("a sum is shown though a project was not tried yet")
	}
	c.note("c", tally{unmanaged: 1}, 3)
	if d := cmp.Diff(metrics.Listing{Unmanaged: 4, NotListed: 1}, c.sum); d != "" || !c.shown {
		t.Errorf("shown is %v (-want +got):\n%s", c.shown, d)
	}
	c.note("new", tally{}, 5)
	c.forget("b")
	c.forget("a")
	if d := cmp.Diff(metrics.Listing{Unmanaged: 1}, c.sum); d != "" || !c.shown {
		t.Errorf("after two are gone, shown is %v (-want +got):\n%s", c.shown, d)
	}
}
