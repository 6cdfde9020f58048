package e2e

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// crashing is a step of an object's life in which the process is killed.
type crashing struct {
	// before brings the object to where the step begins.
	before func(w *world, k kind, obj v1alpha1.Object)
	// step is what a person does.
	step func(w *world, k kind, obj v1alpha1.Object)
	// after waits until the step is done, and checks what is there.
	after func(w *world, k kind, obj v1alpha1.Object)
	// write is the one call that the step makes, however often the process is killed.
	write func(k kind) string
}

var crashes = map[string]crashing{
	"create": {
		before: func(*world, kind, v1alpha1.Object) {},
		step:   func(w *world, _ kind, obj v1alpha1.Object) { w.create(obj) },
		after:  expectHeld(true),
		write:  func(k kind) string { return k.creating },
	},
	"update": {
		before: createdAndReady,
		step: func(w *world, k kind, obj v1alpha1.Object) {
			edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		},
		after: expectHeld(false),
		write: func(k kind) string { return k.updating },
	},
	"reset": {
		before: createdAndReady,
		step:   func(w *world, k kind, obj v1alpha1.Object) { edit(w, obj, func(o v1alpha1.Object) { k.set(o, nil) }) },
		after:  expectHeld(false),
		write:  func(k kind) string { return k.updating },
	},
	"drift": {
		before: func(w *world, k kind, obj v1alpha1.Object) {
			createdAndReady(w, k, obj)
			k.console(w).set(obj.GetName(), false)
		},
		step: func(w *world, _ kind, obj v1alpha1.Object) {
			annotate(w, obj, v1alpha1.ReconcileRequestedAtAnnotation, "now")
		},
		after: func(w *world, k kind, obj v1alpha1.Object) {
			w.eventually("the drift to be corrected", func() (bool, string) {
				_, on, _ := k.console(w).look(obj.GetName())
				return on, describe(obj)
			})
			expectHeld(true)(w, k, obj)
		},
		write: func(k kind) string { return k.updating },
	},
	"adopt": {
		before: func(w *world, k kind, obj v1alpha1.Object) { k.console(w).create(obj.GetName(), false) },
		step: func(w *world, _ kind, obj v1alpha1.Object) {
			obj.GetCommonSpec().Adoption = v1alpha1.AdoptionAlways
			w.create(obj)
		},
		after: expectHeld(true),
		write: func(k kind) string { return k.updating },
	},
	"approve": {
		before: func(w *world, k kind, obj v1alpha1.Object) {
			k.console(w).create(obj.GetName(), false)
			w.create(obj)
			w.reason(obj, v1alpha1.ReasonAwaitingAdoption)
		},
		step:  func(w *world, _ kind, obj v1alpha1.Object) { approve(w, obj) },
		after: expectHeld(true),
		write: func(k kind) string { return k.updating },
	},
	"orphan": {
		before: func(w *world, k kind, obj v1alpha1.Object) {
			obj.GetCommonSpec().DeletionPolicy = v1alpha1.DeletionOrphan
			createdAndReady(w, k, obj)
		},
		step: func(w *world, _ kind, obj v1alpha1.Object) { w.delete(obj) },
		after: func(w *world, k kind, obj v1alpha1.Object) {
			w.gone(obj)
			labels, on, there := k.console(w).look(obj.GetName())
			if d := cmp.Diff(map[string]string{"team": "shop"}, labels); d != "" || !on || !there {
				w.t.Errorf("the orphan is there: %v, setting on: %v, labels (-want +got):\n%s", there, on, d)
			}
		},
		write: func(k kind) string { return k.updating },
	},
	"delete": {
		before: createdAndReady,
		step:   func(w *world, _ kind, obj v1alpha1.Object) { w.delete(obj) },
		after: func(w *world, k kind, obj v1alpha1.Object) {
			w.gone(obj)
			if _, _, there := k.console(w).look(obj.GetName()); there {
				w.t.Errorf("the %s is still there", k.name)
			}
		},
		write: func(k kind) string { return k.deleting },
	},
}

// TestKilledAtEachCall kills the process at each of the calls, to either API, that a step takes: before the call is sent, and,
// where it writes, after it was carried out but before its answer. After a restart the step comes to the same end.
func TestKilledAtEachCall(t *testing.T) {
	for name, c := range crashes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachKind(t, func(t *testing.T, k kind) { killAtEachCall(t, k, c) })
		})
	}
}

// TestKilledAtEachCallOfALock does so in a plan of two writes, the second of which nothing can undo: it goes on under its
// approval, and the lock is set once.
func TestKilledAtEachCallOfALock(t *testing.T) {
	t.Parallel()
	killAtEachCall(t, buckets, crashing{
		before: func(w *world, k kind, obj v1alpha1.Object) {
			createdAndReady(w, k, obj)
			edit(w, obj, func(o v1alpha1.Object) { lock(o.(*v1alpha1.Bucket)) })
			w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		},
		step: func(w *world, _ kind, obj v1alpha1.Object) { approve(w, obj) },
		after: func(w *world, k kind, obj v1alpha1.Object) {
			expectHeld(true)(w, k, obj)
			w.expectLocked(obj.GetName())
		},
		write: func(kind) string { return "buckets.lockRetentionPolicy" },
	})
}

func killAtEachCall(t *testing.T, k kind, c crashing) {
	t.Helper()
	w := newWorld(t)
	w.wire = newWire(t, w.cloud)
	w.start()
	for at, least := range map[moment]int{beforeSending: 4, beforeAnswer: 2} {
		calls := 0
		for w.survives(k, c, calls+1, at) {
			calls++
		}
		if calls < least {
			t.Errorf("the step was cut at %d calls %s: that is not all of them", calls, at)
		}
		t.Logf("cut at each of %d calls %s", calls, at)
	}
}

// survives kills the process at the n-th call of a step and checks what comes of it. It returns false when the step takes
// fewer calls than that.
func (w *world) survives(k kind, c crashing, n int, at moment) bool {
	w.t.Helper()
	obj := k.manifest(fmt.Sprintf("orders-%d", n), v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
	obj.SetNamespace(w.namespace)
	c.before(w, k, obj)
	mark := w.cloud.Traffic.Mark()
	wasCut := w.killedAt(n, at, obj, func() { c.step(w, k, obj) })
	c.after(w, k, obj)
	if got := w.carriedOut(mark, c.write(k), obj.GetName()); got != 1 {
		w.t.Errorf("cut at call %d %s: %s was carried out %d times", n, at, c.write(k), got)
	}
	w.cleanUp(k, obj)
	return wasCut && !w.t.Failed()
}

// killedAt kills the process at the n-th call of a step, and starts it anew. It returns false when the step takes fewer calls.
func (w *world) killedAt(n int, at moment, obj v1alpha1.Object, step func()) bool {
	w.t.Helper()
	w.wire.cut(n, at)
	step()
	w.eventually("the step to be cut or done", func() (bool, string) { return w.wire.isCut() || w.atRest(obj), describe(obj) })
	wasCut := w.wire.isCut()
	if wasCut {
		w.stop()
		w.wire.mend()
		w.start()
	}
	w.wire.mend()
	return wasCut
}

// atRest says whether nothing is left to do for an object: it is up to date and handled as requested, or gone.
func (w *world) atRest(obj v1alpha1.Object) bool {
	w.t.Helper()
	if w.read(obj) != nil {
		return true
	}
	c, status := condition(obj, v1alpha1.ConditionReady), obj.GetCommonStatus()
	return c != nil && c.Reason == v1alpha1.ReasonUpToDate && c.ObservedGeneration == obj.GetGeneration() &&
		obj.GetAnnotations()[v1alpha1.ReconcileRequestedAtAnnotation] == status.LastHandledReconcileAt
}

// cleanUp leaves nothing of an object, here or there.
func (w *world) cleanUp(k kind, obj v1alpha1.Object) {
	w.t.Helper()
	if w.read(obj) == nil {
		w.delete(obj)
		w.gone(obj)
	}
	if _, _, there := k.console(w).look(obj.GetName()); there {
		k.console(w).delete(obj.GetName())
	}
}

func createdAndReady(w *world, _ kind, obj v1alpha1.Object) {
	w.t.Helper()
	w.create(obj)
	w.ready(obj)
}

// expectHeld returns a check that an object is Ready, its resource as the manifest says, marked, and nothing left pending.
func expectHeld(on bool) func(w *world, k kind, obj v1alpha1.Object) {
	return func(w *world, k kind, obj v1alpha1.Object) {
		w.t.Helper()
		w.ready(obj)
		labels, isOn, there := k.console(w).look(obj.GetName())
		if !there || isOn != on || labels["team"] != "shop" || labels[v1alpha1.OwnerNameLabel] != obj.GetName() {
			w.t.Errorf("there: %v, setting on: %v, labels: %v", there, isOn, labels)
		}
		status := obj.GetCommonStatus()
		if len(status.Pending) > 0 || status.Approved != nil || status.Plan != nil || len(status.Drift) > 0 {
			w.t.Errorf("left in status: pending %v, approved %v, plan %v, drift %v", status.Pending, status.Approved, status.Plan, status.Drift)
		}
		if len(status.AppliedFields) == 0 {
			w.t.Error("no applied fields are recorded")
		}
	}
}
