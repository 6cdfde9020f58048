package e2e

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestWhatACreateCannotSetFollowsAtOnce(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := aBucket("orders", v1alpha1.BucketSpec{DefaultEventBasedHold: new(true)})
	w.create(bucket)
	w.ready(bucket)
	if w.settings("orders")["defaultEventBasedHold"] != true {
		t.Errorf("the hold is not there: %v", w.settings("orders"))
	}
}

func TestAfterALostStatusNothingIsResetThatCannotBeProvenOurOwn(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		w.stop()
		w.loseStatus(obj)
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, nil) })
		mark := w.cloud.Traffic.Mark()
		w.start()
		w.ready(obj)
		proven := k.is(ownerLabels) // by the label of the create, as long as nobody has set anything else
		if !proven {
			w.noWrites(mark)
		}
		if on := k.console(w).look("orders").on; on == proven {
			t.Errorf("that the field is ours is proven: %t; and it is still set: %t", proven, on)
		}

		t.Log("marks, or a unique ID, still say whose it is; a grant does not, so it stays")
		w.delete(obj)
		w.gone(obj)
		if there := k.console(w).look("orders").there; there == k.is(distinct) {
			t.Errorf("the %s is there: %v", k.Name, there)
		}
	})
}

func TestAfterALostStatusWhatIsNotMarkedIsNotDeleted(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		k.console(w).create("orders", false)
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		k.set(obj, new(false))
		w.create(obj)
		w.ready(obj)
		w.stop()
		w.loseStatus(obj)
		k.console(w).set("orders", true)
		mark := w.cloud.Traffic.Mark()
		w.start()
		if !k.is(adopted) {
			w.ready(obj)
			w.delete(obj)
			w.gone(obj)
			if live := k.console(w).look("orders"); !live.on || live.team != "shop" {
				t.Errorf("what was there before is gone: %+v", live)
			}
			return
		}
		w.reason(obj, v1alpha1.ReasonAwaitingAdoption)
		w.delete(obj)
		w.gone(obj)
		w.noWrites(mark)
	})
}

// loseStatus takes an object's status away, as a restore from a backup does.
func (w *world) loseStatus(obj v1alpha1.Object) {
	w.t.Helper()
	w.get(obj)
	w.must(w.kube.Status().Patch(w.t.Context(), obj, client.RawPatch(types.MergePatchType, []byte(`{"status": null}`))))
	w.get(obj)
	if obj.GetCommonStatus().Identity != "" {
		w.t.Fatalf("the status is still there:\n%s", describe(obj))
	}
}
