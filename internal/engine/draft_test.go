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
