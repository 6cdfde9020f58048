package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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
		if owner := k.console(w).look("orders").owner; len(owner) > 0 {
			t.Errorf("adopting marked the %s: %v", k.Name, owner)
		}

		t.Log("the marks travel with the first real update")
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.ready(obj)
		if d := cmp.Diff([]string{k.updating}, w.writes(mark)); d != "" {
			t.Errorf("writes (-want +got):\n%s", d)
		}
		w.expectMarked(k, obj)
	})
}

func TestAdoptingWhatDiffersWaitsForTheHashOfItsPlan(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		k.console(w).create("orders", false)
		mark := w.cloud.Traffic.Mark()

		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		if !k.is(adopted) {
			w.expectGranted(k, obj, mark)
			return
		}
		w.reason(obj, v1alpha1.ReasonAwaitingAdoption)
		if d := cmp.Diff(k.paths("orders"), paths(obj.GetCommonStatus().Plan.Changes)); d != "" {
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
		k.console(w).stray("orders")
		mark := w.cloud.Traffic.Mark()

		obj := k.manifest("orders", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways})
		w.create(obj)
		w.ready(obj)
		if d := cmp.Diff([]string{k.updating}, w.writes(mark)); d != "" {
			t.Errorf("writes (-want +got):\n%s", d)
		}
		if live := k.console(w).look("orders"); !live.on || !live.stray {
			t.Errorf("live: %+v", live)
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
		if k.is(adopted) {
			w.reason(obj, v1alpha1.ReasonConflict)
		} else { // what is granted already is nothing to take over
			w.ready(obj)
		}

		t.Log("deleting the manifest does not delete what it never held")
		w.delete(obj)
		w.gone(obj)
		w.noWrites(mark)
		if !k.console(w).look("orders").there {
			t.Errorf("the %s is gone", k.Name)
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

// expectGranted waits until a manifest of a kind that adopts nothing is Ready beside what was there with the setting off, and checks
// that it took one write, and that deleting the manifest leaves what was there.
func (w *world) expectGranted(k kind, obj v1alpha1.Object, mark int64) {
	w.t.Helper()
	w.ready(obj)
	if d := cmp.Diff([]string{k.creating}, w.writes(mark)); d != "" {
		w.t.Errorf("writes (-want +got):\n%s", d)
	}
	if live := k.console(w).look(obj.GetName()); !live.on || live.team != "shop" {
		w.t.Errorf("live: %+v", live)
	}
	edit(w, obj, func(o v1alpha1.Object) { o.GetCommonSpec().DeletionPolicy = v1alpha1.DeletionDelete })
	w.ready(obj)
	w.delete(obj)
	w.gone(obj)
	if live := k.console(w).look(obj.GetName()); live.on || live.team != "shop" {
		w.t.Errorf("after its deletion live is %+v; want what was there before it", live)
	}
}

// expectMarked checks that a resource carries the labels that mark its owner, or no marks at all where there are no labels.
func (w *world) expectMarked(k kind, obj v1alpha1.Object) {
	w.t.Helper()
	var want map[string]string
	if k.is(ownerLabels) {
		want = map[string]string{
			v1alpha1.OwnerLabel: w.ownerID, v1alpha1.OwnerNamespaceLabel: obj.GetNamespace(), v1alpha1.OwnerNameLabel: obj.GetName(),
		}
	}
	got := k.console(w).look(obj.GetName()).owner
	delete(got, v1alpha1.CreatorLabel) // which says whether it was created or adopted
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		w.t.Errorf("labels that mark the owner (-want +got):\n%s", d)
	}
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
