package e2e

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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
	// writes are the calls that the step makes, each once, however often the process is killed.
	writes func(k kind) []string
}

var crashes = map[string]crashing{
	"create": {
		before: func(*world, kind, v1alpha1.Object) {},
		step:   func(w *world, _ kind, obj v1alpha1.Object) { w.create(obj) },
		after:  expectHeld(true),
		writes: func(k kind) []string { return []string{k.creating} },
	},
	"update": {
		before: createdAndReady,
		step: func(w *world, k kind, obj v1alpha1.Object) {
			edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		},
		after:  expectHeld(false),
		writes: func(k kind) []string { return []string{k.updating} },
	},
	"reset": {
		before: createdAndReady,
		step:   func(w *world, k kind, obj v1alpha1.Object) { edit(w, obj, func(o v1alpha1.Object) { k.set(o, nil) }) },
		after:  expectHeld(false),
		writes: func(k kind) []string { return []string{k.updating} },
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
				return k.console(w).look(obj.GetName()).on && w.atRest(obj), describe(obj)
			})
			expectHeld(true)(w, k, obj)
		},
		writes: func(k kind) []string { return []string{k.updating} },
	},
	"adopt": {
		before: func(w *world, k kind, obj v1alpha1.Object) { k.console(w).create(obj.GetName(), false) },
		step: func(w *world, _ kind, obj v1alpha1.Object) {
			obj.GetCommonSpec().Adoption = v1alpha1.AdoptionAlways
			w.create(obj)
		},
		after:  expectHeld(true),
		writes: func(k kind) []string { return []string{k.updating} },
	},
	"approve": {
		before: func(w *world, k kind, obj v1alpha1.Object) {
			k.console(w).create(obj.GetName(), false)
			waits := v1alpha1.ReasonAwaitingAdoption
			if !k.is(adopted) {
				obj.GetCommonSpec().Management, waits = v1alpha1.ManagementApprove, v1alpha1.ReasonAwaitingApproval
			}
			w.create(obj)
			w.reason(obj, waits)
		},
		step:   func(w *world, _ kind, obj v1alpha1.Object) { approve(w, obj) },
		after:  expectHeld(true),
		writes: func(k kind) []string { return []string{k.updating} },
	},
	"orphan": {
		before: func(w *world, k kind, obj v1alpha1.Object) {
			obj.GetCommonSpec().DeletionPolicy = v1alpha1.DeletionOrphan
			createdAndReady(w, k, obj)
		},
		step: func(w *world, _ kind, obj v1alpha1.Object) { w.delete(obj) },
		after: func(w *world, k kind, obj v1alpha1.Object) {
			w.gone(obj)
			if d := cmp.Diff(look{there: true, on: true, team: "shop"}, k.console(w).look(obj.GetName()), looks); d != "" {
				w.t.Errorf("the orphan (-want +got):\n%s", d)
			}
		},
		writes: func(k kind) []string { return k.unmarks() },
	},
	"delete": {
		before: createdAndReady,
		step:   func(w *world, _ kind, obj v1alpha1.Object) { w.delete(obj) },
		after: func(w *world, k kind, obj v1alpha1.Object) {
			w.gone(obj)
			if k.console(w).look(obj.GetName()).there {
				w.t.Errorf("the %s is still there", k.Name)
			}
		},
		writes: func(k kind) []string { return []string{k.deleting} },
	},
}

// TestKilledAtEachCall kills the process at each of the calls, to either API, that a step takes: before the call is sent, and,
// where it writes, after it was carried out but before its answer. After a restart the step comes to the same end.
func TestKilledAtEachCall(t *testing.T) {
	t.Parallel()
	for name, c := range crashes {
		t.Run(name, func(t *testing.T) {
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
		writes: func(kind) []string { return []string{"buckets.patch", "buckets.lockRetentionPolicy"} },
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
		if c.writes(k) == nil { // what is left is to let go of the object
			least = 1
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
	w.untilVisible(k, obj)
	c.after(w, k, obj)
	if d := cmp.Diff(c.writes(k), w.carriedOutWrites(mark)); d != "" {
		w.t.Errorf("cut at call %d %s: writes that were carried out (-want +got):\n%s", n, at, d)
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
		if obj.GetCommonSpec().Management == v1alpha1.ManagementApprove {
			edit(w, obj, func(o v1alpha1.Object) { o.GetCommonSpec().Management = v1alpha1.ManagementManage })
		}
		w.delete(obj)
		w.gone(obj)
	}
	if k.console(w).look(obj.GetName()).there {
		k.console(w).delete(obj.GetName())
	}
}

// untilVisible does not wait, where the process ended just before a create, for the minute that Google may take to show the resource:
// it is made to look as if that had passed.
func (w *world) untilVisible(k kind, obj v1alpha1.Object) {
	w.t.Helper()
	if k.is(immediate) {
		return
	}
	w.eventually(obj.GetName()+" to be looked at", func() (bool, string) {
		if w.read(obj) != nil || !obj.GetDeletionTimestamp().IsZero() {
			return true, "" // it goes, or is gone
		}
		c := condition(obj, v1alpha1.ConditionReady)
		if obj.GetCommonStatus().LastCreateAttemptTime != nil && !k.console(w).look(obj.GetName()).there {
			forgetCreation(w, obj)
			annotate(w, obj, v1alpha1.ReconcileRequestedAtAnnotation, obj.GetResourceVersion())
		}
		return c != nil && c.Reason == v1alpha1.ReasonUpToDate && c.ObservedGeneration == obj.GetGeneration(), describe(obj)
	})
}

// createdAndReady creates an object whose resource looks as if it had been there for long.
func createdAndReady(w *world, _ kind, obj v1alpha1.Object) {
	w.t.Helper()
	w.create(obj)
	w.ready(obj)
	forgetCreation(w, obj)
}

// looks compares what somebody sees in the console.
var looks = cmp.Options{cmp.AllowUnexported(look{}), cmpopts.EquateEmpty()}

// expectHeld returns a check that an object is Ready, its resource as the manifest says, marked, and nothing left pending.
func expectHeld(on bool) func(w *world, k kind, obj v1alpha1.Object) {
	return func(w *world, k kind, obj v1alpha1.Object) {
		w.t.Helper()
		w.ready(obj)
		if live := k.console(w).look(obj.GetName()); !live.there || live.on != on || live.team != "shop" {
			w.t.Errorf("live: %+v", live)
		}
		w.expectMarked(k, obj)
		status := obj.GetCommonStatus()
		if len(status.Pending) > 0 || status.Approved != nil || status.Plan != nil || len(status.Drift) > 0 {
			w.t.Errorf("left in status: pending %v, approved %v, plan %v, drift %v", status.Pending, status.Approved, status.Plan, status.Drift)
		}
		if iam := status.IAM; iam != nil && len(iam.Pending) > 0 {
			w.t.Errorf("pending grants are left: %v", iam.Pending)
		}
		if len(status.AppliedFields) == 0 && (status.IAM == nil || len(status.IAM.Grants) == 0) {
			w.t.Error("neither applied fields nor grants are recorded")
		}
	}
}
