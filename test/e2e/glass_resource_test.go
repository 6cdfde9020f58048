package e2e

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// otherManifests are manifests of the resource of another one, on which somebody breaks the glass, or on whose Namespace.
func otherManifests(w *world, other string, k kind) map[string]func() (obj v1alpha1.Object, breakIt, closeIt func()) {
	observing := v1alpha1.CommonSpec{ResourceID: "orders", Management: v1alpha1.ManagementObserve}
	return map[string]func() (v1alpha1.Object, func(), func()){
		"one that observes": func() (v1alpha1.Object, func(), func()) {
			obj := k.manifest("watcher", observing)
			w.create(obj)
			return obj, func() { w.breakGlass(obj) }, func() { w.closeGlass(obj) }
		},
		"one that lost": func() (v1alpha1.Object, func(), func()) {
			obj := k.manifest("loser", v1alpha1.CommonSpec{ResourceID: "orders"})
			w.create(obj)
			return obj, func() { w.breakGlass(obj) }, func() { w.closeGlass(obj) }
		},
		"one of another namespace": func() (v1alpha1.Object, func(), func()) {
			space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: other}}
			obj := inNamespace(k.manifest("theirs", observing), other)
			w.create(obj)
			return obj, func() { w.breakGlass(space) }, func() { w.closeGlass(space) }
		},
	}
}

// TestNoManifestWritesThroughTheGlassOfAnother: a glass holds the resource, not one object that declares it.
func TestNoManifestWritesThroughTheGlassOfAnother(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"one that observes", "one that lost", "one of another namespace"} {
		t.Run(name, func(t *testing.T) {
			forEachKind(t, func(t *testing.T, k kind) {
				w, another := newNeighbours(t)
				holder := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
				w.create(holder)
				w.ready(holder)
				nextSecond() // so that the holder is the older one
				other, breakIt, closeIt := otherManifests(w, another, k)[name]()
				w.settled(other)
				breakIt()
				w.glass(other, metav1.ConditionTrue)
				mark := w.cloud.Traffic.Mark()
				edit(w, holder, func(o v1alpha1.Object) { k.set(o, new(false)) })
				w.reason(holder, v1alpha1.ReasonBreakGlass)
				if message := condition(holder, v1alpha1.ConditionReady).Message; !strings.Contains(message, other.GetNamespace()+"/"+other.GetName()) {
					t.Errorf("it does not say on which manifest the glass is broken: %s", message)
				}
				w.delete(holder)
				w.settled(holder)
				w.reason(holder, v1alpha1.ReasonBreakGlass)
				w.noWrites(mark)

				t.Log("it is closed: the holder is looked at again by itself, and what was deleted meanwhile stays until somebody has seen that it goes")
				closeIt()
				w.glass(other, metav1.ConditionFalse)
				if !k.is(exclusive) && other.GetCommonSpec().Management == v1alpha1.ManagementObserve { // which grants nothing
					w.reason(holder, v1alpha1.ReasonAwaitingApproval)
					w.noWrites(mark)
					return
				}
				w.gone(holder) // the other one declares the resource, or grants the same
				if n := w.carriedOut(mark, k.deleting, ""); n > 0 {
					t.Errorf("the %s was deleted", k.Name)
				}
			})
		})
	}
}

// TestAManifestUnderGlassKeepsItsPlace, also if it is edited so that it would not hold the resource any more.
func TestAManifestUnderGlassKeepsItsPlace(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		holder := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(holder)
		w.ready(holder)
		w.breakGlass(holder)
		w.glass(holder, metav1.ConditionTrue)
		nextSecond()
		mark := w.cloud.Traffic.Mark()
		thief := k.manifest("thief", v1alpha1.CommonSpec{ResourceID: "orders", Adoption: v1alpha1.AdoptionAlways})
		k.set(thief, new(false))
		w.create(thief)
		w.settled(thief)
		edit(w, holder, func(o v1alpha1.Object) { o.GetCommonSpec().Management = v1alpha1.ManagementObserve })
		w.reason(thief, v1alpha1.ReasonBreakGlass)
		w.settled(thief)
		w.noWrites(mark)

		t.Log("after the incident the other one may write")
		w.closeGlass(holder)
		w.ready(thief)
		if k.is(exclusive) && k.console(w).look("orders").on {
			t.Errorf("the %s was not changed", k.Name)
		}
	})
}

// TestNobodyFreezesWhatIsNotHisProjects: a manifest that may not act on a resource does not hold it by its glass.
func TestNobodyFreezesWhatIsNotHisProjects(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		strange, former := w.namespace+"-strange", w.namespace+"-former"
		w.makeNamespace(strange, map[string]string{v1alpha1.ProjectIDAnnotation: "another-project"})
		w.makeNamespace(former, map[string]string{v1alpha1.ProjectIDAnnotation: w.project})
		w.start(strange, former)
		holder := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(holder)
		w.ready(holder)
		stranger := inNamespace(k.manifest("stranger", v1alpha1.CommonSpec{ResourceID: "orders", Management: v1alpha1.ManagementObserve}), strange)
		w.create(stranger)
		w.breakGlass(stranger)
		w.glass(stranger, metav1.ConditionTrue)
		edit(w, holder, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.ready(holder)

		t.Log("nor does one whose namespace was bound to the project before")
		squatter := inNamespace(k.manifest("squatter", v1alpha1.CommonSpec{ResourceID: "orders", Management: v1alpha1.ManagementObserve}), former)
		w.create(squatter)
		w.settled(squatter)
		w.annotates("", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: former}}, annotations{v1alpha1.ProjectIDAnnotation: "another-project"})
		w.breakGlass(squatter)
		w.glass(squatter, metav1.ConditionTrue)
		edit(w, holder, func(o v1alpha1.Object) { k.set(o, new(true)) })
		w.ready(holder)
	})
}

// TestAGlassIsAcknowledgedOnceTheWriteOfAnotherManifestHasEnded, also if the manifest that it is on was not there when the write began.
func TestAGlassIsAcknowledgedOnceTheWriteOfAnotherManifestHasEnded(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		holder := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(holder)
		w.ready(holder)
		updating := w.cloud.Traffic.Pause(call(k.updating))
		t.Cleanup(updating.Release)
		edit(w, holder, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.reached(updating)
		watcher := inNamespace(k.manifest("watcher", v1alpha1.CommonSpec{ResourceID: "orders", Management: v1alpha1.ManagementObserve}), w.namespace)
		watcher.SetAnnotations(map[string]string{v1alpha1.BreakGlassAnnotation: incident})
		w.must(w.as(installed.Ada).Create(t.Context(), watcher))
		w.glass(watcher, metav1.ConditionUnknown)
		if c := condition(watcher, v1alpha1.ConditionBreakGlass); c.Reason != v1alpha1.ReasonWriteInFlight || !strings.Contains(c.Message, "another manifest") {
			t.Errorf("BreakGlass says %s: %s", c.Reason, c.Message)
		}
		updating.Release()
		w.glass(watcher, metav1.ConditionTrue)
		mark := w.cloud.Traffic.Mark()
		edit(w, holder, func(o v1alpha1.Object) { k.set(o, new(true)) })
		w.reason(holder, v1alpha1.ReasonBreakGlass)
		w.noWrites(mark)
	})
}
