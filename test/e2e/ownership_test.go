package e2e

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestAnotherOwnersResourceIsLeftAlone(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		k.console(w).create("orders", false)
		k.console(w).relabel("orders", func(labels map[string]string) {
			labels[v1alpha1.OwnerLabel], labels[v1alpha1.OwnerNamespaceLabel], labels[v1alpha1.OwnerNameLabel] = "another-cluster", "shop", "theirs"
		})
		mark := w.cloud.Traffic.Mark()
		obj := k.manifest("orders", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways, DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonConflict)
		if message := condition(obj, v1alpha1.ConditionReady).Message; !strings.Contains(message, `"another-cluster" (manifest shop/theirs)`) {
			t.Errorf("the owner is not named: %s", message)
		}
		w.delete(obj)
		w.gone(obj)
		w.noWrites(mark)
		if labels, _, there := k.console(w).look("orders"); !there || labels[v1alpha1.OwnerLabel] != "another-cluster" {
			t.Errorf("there: %v, labels: %v", there, labels)
		}
	})
}

func TestAResourceThatAnotherOwnerTookIsNotDeleted(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		k.console(w).relabel("orders", func(labels map[string]string) { labels[v1alpha1.OwnerLabel] = "another-cluster" })
		mark := w.cloud.Traffic.Mark()
		w.settled(obj)
		w.reason(obj, v1alpha1.ReasonConflict)
		w.delete(obj)
		w.settled(obj)
		w.reason(obj, v1alpha1.ReasonConflict)
		w.noWrites(mark)
		if _, _, there := k.console(w).look("orders"); !there {
			t.Fatalf("another owner's %s was deleted", k.name)
		}

		t.Log("until the manifest says Orphan")
		edit(w, obj, func(o v1alpha1.Object) { o.GetCommonSpec().DeletionPolicy = v1alpha1.DeletionOrphan })
		w.gone(obj)
		w.noWrites(mark)
	})
}

func TestTheOlderOfTwoManifestsWins(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		first, second := twins(w, k, v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionOrphan})
		winner, loser := w.winnerAndLoser(first, second)
		mark := w.cloud.Traffic.Mark()
		w.settled(loser)
		w.reason(loser, v1alpha1.ReasonConflict)
		w.noWrites(mark)
		if message := condition(loser, v1alpha1.ConditionReady).Message; !strings.Contains(message, winner.GetNamespace()+"/"+winner.GetName()) {
			t.Errorf("the winner is not named: %s", message)
		}

		t.Log("when the winner goes the loser is looked at again, long before the next sweep")
		w.delete(winner)
		w.gone(winner)
		w.ready(loser)
	})
}

func TestDeletingOneOfTwoManifestsOrphans(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		first, second := twins(w, k, v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		winner, loser := w.winnerAndLoser(first, second)
		mark := w.cloud.Traffic.Mark()
		w.delete(winner)
		w.gone(winner)
		w.ready(loser)
		if n := w.carriedOut(mark, k.deleting, ""); n > 0 {
			t.Errorf("the %s was deleted though another manifest declares it", k.name)
		}
		w.delete(loser)
		w.gone(loser)
		if _, _, there := k.console(w).look("orders"); there {
			t.Errorf("the last manifest said Delete, and the %s is still there", k.name)
		}
	})
}

func TestDeletingTheLoserTouchesNothing(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		first, second := twins(w, k, v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		winner, loser := w.winnerAndLoser(first, second)
		mark := w.cloud.Traffic.Mark()
		w.delete(loser)
		w.gone(loser)
		w.settled(winner)
		w.ready(winner)
		w.noWrites(mark)
	})
}

func TestManifestsOfTwoNamespacesOfOneProject(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		other := w.namespace + "-b"
		w.makeNamespace(other, map[string]string{v1alpha1.ProjectIDAnnotation: w.project})
		w.start(other)
		ours, theirs := k.manifest("orders", v1alpha1.CommonSpec{}), k.manifest("orders", v1alpha1.CommonSpec{})
		theirs.SetNamespace(other)
		w.create(ours)
		w.create(theirs)
		winner, loser := w.winnerAndLoser(ours, theirs)
		w.delete(winner)
		w.gone(winner)
		w.ready(loser)
		labels, _, _ := k.console(w).look("orders")
		if d := cmp.Diff("", labels[v1alpha1.OwnerNamespaceLabel]); d != "" {
			t.Errorf("the orphan that was taken over keeps marks (-want +got):\n%s", d)
		}
	})
}

// twins creates two manifests of one resource.
func twins(w *world, k kind, spec v1alpha1.CommonSpec) (first, second v1alpha1.Object) {
	w.t.Helper()
	spec.ResourceID = "orders"
	first, second = k.manifest("first", spec), k.manifest("second", spec)
	w.create(first)
	w.create(second)
	return first, second
}

// winnerAndLoser waits until one of two manifests holds their resource and the other says so. Whose creation times are the
// same second are told apart by UID, so that either may win.
func (w *world) winnerAndLoser(a, b v1alpha1.Object) (winner, loser v1alpha1.Object) {
	w.t.Helper()
	w.get(a)
	w.get(b)
	winner, loser = a, b
	ta, tb := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if tb.Before(&ta) || tb.Equal(&ta) && b.GetUID() < a.GetUID() {
		winner, loser = b, a
	}
	w.ready(winner)
	w.reason(loser, v1alpha1.ReasonConflict)
	return winner, loser
}
