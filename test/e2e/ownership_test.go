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
		if k.is(ownerLabels) {
			k.console(w).take("orders")
		}
		mark := w.cloud.Traffic.Mark()
		obj := k.manifest("orders", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways, DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		if !k.is(ownerLabels) { // nothing says that there is an owner: spec.adoption alone protects it
			w.ready(obj)
			return
		}
		w.reason(obj, v1alpha1.ReasonConflict)
		if message := condition(obj, v1alpha1.ConditionReady).Message; !strings.Contains(message, `"another-cluster" (manifest shop/theirs)`) {
			t.Errorf("the owner is not named: %s", message)
		}
		w.delete(obj)
		w.gone(obj)
		w.noWrites(mark)
		if live := k.console(w).look("orders"); !live.there || live.owner[v1alpha1.OwnerLabel] != "another-cluster" {
			t.Errorf("live: %+v", live)
		}
	})
}

func TestAResourceThatSomebodyElseTookIsNotDeleted(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		if !k.is(distinct) {
			w.expectOthersStay(k, obj)
			return
		}
		forgetCreation(w, obj)
		k.console(w).take("orders")
		k.console(w).set("orders", false) // so that the difference keeps it from being adopted where there are no labels
		mark := w.cloud.Traffic.Mark()
		w.settled(obj)
		if k.is(ownerLabels) {
			w.reason(obj, v1alpha1.ReasonConflict)
		} else {
			w.reason(obj, v1alpha1.ReasonAwaitingAdoption)
		}
		w.delete(obj)
		w.settled(obj)
		w.reason(obj, v1alpha1.ReasonConflict)
		w.noWrites(mark)
		if !k.console(w).look("orders").there {
			t.Fatalf("another owner's %s was deleted", k.Name)
		}

		t.Log("until the manifest says Orphan")
		edit(w, obj, func(o v1alpha1.Object) { o.GetCommonSpec().DeletionPolicy = v1alpha1.DeletionOrphan })
		w.gone(obj)
		w.noWrites(mark)
	})
}

// expectOthersStay deletes the manifest of a policy, and checks that what others were granted stays.
func (w *world) expectOthersStay(k kind, obj v1alpha1.Object) {
	w.t.Helper()
	k.console(w).stray(obj.GetName())
	w.settled(obj)
	w.ready(obj)
	w.delete(obj)
	w.gone(obj)
	if d := cmp.Diff(look{stray: true}, k.console(w).look(obj.GetName()), looks); d != "" {
		w.t.Errorf("after the deletion (-want +got):\n%s", d)
	}
}

func TestTheOlderOfTwoManifestsWins(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		first, second := twins(w, k, v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionOrphan})
		if !k.is(exclusive) {
			w.ready(first)
			w.ready(second)
			return
		}
		winner, loser := w.winnerAndLoser(k, first, second)
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
		winner, loser := w.winnerAndLoser(k, first, second)
		mark := w.cloud.Traffic.Mark()
		w.delete(winner)
		w.gone(winner)
		w.ready(loser)
		if n := w.carriedOut(mark, k.deleting, ""); n > 0 && k.is(comesAndGoes) {
			t.Errorf("the %s was deleted though another manifest declares it", k.Name)
		}
		if !k.console(w).look("orders").there {
			t.Errorf("the %s is gone though another manifest declares it", k.Name)
		}
		w.delete(loser)
		w.gone(loser)
		if k.console(w).look("orders").there {
			t.Errorf("the last manifest said Delete, and the %s is still there", k.Name)
		}
	})
}

func TestDeletingTheLoserTouchesNothing(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		first, second := twins(w, k, v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		winner, loser := w.winnerAndLoser(k, first, second)
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
		w.makeNamespace(other, map[string]string{v1alpha1.ProjectIDAnnotation: w.project, v1alpha1.AllowAnnotation: v1alpha1.AllowDataLoss})
		w.start(other)
		ours, theirs := k.manifest("orders", v1alpha1.CommonSpec{}), k.manifest("orders", v1alpha1.CommonSpec{})
		theirs.SetNamespace(other)
		w.create(ours)
		w.create(theirs)
		winner, loser := w.winnerAndLoser(k, ours, theirs)
		w.delete(winner)
		w.gone(winner)
		w.ready(loser)
		// Of two that come at the same time the one may create the resource, and the other win: then the marks are those of who takes it over.
		owner := k.console(w).look("orders").owner
		if len(owner) > 0 && owner[v1alpha1.OwnerNamespaceLabel] != loser.GetNamespace() {
			t.Errorf("the orphan that was taken over by %s keeps marks: %v", loser.GetNamespace(), owner)
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

// winnerAndLoser waits until one of two manifests owns their resource and the other says so; or until both are Ready, where they share it.
// Either may win whose creation times are the same second.
func (w *world) winnerAndLoser(k kind, a, b v1alpha1.Object) (winner, loser v1alpha1.Object) {
	w.t.Helper()
	if !k.is(exclusive) {
		w.ready(a)
		w.ready(b)
		return a, b
	}
	w.eventually("one of two to be Ready, and the other in conflict", func() (bool, string) {
		w.get(a)
		w.get(b)
		for _, order := range [][2]v1alpha1.Object{{a, b}, {b, a}} {
			winner, loser = order[0], order[1]
			if hasReason(winner, v1alpha1.ReasonUpToDate) && hasReason(loser, v1alpha1.ReasonConflict) {
				return true, ""
			}
		}
		return false, describe(a) + describe(b)
	})
	return winner, loser
}

// hasReason says whether Ready of an object's newest generation has a reason.
func hasReason(obj v1alpha1.Object, reason string) bool {
	c := condition(obj, v1alpha1.ConditionReady)
	return c != nil && c.Reason == reason && c.ObservedGeneration == obj.GetGeneration()
}
