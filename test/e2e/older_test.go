package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
)

// startStopping starts a world whose gate can be stopped.
func startStopping(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.turnstile = &turnstile{}
	w.start()
	return w
}

// stopAtGate stops the next pass that is about to write for an object: between planning, and looking whether the plan is still the newest.
func (w *world) stopAtGate(obj v1alpha1.Object) *hold {
	resource := "/" + resourceOf(obj)
	h := w.turnstile.stop(func(r request) bool { return r.method == http.MethodGet && strings.HasSuffix(r.path, resource) })
	w.t.Cleanup(h.goOn)
	return h
}

// arrives waits until a pass is stopped.
func (w *world) arrives(h *hold) {
	w.t.Helper()
	w.eventually("a pass to come to the gate", func() (bool, string) { return len(h.reached) > 0, "" })
}

// TestAWriteThatWasPlannedForAnOlderGenerationIsNotSent edits the manifest while a pass is between planning and the gate.
func TestAWriteThatWasPlannedForAnOlderGenerationIsNotSent(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startStopping(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		obj.SetNamespace(w.namespace)

		t.Log("a create")
		mark, gate := w.cloud.Traffic.Mark(), w.stopAtGate(obj)
		w.create(obj)
		w.arrives(gate)
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		gate.goOn()
		w.ready(obj)
		if live := k.console(w).look("orders"); live.on || live.team != "shop" {
			t.Errorf("live: %+v", live)
		}
		if d := cmp.Diff([]string{k.creating}, w.writes(mark)); d != "" {
			t.Errorf("writes (-want +got):\n%s", d)
		}

		t.Log("an update that is taken back")
		mark, gate = w.cloud.Traffic.Mark(), w.stopAtGate(obj)
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(true)) })
		w.arrives(gate)
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		gate.goOn()
		w.ready(obj)
		w.noWrites(mark)

		t.Log("a deletion that becomes an orphaning")
		mark, gate = w.cloud.Traffic.Mark(), w.stopAtGate(obj)
		w.delete(obj)
		w.arrives(gate)
		edit(w, obj, func(o v1alpha1.Object) { o.GetCommonSpec().DeletionPolicy = v1alpha1.DeletionOrphan })
		gate.goOn()
		w.gone(obj)
		if d := cmp.Diff(k.unmarks(), w.writes(mark)); d != "" {
			t.Errorf("writes (-want +got):\n%s", d)
		}
		if !k.console(w).look("orders").there {
			t.Errorf("the %s is gone", k.Name)
		}
	})
}

// TestTheSecondWriteOfAPlanIsNotSentForAnOlderGeneration edits the manifest while Google has the first one.
func TestTheSecondWriteOfAPlanIsNotSentForAnOlderGeneration(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		obj func() v1alpha1.Object
		// first and second are the calls of the plan that comes of a change.
		first, second string
		change, undo  func(obj v1alpha1.Object)
	}{
		"a retention that is set and locked": {
			obj: func() v1alpha1.Object { return aBucket("orders", v1alpha1.BucketSpec{}) }, first: "buckets.patch", second: "buckets.lockRetentionPolicy",
			change: func(obj v1alpha1.Object) { lock(obj.(*v1alpha1.Bucket)) },
			undo:   func(obj v1alpha1.Object) { obj.(*v1alpha1.Bucket).Spec.RetentionPolicy.Locked = nil },
		},
		"an account that is described and disabled": {
			obj: func() v1alpha1.Object { return anAccount("orders-writer", v1alpha1.ServiceAccountSpec{}) }, first: "IAM.PatchServiceAccount", second: "IAM.DisableServiceAccount",
			change: func(obj v1alpha1.Object) {
				spec := &obj.(*v1alpha1.ServiceAccount).Spec
				spec.Description, spec.Disabled = new("not in use"), new(true)
			},
			undo: func(obj v1alpha1.Object) { obj.(*v1alpha1.ServiceAccount).Spec.Disabled = new(false) },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			obj := tc.obj()
			w.create(obj)
			w.ready(obj)
			first := w.cloud.Traffic.Pause(call(tc.first))
			t.Cleanup(first.Release)
			edit(w, obj, tc.change)
			if _, isBucket := obj.(*v1alpha1.Bucket); isBucket {
				w.reason(obj, v1alpha1.ReasonAwaitingApproval)
				approve(w, obj)
			}
			w.reached(first)
			edit(w, obj, tc.undo)
			first.Release()
			w.ready(obj)
			if n := w.cloud.Traffic.Count(call(tc.second)); n > 0 {
				t.Errorf("%s was sent %d times for a manifest that did not say so any more", tc.second, n)
			}
		})
	}
}

// TestAPolicyIsNotTriedAgainForAnOlderGeneration: Google rejects a member, and meanwhile the manifest does without another one.
func TestAPolicyIsNotTriedAgainForAnOlderGeneration(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.must(w.cloud.Directory.Set("user:adda@example.com", policy.Unknown))
	p := aPolicy("team", additive(granting("roles/viewer", "user:adda@example.com", "user:bob@example.com")))
	setting := w.cloud.Traffic.Pause(setProjectPolicy)
	w.create(p)
	w.reached(setting)
	rebind(w, p, granting("roles/viewer", "user:cleo@example.com"))
	setting.Release()
	w.ready(p)
	w.expectGrants("roles/viewer user:cleo@example.com")
	for _, e := range w.calls(0, setProjectPolicy.Method, "bob") {
		if e.Status < http.StatusMultipleChoices {
			t.Errorf("what the manifest does not say any more was granted: %s", e.Request)
		}
	}
}

// refusal is why the gate lets nothing pass, from a moment on and until another one.
type refusal struct {
	from, until func(w *world, obj v1alpha1.Object)
	// reason is what Ready says meanwhile.
	reason string
}

var refusals = map[string]refusal{
	"glass": {
		from:   func(w *world, obj v1alpha1.Object) { w.breakGlass(obj) },
		until:  func(w *world, obj v1alpha1.Object) { w.closeGlass(obj) },
		reason: v1alpha1.ReasonBreakGlass,
	},
	"lease": {
		from:   func(w *world, _ v1alpha1.Object) { w.lease.deadline.Store(new(time.Now().Add(-time.Second))) },
		until:  func(w *world, _ v1alpha1.Object) { w.lease.deadline.Store(new(time.Now().Add(time.Hour))) },
		reason: v1alpha1.ReasonUnavailable,
	},
	"API server": {
		from:   func(w *world, _ v1alpha1.Object) { w.unreadable.Store(true) },
		until:  func(w *world, _ v1alpha1.Object) { w.unreadable.Store(false) },
		reason: v1alpha1.ReasonUnavailable,
	},
}

// TestACreateThatTheGateRefusedIsNotRemembered: what somebody else creates meanwhile is theirs, also if it is just like it.
func TestACreateThatTheGateRefusedIsNotRemembered(t *testing.T) {
	t.Parallel()
	for name, refused := range refusals {
		t.Run(name, func(t *testing.T) {
			forEachKind(t, func(t *testing.T, k kind) {
				w := newWorld(t)
				w.turnstile = &turnstile{}
				w.refuse = func(r *http.Request) bool {
					return w.unreadable.Load() && r.Method == http.MethodGet && namespaced.MatchString(r.URL.Path)
				}
				w.start()
				differs := k.manifest("differs", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
				alike := k.manifest("alike", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionNever, DeletionPolicy: v1alpha1.DeletionDelete})
				w.expectForgotten(k, refused, differs, false, v1alpha1.ReasonAwaitingAdoption)
				w.expectForgotten(k, refused, alike, true, v1alpha1.ReasonConflict)
			})
		})
	}
}

// expectForgotten has the gate refuse to create the resource of an object, which somebody else creates then, with the setting on or off.
// Ready must have a reason after that.
func (w *world) expectForgotten(k kind, refused refusal, obj v1alpha1.Object, on bool, reason string) {
	w.t.Helper()
	obj.SetNamespace(w.namespace)
	mark, gate := w.cloud.Traffic.Mark(), w.stopAtGate(obj)
	w.create(obj)
	w.arrives(gate)
	refused.from(w, obj)
	gate.goOn()
	w.reason(obj, refused.reason)
	w.expectNothingRemembered(obj)

	k.console(w).create(obj.GetName(), on)
	refused.until(w, obj)
	if !k.is(adopted) { // it is granted beside it
		w.ready(obj)
		return
	}
	w.reason(obj, reason)
	w.expectNotTaken(obj)
	w.delete(obj)
	w.gone(obj)
	if writes := w.carriedOutWrites(mark); len(writes) > 0 {
		w.t.Errorf("Google Cloud was written to: %v", writes)
	}
}

// TestACreateThatWasPlannedForAnOlderGenerationIsNotRemembered: the next one comes second.
func TestACreateThatWasPlannedForAnOlderGenerationIsNotRemembered(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startStopping(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		obj.SetNamespace(w.namespace)
		first := w.stopAtGate(obj)
		w.create(obj)
		w.arrives(first)
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		creating := w.cloud.Traffic.Pause(call(k.creating))
		t.Cleanup(creating.Release)
		first.goOn()
		w.reached(creating)
		k.console(w).create("orders", true) // as the manifest was before
		creating.Release()
		if !k.is(adopted) {
			w.ready(obj)
			return
		}
		w.reason(obj, v1alpha1.ReasonAwaitingAdoption)
		w.expectNotTaken(obj)
	})
}

// TestWhatAFailedCreateWouldHaveSetIsNotOurs: somebody else's value is not reset, though it is the one that the create was sent with.
func TestWhatAFailedCreateWouldHaveSetIsNotOurs(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		creating := w.cloud.Traffic.Pause(call(k.creating))
		t.Cleanup(creating.Release)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.reached(creating)
		k.console(w).create("orders", true)
		k.console(w).team("orders", "bank")
		creating.Release()
		if k.is(adopted) {
			w.reason(obj, v1alpha1.ReasonAwaitingAdoption)
		} else {
			w.ready(obj)
		}
		edit(w, obj, func(o v1alpha1.Object) {
			k.set(o, nil)
			o.GetCommonSpec().Adoption = v1alpha1.AdoptionAlways
		})
		w.ready(obj)
		if live := k.console(w).look("orders"); !live.on || live.team != "shop" {
			t.Errorf("live: %+v", live)
		}
	})
}

// expectNotTaken checks that an object's status does not claim a resource that somebody else created.
func (w *world) expectNotTaken(obj v1alpha1.Object) {
	w.t.Helper()
	if status := obj.GetCommonStatus(); status.LastCreateAttemptTime != nil || status.Identity != "" {
		w.t.Errorf("status.lastCreateAttemptTime is %v and status.identity %q, though somebody else created it", status.LastCreateAttemptTime, status.Identity)
	}
}

// expectNothingRemembered waits until an object's status has nothing of a write that was never sent. Another pass may be on its way to the
// gate, and have recorded what it is about to do.
func (w *world) expectNothingRemembered(obj v1alpha1.Object) {
	w.t.Helper()
	type memory struct {
		Created, Identified, Approved bool
		Pending                       []v1alpha1.PendingChange
		Applied                       []string
		Granted, Granting             []v1alpha1.IAMGrants
	}
	w.eventually("nothing to be remembered of "+obj.GetName(), func() (bool, string) {
		w.get(obj)
		status := obj.GetCommonStatus()
		got := memory{
			Created: status.LastCreateAttemptTime != nil, Identified: status.Identity != "", Approved: status.Approved != nil,
			Pending: status.Pending, Applied: status.AppliedFields,
		}
		if iam := status.IAM; iam != nil {
			got.Granted, got.Granting = iam.Grants, iam.Pending
		}
		d := cmp.Diff(memory{}, got, cmpopts.EquateEmpty())
		return d == "", d
	})
}
