package e2e

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// losing says for each kind which value of its setting loses data that the other one keeps; the setting of the others loses none.
var losing = map[string]bool{"bucket": false, "topic": true}

// limit sets an annotation of the world's Namespace, or removes it.
func (w *world) limit(key, value string) {
	w.t.Helper()
	edit(w, w.space(), func(n *corev1.Namespace) {
		delete(n.Annotations, key)
		if value != "" {
			n.Annotations[key] = value
		}
	})
}

func TestWhatLosesDataWaitsForApproval(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.limit(v1alpha1.AllowAnnotation, "")
		w.start()
		lost, loses := losing[k.title]
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		k.set(obj, new(!lost))
		w.create(obj)
		w.ready(obj)

		mark := w.cloud.Traffic.Mark()
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, &lost) })
		if !loses {
			w.ready(obj)
			return
		}
		w.reason(obj, v1alpha1.ReasonDataLoss)
		w.noWrites(mark)
		if message := condition(obj, v1alpha1.ConditionReady).Message; !strings.Contains(message, k.paths("orders")[0]) {
			t.Errorf("the message does not name the field: %s", message)
		}
		approve(w, obj)
		w.ready(obj)

		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(!lost)) })
		w.ready(obj)
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, nil) }) // back to Google's default
		w.reason(obj, v1alpha1.ReasonDataLoss)
		approve(w, obj)
		w.ready(obj)
	})
}

// TestTheNamespaceMayLetDataGo, also while nobody looks.
func TestTheNamespaceMayLetDataGo(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		lost, loses := losing[k.title]
		if !loses {
			t.Skip("its setting loses nothing")
		}
		w := newWorld(t)
		w.limit(v1alpha1.AllowAnnotation, "")
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		k.set(obj, new(!lost))
		w.create(obj)
		w.ready(obj)
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, &lost) })
		w.reason(obj, v1alpha1.ReasonDataLoss)
		w.stop()
		w.limit(v1alpha1.AllowAnnotation, v1alpha1.AllowDataLoss)
		w.start()
		w.ready(obj)

		w.stop()
		w.limit(v1alpha1.AllowAnnotation, "")
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(!lost)) })
		w.start()
		w.ready(obj)
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, &lost) })
		w.reason(obj, v1alpha1.ReasonDataLoss)
	})
}

// TestDeletingWhatWasOnlyAdoptedWaits, though something was written to it since.
func TestDeletingWhatWasOnlyAdoptedWaits(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		if !k.is(comesAndGoes) {
			t.Skip(k.lacks[comesAndGoes])
		}
		for name, written := range map[string]bool{"adopted": false, "adopted and changed": true} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t)
				w.limit(v1alpha1.AllowAnnotation, "")
				w.start()
				k.console(w).create("orders", true)
				obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
				w.create(obj)
				w.ready(obj)
				if written {
					edit(w, obj, func(o v1alpha1.Object) { k.team(o, "bank") })
					w.ready(obj)
				}
				w.restart()
				mark := w.cloud.Traffic.Mark()
				w.delete(obj)
				w.reason(obj, v1alpha1.ReasonDataLoss)
				w.noWrites(mark)
				message := condition(obj, v1alpha1.ConditionReady).Message
				for _, way := range []string{"To approve: ", v1alpha1.AllowAnnotation + "=" + v1alpha1.AllowDataLoss, `{"spec":{"deletionPolicy":"Orphan"}}`} {
					if !strings.Contains(message, way) {
						t.Errorf("the message lacks %q: %s", way, message)
					}
				}
				approve(w, obj)
				w.gone(obj)
				if k.console(w).look("orders").there {
					t.Errorf("the %s is still there", k.Name)
				}
			})
		}
	})
}

// TestDeletingWhatWasCreatedWaitsForNobody: the brake is for what somebody else made.
func TestDeletingWhatWasCreatedWaitsForNobody(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.limit(v1alpha1.AllowAnnotation, "")
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		mark := w.cloud.Traffic.Mark()
		w.delete(obj)
		w.gone(obj)
		if d := cmp.Diff([]string{k.deleting}, w.writes(mark)); d != "" {
			t.Errorf("writes of the deletion (-want +got):\n%s", d)
		}
	})
}
