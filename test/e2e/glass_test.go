package e2e

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const incident = "INC-4711: partner needs access"

// glasses break and close the glass on an object or on its Namespace.
var glasses = map[string]struct {
	open, close func(w *world, obj v1alpha1.Object)
}{
	"object": {
		func(w *world, obj v1alpha1.Object) { annotate(w, obj, v1alpha1.BreakGlassAnnotation, incident) },
		func(w *world, obj v1alpha1.Object) {
			edit(w, obj, func(o v1alpha1.Object) {
				annotations := o.GetAnnotations()
				delete(annotations, v1alpha1.BreakGlassAnnotation)
				o.SetAnnotations(annotations)
			})
		},
	},
	"namespace": {
		func(w *world, _ v1alpha1.Object) {
			w.editNamespace(func(n *corev1.Namespace) { n.Annotations[v1alpha1.BreakGlassAnnotation] = incident })
		},
		func(w *world, _ v1alpha1.Object) {
			w.editNamespace(func(n *corev1.Namespace) { delete(n.Annotations, v1alpha1.BreakGlassAnnotation) })
		},
	},
}

// forEachGlass runs a test once per kind and place of the glass.
func forEachGlass(t *testing.T, test func(t *testing.T, k kind, breakIt, closeIt func(w *world, obj v1alpha1.Object))) {
	t.Helper()
	t.Parallel()
	for where, glass := range glasses {
		t.Run(where, func(t *testing.T) {
			forEachKind(t, func(t *testing.T, k kind) { test(t, k, glass.open, glass.close) })
		})
	}
}

func TestWhileTheGlassIsBrokenNothingIsWritten(t *testing.T) {
	forEachGlass(t, func(t *testing.T, k kind, breakIt, closeIt func(w *world, obj v1alpha1.Object)) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		breakIt(w, obj)
		w.broken(obj)
		mark := w.cloud.Traffic.Mark()

		t.Log("drift is computed, and Ready keeps its value")
		k.console(w).set("orders", false)
		w.settled(obj)
		if ready, drifted := condition(obj, v1alpha1.ConditionReady), condition(obj, v1alpha1.ConditionDrifted); ready.Status != metav1.ConditionTrue || drifted.Status != metav1.ConditionTrue {
			t.Errorf("Ready and Drifted should both hold:\n%s", describe(obj))
		}

		t.Log("a new generation is held")
		edit(w, obj, func(o v1alpha1.Object) { k.team(o, "bank") })
		w.reason(obj, v1alpha1.ReasonBreakGlass)
		w.noWrites(mark)

		t.Log("closing lets both go")
		closeIt(w, obj)
		w.ready(obj)
		if live := k.console(w).look("orders"); !live.on || live.team != "bank" {
			t.Errorf("live: %+v", live)
		}
		if c := condition(obj, v1alpha1.ConditionBreakGlass); c.Status != metav1.ConditionFalse {
			t.Errorf("BreakGlass is %s", c.Status)
		}
	})
}

func TestWhileTheGlassIsBrokenNothingIsMade(t *testing.T) {
	forEachGlass(t, func(t *testing.T, k kind, breakIt, closeIt func(w *world, obj v1alpha1.Object)) {
		w := newWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		breakIt(w, obj)
		w.start()
		w.reason(obj, v1alpha1.ReasonBreakGlass)
		w.noWrites(0)
		closeIt(w, obj)
		w.ready(obj)
	})
}

func TestWhileTheGlassIsBrokenDeletingWaits(t *testing.T) {
	forEachGlass(t, func(t *testing.T, k kind, breakIt, closeIt func(w *world, obj v1alpha1.Object)) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		breakIt(w, obj)
		w.broken(obj)
		mark := w.cloud.Traffic.Mark()
		w.delete(obj)
		w.reason(obj, v1alpha1.ReasonBreakGlass)
		w.noWrites(mark)
		if !k.console(w).look("orders").there {
			t.Errorf("the %s is gone", k.Name)
		}

		t.Log("closing does not delete what was deleted meanwhile: somebody has to have seen that it goes")
		closeIt(w, obj)
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		w.noWrites(mark)
		approve(w, obj)
		w.gone(obj)
		if k.console(w).look("orders").there {
			t.Errorf("the %s is still there", k.Name)
		}
	})
}

func TestAGlassThatBreaksWhileGoogleIsAskedHoldsTheWrite(t *testing.T) {
	forEachGlass(t, func(t *testing.T, k kind, breakIt, closeIt func(w *world, obj v1alpha1.Object)) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		mark := w.cloud.Traffic.Mark()
		looking := w.cloud.Traffic.Pause(call(k.getting))
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.reached(looking)
		breakIt(w, obj)
		looking.Release()
		w.reason(obj, v1alpha1.ReasonBreakGlass)
		w.broken(obj)
		w.noWrites(mark)
		closeIt(w, obj)
		w.ready(obj)
	})
}

func TestAGlassThatBreaksWhileABucketIsEmptiedStopsAtTheNextBatch(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := fullBucket(w, 130)
	deleting := w.cloud.Traffic.Pause(call("objects.delete"))
	w.delete(bucket)
	w.reached(deleting)
	nextSecond() // or it would count as deleted in the incident
	annotate(w, bucket, v1alpha1.BreakGlassAnnotation, incident)
	deleting.Release()
	w.reason(bucket, v1alpha1.ReasonBreakGlass)
	if n := w.carriedOut(0, "objects.delete", "day-"); n > 100 {
		t.Errorf("%d generations were deleted in the batch that was under way", n)
	}
	closeGlass := glasses["object"].close
	closeGlass(w, bucket)
	w.gone(bucket)
}

// nextSecond waits until the second is over: the API server tells times in seconds.
func nextSecond() { <-time.After(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) }

func TestAGlassClosesByItself(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		until := time.Now().Add(aWhile).UTC().Format(time.RFC3339)
		edit(w, obj, func(o v1alpha1.Object) {
			o.SetAnnotations(map[string]string{v1alpha1.BreakGlassAnnotation: incident, v1alpha1.BreakGlassUntilAnnotation: until})
			k.set(o, new(false))
		})
		w.reason(obj, v1alpha1.ReasonBreakGlass)
		w.ready(obj)
		if k.console(w).look("orders").on {
			t.Error("the edit was not applied")
		}
	})
}

func TestNothingIsWrittenOnceTheLeaseHasRunOut(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		mark := w.cloud.Traffic.Mark()
		w.lease.deadline.Store(new(time.Now().Add(-time.Millisecond)))
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.reason(obj, v1alpha1.ReasonUnavailable)
		w.expectAdvice(obj, "lease")
		w.noWrites(mark)
		w.lease.deadline.Store(new(time.Now().Add(time.Hour)))
		w.ready(obj)
	})
}

func TestAWriteEndsWithTheLease(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.lease.deadline.Store(new(time.Now().Add(aWhile)))
		creating := w.cloud.Traffic.Pause(call(k.creating))
		w.create(obj)
		w.reached(creating)
		w.reason(obj, v1alpha1.ReasonUnavailable)
		w.lease.deadline.Store(new(time.Now().Add(time.Hour)))
		creating.Release()
		w.untilVisible(k, obj)
		w.ready(obj)
		if n := w.carriedOut(0, k.creating, ""); n != 1 {
			t.Errorf("%d creates", n)
		}
	})
}

// broken waits until an object acknowledges that its glass is broken.
func (w *world) broken(obj v1alpha1.Object) {
	w.t.Helper()
	w.eventually(obj.GetName()+" to acknowledge the broken glass", func() (bool, string) {
		w.get(obj)
		c := condition(obj, v1alpha1.ConditionBreakGlass)
		return c != nil && c.Status == metav1.ConditionTrue, describe(obj)
	})
}
