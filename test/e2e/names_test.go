package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// former is a namespace of the world's project beside the world's own.
func former(t *testing.T) (w *world, other string) {
	t.Helper()
	w = newWorld(t)
	other = w.namespace + "-former"
	w.makeNamespace(other, map[string]string{v1alpha1.ProjectIDAnnotation: w.project})
	w.start(other)
	return w, other
}

// unbind takes its project away from a namespace.
func (w *world) unbind(namespace string) {
	w.t.Helper()
	edit(w, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, func(n *corev1.Namespace) {
		n.Annotations[v1alpha1.ProjectIDAnnotation] = "project-of-others"
	})
}

// TestNamesAreNotHeldByThoseWhoMayNotAct: however an elder manifest loses what it needs to act, the younger one of the resource owns it then,
// without waiting for a sweep; and may delete it.
func TestNamesAreNotHeldByThoseWhoMayNotAct(t *testing.T) {
	t.Parallel()
	const never = "example.com/never"
	cases := map[string]func(w *world, elder v1alpha1.Object){
		"its project is taken away": func(w *world, elder v1alpha1.Object) { w.unbind(elder.GetNamespace()) },
		"it is released, and kept by a finalizer of others": func(w *world, elder v1alpha1.Object) {
			edit(w, elder, func(o v1alpha1.Object) { o.SetFinalizers(append(o.GetFinalizers(), never)) })
			w.delete(elder)
			w.t.Cleanup(func() {
				if w.read(elder) == nil {
					edit(w, elder, func(o v1alpha1.Object) { o.SetFinalizers(nil) })
				}
			})
		},
		"it only observes": func(w *world, elder v1alpha1.Object) {
			edit(w, elder, func(o v1alpha1.Object) { o.GetCommonSpec().Management = v1alpha1.ManagementObserve })
		},
		"it is gone": func(w *world, elder v1alpha1.Object) { w.delete(elder) },
	}
	for name, lose := range cases {
		t.Run(name, func(t *testing.T) {
			forEachKind(t, func(t *testing.T, k kind) {
				if !k.is(exclusive) {
					t.Skip("several manifests share it")
				}
				w, other := former(t)
				elder := k.manifest("squat", v1alpha1.CommonSpec{ResourceID: "orders"})
				elder.SetNamespace(other)
				w.create(elder)
				w.ready(elder)
				younger := k.manifest("data", v1alpha1.CommonSpec{ResourceID: "orders", DeletionPolicy: v1alpha1.DeletionDelete, Adoption: v1alpha1.AdoptionAlways})
				w.create(younger)
				w.reason(younger, v1alpha1.ReasonConflict)

				lose(w, elder)
				w.ready(younger)
				if w.read(elder) == nil && !hasReason(elder, v1alpha1.ReasonUpToDate) && elder.GetCommonSpec().Management == v1alpha1.ManagementObserve {
					w.ready(elder)
				}
				if name == "it only observes" { // it declares it nevertheless
					return
				}
				w.delete(younger)
				w.gone(younger)
				if k.is(comesAndGoes) && k.console(w).look("orders").there {
					t.Error("the resource is still there, though nobody else may declare it")
				}
			})
		})
	}
}

// TestNamesAreNotHeldByThoseWhoNeverHad: an elder manifest that does not take the resource over does not keep others from it, nor take it from
// them later.
func TestNamesAreNotHeldByThoseWhoNeverHad(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		if !k.is(exclusive) {
			t.Skip("several manifests share it")
		}
		w, other := former(t)
		k.console(w).create("orders", true)
		elder := k.manifest("squat", v1alpha1.CommonSpec{ResourceID: "orders", Adoption: v1alpha1.AdoptionNever})
		elder.SetNamespace(other)
		w.create(elder)
		w.reason(elder, v1alpha1.ReasonConflict)
		younger := k.manifest("data", v1alpha1.CommonSpec{ResourceID: "orders", Adoption: v1alpha1.AdoptionAlways})
		w.create(younger)
		w.ready(younger)

		t.Log("it does not win once it would adopt")
		edit(w, elder, func(o v1alpha1.Object) { o.GetCommonSpec().Adoption = v1alpha1.AdoptionAlways })
		w.reason(elder, v1alpha1.ReasonConflict)
		w.settled(younger)
		w.ready(younger)
		if message := condition(elder, v1alpha1.ConditionReady).Message; !strings.Contains(message, younger.GetNamespace()+"/"+younger.GetName()) {
			t.Errorf("the winner is not named: %s", message)
		}
	})
}

// TestAnElderManifestWithAnOpenGlassKeepsItsPlace though another one waits for the name.
func TestAnElderManifestWithAnOpenGlassKeepsItsPlace(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		if !k.is(exclusive) {
			t.Skip("several manifests share it")
		}
		w, other := former(t)
		elder := k.manifest("first", v1alpha1.CommonSpec{ResourceID: "orders"})
		elder.SetNamespace(other)
		w.create(elder)
		w.ready(elder)
		younger := k.manifest("data", v1alpha1.CommonSpec{ResourceID: "orders", Adoption: v1alpha1.AdoptionAlways})
		w.create(younger)
		w.reason(younger, v1alpha1.ReasonConflict)
		w.breakGlass(elder)
		w.glass(elder, metav1.ConditionTrue)
		mark := w.cloud.Traffic.Mark()
		w.settled(younger)
		w.reason(younger, v1alpha1.ReasonConflict)
		edit(w, elder, func(o v1alpha1.Object) { o.GetCommonSpec().Management = v1alpha1.ManagementObserve })
		w.settled(elder)
		edit(w, younger, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.settled(younger)
		w.noWrites(mark)
	})
}

// TestNamesakesCostWhatTheyAre: each manifest that comes second is looked at for itself, and not for the others: neither when they come, nor
// when one of them is edited.
func TestNamesakesCostWhatTheyAre(t *testing.T) {
	t.Parallel()
	const namesakes = 100
	w, _ := former(t)
	k := table[0]
	holder := k.manifest("holder", v1alpha1.CommonSpec{ResourceID: "orders"})
	w.create(holder)
	w.ready(holder)
	var all []v1alpha1.Object
	for i := range namesakes {
		obj := k.manifest(fmt.Sprintf("namesake-%d", i), v1alpha1.CommonSpec{ResourceID: "orders"})
		w.create(obj)
		all = append(all, obj)
	}
	for _, obj := range all {
		w.reason(obj, v1alpha1.ReasonConflict)
	}
	mark, before := w.cloud.Traffic.Mark(), w.passes()
	for _, obj := range all {
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
	}
	for _, obj := range all {
		w.reason(obj, v1alpha1.ReasonConflict)
	}
	if passes := w.passes() - before; passes > 2*namesakes {
		t.Errorf("%d edits caused %d passes", namesakes, passes)
	}
	w.noWrites(mark)
	if n := w.called(k.getting); n > 3 {
		t.Errorf("%d calls of %s for one resource", n, k.getting)
	}
}

// passes counts those that the controllers have made.
func (w *world) passes() int {
	w.t.Helper()
	registry := prometheus.NewRegistry()
	w.must(registry.Register(w.metrics))
	families, err := registry.Gather()
	w.must(err)
	passes := 0
	for _, family := range families {
		if family.GetName() == "holdfast_reconcile_duration_seconds" {
			for _, series := range family.GetMetric() {
				passes += int(series.GetHistogram().GetSampleCount())
			}
		}
	}
	return passes
}
