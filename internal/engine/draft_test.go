package engine

import (
	"errors"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestADraftIsSavedOnlyWhenItDiffersAndIsNewest(t *testing.T) {
	topic := shopTopic()
	r, _ := testReconciler(t, topic)
	key := client.ObjectKeyFromObject(topic)
	stored := func() *v1alpha1.Topic {
		t.Helper()
		var out v1alpha1.Topic
		if err := r.client.Get(t.Context(), key, &out); err != nil {
			t.Fatal(err)
		}
		return &out
	}

	before := stored()
	d := newDraft(r.client, r.uncached, before.DeepCopy())
	if err := d.save(t.Context()); err != nil || stored().ResourceVersion != before.ResourceVersion {
		t.Errorf("saving no change: %v, and the version is %s, was %s", err, stored().ResourceVersion, before.ResourceVersion)
	}

	old := newDraft(r.client, r.uncached, before.DeepCopy())
	d.record.Project = "shop-project"
	if err := d.save(t.Context()); err != nil || stored().Status.Project != "shop-project" {
		t.Errorf("saving: %v, status %+v", err, stored().Status)
	}
	old.record.Project = "bank-project"
	if err := old.save(t.Context()); !errors.Is(err, errStale) {
		t.Errorf("saving over a newer version: %v, want errStale", err)
	}
	if err := old.setFinalizer(t.Context(), true); !errors.Is(err, errStale) {
		t.Errorf("adding the finalizer to a newer version: %v, want errStale", err)
	}
	if err := d.setFinalizer(t.Context(), true); err != nil || !hasFinalizer(stored()) || !hasFinalizer(d.obj) {
		t.Errorf("adding the finalizer: %v, stored %v, in hand %v", err, stored().Finalizers, d.obj.GetFinalizers())
	}
	if d.record.Project != "shop-project" {
		t.Error("adding the finalizer lost what is in hand")
	}
}

// TestTheLastSaveTakesNothingOverFromTheStoredObject: somebody may have edited the manifest since the gate found it to be the newest.
// What the pass has done is told all the same, and of the generation that it was done for.
func TestTheLastSaveTakesNothingOverFromTheStoredObject(t *testing.T) {
	r, _ := testReconciler(t, shopTopic())
	var obj v1alpha1.Topic
	if err := r.client.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "orders"}, &obj); err != nil {
		t.Fatal(err)
	}
	d := newDraft(r.client, r.uncached, &obj)
	edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.Labels = nil })
	d.record.Project = "shop-project"
	if err := d.saveLast(t.Context()); !errors.Is(err, errStale) {
		t.Errorf("before the gate: %v, want errStale", err)
	}
	d.gatePassed = true
	if err := d.saveLast(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d.obj.GetGeneration() != 1 || obj.Spec.Labels == nil {
		t.Errorf("the object in hand is of generation %d, with the labels %v", d.obj.GetGeneration(), obj.Spec.Labels)
	}
	var stored v1alpha1.Topic
	if err := r.client.Get(t.Context(), client.ObjectKeyFromObject(&obj), &stored); err != nil {
		t.Fatal(err)
	}
	if stored.Status.Project != "shop-project" || stored.Generation != 2 || stored.Spec.Labels != nil {
		t.Errorf("stored is %+v", stored)
	}
}

// TestSavingARecord though the object is another now: unless somebody knows better.
func TestSavingARecord(t *testing.T) {
	cases := map[string]struct {
		meanwhile func(t *testing.T, r *Reconciler)
		learned   string // the identity
		want      string
	}{
		"nothing was learned": {func(t *testing.T, r *Reconciler) { edit(t, r, breakGlass) }, "", ""},
		"the object is another": {func(t *testing.T, r *Reconciler) {
			edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.Labels = nil })
		}, "1", "1"},
		"another process has stored something else than a record": {func(t *testing.T, r *Reconciler) {
			store(t, r, func(status *v1alpha1.TopicStatus) { status.ObservedGeneration = 7 })
		}, "1", "1"},
		"another process has stored a record": {func(t *testing.T, r *Reconciler) {
			store(t, r, func(status *v1alpha1.TopicStatus) { status.Identity = "2" })
		}, "1", "2"},
		"it was recreated": {func(t *testing.T, r *Reconciler) {
			topic := shopTopic()
			if err := r.client.Delete(t.Context(), topic); err != nil {
				t.Fatal(err)
			}
			topic.UID, topic.ResourceVersion = "another", ""
			if err := r.client.Create(t.Context(), topic); err != nil {
				t.Fatal(err)
			}
		}, "1", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r, _ := testReconciler(t, shopTopic())
			var obj v1alpha1.Topic
			if err := r.client.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "orders"}, &obj); err != nil {
				t.Fatal(err)
			}
			d := newDraft(r.client, r.uncached, &obj)
			d.record.Identity = tc.learned
			tc.meanwhile(t, r)
			if err := d.saveRecord(t.Context()); err != nil {
				t.Fatal(err)
			}
			var stored v1alpha1.Topic
			if err := r.client.Get(t.Context(), client.ObjectKeyFromObject(&obj), &stored); err != nil {
				t.Fatal(err)
			}
			if stored.Status.Identity != tc.want {
				t.Errorf("the identity stored is %q, want %q", stored.Status.Identity, tc.want)
			}
		})
	}
}

// store changes the stored status of the topic shop/orders.
func store(t *testing.T, r *Reconciler, change func(*v1alpha1.TopicStatus)) {
	t.Helper()
	var stored v1alpha1.Topic
	if err := r.client.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "orders"}, &stored); err != nil {
		t.Fatal(err)
	}
	change(&stored.Status)
	if err := r.client.Status().Update(t.Context(), &stored); err != nil {
		t.Fatal(err)
	}
}
