package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestAdoptingWhatMatchesWritesNothing(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		k.console(w).create("orders", true)
		mark := w.cloud.Traffic.Mark()

		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		w.noWrites(mark)
		if labels, _, _ := k.console(w).look("orders"); labels[v1alpha1.OwnerLabel] != "" {
			t.Errorf("adopting marked the %s: %v", k.name, labels)
		}

		t.Log("the marks travel with the first real update")
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.ready(obj)
		if d := cmp.Diff([]string{k.updating}, w.writes(mark)); d != "" {
			t.Errorf("writes (-want +got):\n%s", d)
		}
		if labels, _, _ := k.console(w).look("orders"); labels[v1alpha1.OwnerLabel] != w.ownerID {
			t.Errorf("the first update did not mark the %s: %v", k.name, labels)
		}
	})
}

func TestAdoptingWhatDiffersWaitsForTheHashOfItsPlan(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		k.console(w).create("orders", false)
		mark := w.cloud.Traffic.Mark()

		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonAwaitingAdoption)
		if d := cmp.Diff([]string{k.path}, paths(obj.GetCommonStatus().Plan.Changes)); d != "" {
			t.Errorf("plan (-want +got):\n%s", d)
		}

		t.Log("another hash releases nothing")
		annotate(w, obj, v1alpha1.ApproveAnnotation, "0123456789abcdef")
		w.settled(obj)
		w.reason(obj, v1alpha1.ReasonAwaitingAdoption)
		w.noWrites(mark)

		t.Log("its own does")
		approve(w, obj)
		w.ready(obj)
		if d := cmp.Diff([]string{k.updating}, w.writes(mark)); d != "" {
			t.Errorf("writes (-want +got):\n%s", d)
		}
		if status := obj.GetCommonStatus(); status.Plan != nil || status.Approved != nil || len(status.Pending) > 0 {
			t.Errorf("the plan is applied and yet in status: plan %v, approved %v, pending %v", status.Plan, status.Approved, status.Pending)
		}
	})
}

func TestAHashOfAdoptionIsNotGoodTwice(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	k := buckets
	k.console(w).create("orders", false)
	obj := k.manifest("orders", v1alpha1.CommonSpec{})
	w.create(obj)
	w.reason(obj, v1alpha1.ReasonAwaitingAdoption)
	used := approve(w, obj)
	w.ready(obj)

	t.Log("the same difference again, in a bucket that somebody else made: the annotation still has the old hash")
	k.console(w).delete("orders")
	k.console(w).create("orders", false)
	mark := w.cloud.Traffic.Mark()
	w.settled(obj)
	w.reason(obj, v1alpha1.ReasonAwaitingAdoption)
	if hash := obj.GetCommonStatus().Plan.Hash; hash == used {
		t.Errorf("the hash %s is good twice", hash)
	}
	w.noWrites(mark)
}

func TestAdoptionAlwaysChangesWhatDiffers(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		k.console(w).create("orders", false)
		k.console(w).relabel("orders", func(labels map[string]string) { labels["cost"] = "42" })
		mark := w.cloud.Traffic.Mark()

		obj := k.manifest("orders", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways})
		w.create(obj)
		w.ready(obj)
		if d := cmp.Diff([]string{k.updating}, w.writes(mark)); d != "" {
			t.Errorf("writes (-want +got):\n%s", d)
		}
		if labels, on, _ := k.console(w).look("orders"); !on || labels["cost"] != "42" {
			t.Errorf("setting on: %v, labels: %v", on, labels)
		}
	})
}

func TestAdoptionNeverLeavesWhatWasThere(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		k.console(w).create("orders", true)
		mark := w.cloud.Traffic.Mark()

		obj := k.manifest("orders", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionNever, DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonConflict)

		t.Log("deleting the manifest does not delete what it never held")
		w.delete(obj)
		w.gone(obj)
		w.noWrites(mark)
		if _, _, there := k.console(w).look("orders"); !there {
			t.Errorf("the %s is gone", k.name)
		}
	})
}

func TestABucketThatSomebodyMadeAnewIsAdoptedAnew(t *testing.T) {
	t.Parallel()
	k := buckets
	w := startWorld(t)
	obj := k.manifest("orders", v1alpha1.CommonSpec{})
	w.create(obj)
	w.ready(obj)
	identity := obj.GetCommonStatus().Identity

	k.console(w).delete("orders")
	k.console(w).create("orders", false)
	mark := w.cloud.Traffic.Mark()
	w.settled(obj)
	w.reason(obj, v1alpha1.ReasonAwaitingAdoption)
	w.noWrites(mark)

	t.Log("one that matches is taken over without a write, and said so")
	k.console(w).set("orders", true)
	w.settled(obj)
	w.ready(obj)
	w.noWrites(mark)
	if obj.GetCommonStatus().Identity == identity {
		t.Error("status.identity is still that of the former bucket")
	}
	w.events(obj, "Created", v1alpha1.ReasonAwaitingAdoption, "Adopted")
}

func paths(changes []v1alpha1.Change) []string {
	out := make([]string, 0, len(changes))
	for _, c := range changes {
		out = append(out, c.Path)
	}
	return out
}

// approve annotates an object with the hash of its plan, and returns it.
func approve(w *world, obj v1alpha1.Object) string {
	w.t.Helper()
	w.get(obj)
	plan := obj.GetCommonStatus().Plan
	if plan == nil {
		w.t.Fatalf("there is no plan to approve:\n%s", describe(obj))
	}
	hash := plan.Hash
	annotate(w, obj, v1alpha1.ApproveAnnotation, hash)
	return hash
}
