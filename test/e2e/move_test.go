package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// granter is a kind whose resources have an IAM policy of their own.
type granter struct {
	title, role string
	// manifest is one that grants the role to members; of the policy itself it says nothing if there are none.
	manifest func(name string, spec v1alpha1.CommonSpec, members ...v1alpha1.IAMMember) v1alpha1.Object
	// policy is what is live.
	policy func(w *world, id string) *iampb.Policy
	edit   func(w *world, id string, edit func(*iampb.Policy)) error
}

var granters = []granter{
	{
		"bucket", "roles/storage.objectViewer",
		func(name string, spec v1alpha1.CommonSpec, members ...v1alpha1.IAMMember) v1alpha1.Object {
			return aBucket(name, v1alpha1.BucketSpec{CommonSpec: spec, Labels: shop, IAM: iamOf("roles/storage.objectViewer", members)})
		},
		func(w *world, id string) *iampb.Policy { policy, _ := w.cloud.Storage.Policy(id); return policy },
		func(w *world, id string, edit func(*iampb.Policy)) error { return w.cloud.Storage.EditPolicy(id, edit) },
	},
	{
		"topic", "roles/pubsub.publisher",
		func(name string, spec v1alpha1.CommonSpec, members ...v1alpha1.IAMMember) v1alpha1.Object {
			return aTopic(name, v1alpha1.TopicSpec{CommonSpec: spec, Labels: shop, IAM: iamOf("roles/pubsub.publisher", members)})
		},
		func(w *world, id string) *iampb.Policy {
			policy, _ := w.cloud.PubSub.Policy(w.topicName(id))
			return policy
		},
		func(w *world, id string, edit func(*iampb.Policy)) error {
			return w.cloud.PubSub.EditPolicy(w.topicName(id), edit)
		},
	},
	{
		"account", "roles/iam.serviceAccountUser",
		func(name string, spec v1alpha1.CommonSpec, members ...v1alpha1.IAMMember) v1alpha1.Object {
			return anAccount(name, v1alpha1.ServiceAccountSpec{CommonSpec: spec, DisplayName: new("shop"), IAM: iamOf("roles/iam.serviceAccountUser", members)})
		},
		func(w *world, id string) *iampb.Policy {
			policy, _ := w.cloud.IAM.Policy(w.accountEmail(id))
			return policy
		},
		func(w *world, id string, edit func(*iampb.Policy)) error {
			return w.cloud.IAM.EditPolicy(w.accountEmail(id), edit)
		},
	},
}

func iamOf(role string, members []v1alpha1.IAMMember) *v1alpha1.IAMPolicy {
	if len(members) == 0 {
		return nil
	}
	return new(additive(granting(role, members...)))
}

// regrant changes whom a manifest grants the role.
func (g granter) regrant(w *world, obj v1alpha1.Object, members ...v1alpha1.IAMMember) {
	w.t.Helper()
	edit(w, obj, func(o v1alpha1.Object) { g.grant(o, members...) })
}

// grant has a manifest grant the role to members, and to nobody else.
func (g granter) grant(obj v1alpha1.Object, members ...v1alpha1.IAMMember) {
	switch o := obj.(type) {
	case *v1alpha1.Bucket:
		o.Spec.IAM = iamOf(g.role, members)
	case *v1alpha1.Topic:
		o.Spec.IAM = iamOf(g.role, members)
	case *v1alpha1.ServiceAccount:
		o.Spec.IAM = iamOf(g.role, members)
	}
}

// expectMembers waits until exactly these have the role.
func (g granter) expectMembers(w *world, id string, want ...string) {
	w.t.Helper()
	w.eventually("the members of "+g.role, func() (bool, string) {
		var got []string
		for _, binding := range g.policy(w, id).GetBindings() {
			if binding.GetRole() == g.role {
				got = append(got, binding.GetMembers()...)
			}
		}
		slices.Sort(got)
		d := cmp.Diff(want, got, cmpopts.EquateEmpty())
		return d == "", d
	})
}

func forEachGranter(t *testing.T, test func(t *testing.T, g granter)) {
	t.Helper()
	t.Parallel()
	for _, g := range shareOf(t, granters) {
		t.Run(g.title, func(t *testing.T) {
			t.Parallel()
			test(t, g)
		})
	}
}

const (
	ada  = "user:ada@example.com"
	bob  = "user:bob@example.com"
	cleo = "user:cleo@example.com"
)

// twoNamespaces starts a world with another namespace of the same project.
func twoNamespaces(t *testing.T) (w *world, other string) {
	t.Helper()
	w = newWorld(t)
	other = w.namespace + "-b"
	w.makeNamespace(other, map[string]string{v1alpha1.ProjectIDAnnotation: w.project, v1alpha1.AllowAnnotation: v1alpha1.AllowDataLoss})
	w.start(other)
	return w, other
}

// nextSecond waits until what is created now is younger than an object.
func (w *world) nextSecond(obj v1alpha1.Object) {
	w.t.Helper()
	w.get(obj)
	w.eventually("the next second", func() (bool, string) { return time.Now().Unix() > obj.GetCreationTimestamp().Unix(), "" })
}

// expectOwner checks that a manifest is Ready and owns what it grants: what leaves it is revoked, and nothing else.
func (g granter) expectOwner(w *world, obj v1alpha1.Object, id string, members ...string) {
	w.t.Helper()
	w.ready(obj)
	g.expectMembers(w, id, members...)
	g.regrant(w, obj)
	w.ready(obj)
	g.expectMembers(w, id)
	w.eventually("nothing to be left of the move in status", func() (bool, string) {
		w.get(obj)
		return obj.GetCommonStatus().IAM == nil, encoded(w, obj.GetCommonStatus().IAM)
	})
}

// TestAMovedManifestTakesItsGrantsAlong: what the one that goes has granted is the new one's, be it that it left the manifest in the move.
func TestAMovedManifestTakesItsGrantsAlong(t *testing.T) {
	t.Parallel()
	for _, deletion := range []v1alpha1.DeletionPolicy{v1alpha1.DeletionOrphan, v1alpha1.DeletionDelete} {
		t.Run(string(deletion), func(t *testing.T) {
			forEachGranter(t, func(t *testing.T, g granter) {
				w, other := twoNamespaces(t)
				spec := v1alpha1.CommonSpec{DeletionPolicy: deletion, ResourceID: w.namespace + "-orders"}
				from, to := g.manifest("orders", spec, ada, bob), g.manifest("orders", spec, ada)
				to.SetNamespace(other)
				w.create(from)
				w.ready(from)
				w.nextSecond(from)
				w.create(to)
				w.reason(to, v1alpha1.ReasonConflict)
				w.delete(from)
				w.gone(from)
				g.expectOwner(w, to, spec.ResourceID, ada)
			})
		})
	}
}

// TestAManifestThatMovesAtOnce is deleted in one place a moment before it is applied in another.
func TestAManifestThatMovesAtOnce(t *testing.T) {
	forEachGranter(t, func(t *testing.T, g granter) {
		w, other := twoNamespaces(t)
		spec := v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionOrphan, ResourceID: w.namespace + "-orders"}
		from, to := g.manifest("orders", spec, ada, bob), g.manifest("orders", spec, ada)
		to.SetNamespace(other)
		w.create(from)
		w.ready(from)
		w.delete(from)
		w.create(to)
		w.gone(from)
		g.expectOwner(w, to, spec.ResourceID, ada)
	})
}

// TestAManifestIsRenamedTwice: the one in between is deleted before it has owned the resource, or with the first.
func TestAManifestIsRenamedTwice(t *testing.T) {
	forEachGranter(t, func(t *testing.T, g granter) {
		w := startWorld(t)
		spec := v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionOrphan, ResourceID: w.namespace + "-orders"}
		first, second, third := g.manifest("first", spec, ada, bob), g.manifest("second", spec, ada), g.manifest("third", spec)
		w.create(first)
		w.ready(first)
		w.nextSecond(first)
		w.create(second)
		w.reason(second, v1alpha1.ReasonConflict)
		w.nextSecond(second)
		w.create(third)
		w.reason(third, v1alpha1.ReasonConflict)
		w.delete(first)
		w.delete(second)
		w.gone(first)
		w.gone(second)
		g.expectOwner(w, third, spec.ResourceID)
	})
}

// TestAManifestThatOnlyObservesYieldsItsGrants: the other one owns the resource while both are there.
func TestAManifestThatOnlyObservesYieldsItsGrants(t *testing.T) {
	forEachGranter(t, func(t *testing.T, g granter) {
		w := startWorld(t)
		spec := v1alpha1.CommonSpec{ResourceID: w.namespace + "-orders"}
		from, to := g.manifest("from", spec, ada, bob), g.manifest("to", spec, ada)
		w.create(from)
		w.ready(from)
		edit(w, from, func(o v1alpha1.Object) { o.GetCommonSpec().Management = v1alpha1.ManagementObserve })
		w.ready(from)
		w.create(to)
		w.ready(to)
		g.expectMembers(w, spec.ResourceID, ada)
		w.settled(from)
		if iam := from.GetCommonStatus().IAM; iam != nil && len(iam.Grants) > 0 {
			t.Errorf("it claims what the other one owns: %v", iam.Grants)
		}
		t.Log("what was given up is not revoked again when somebody else grants it")
		w.must(g.edit(w, spec.ResourceID, func(policy *iampb.Policy) {
			policy.Bindings = append(policy.Bindings, &iampb.Binding{Role: g.role, Members: []string{bob}})
		}))
		w.settled(to)
		g.expectMembers(w, spec.ResourceID, ada, bob)
	})
}

// TestAMoveUnderABrokenGlass: the deletion waits until the glass is closed, and nothing is lost.
func TestAMoveUnderABrokenGlass(t *testing.T) {
	forEachGranter(t, func(t *testing.T, g granter) {
		w := startWorld(t)
		spec := v1alpha1.CommonSpec{ResourceID: w.namespace + "-orders"}
		from, to := g.manifest("from", spec, ada, bob), g.manifest("to", spec, ada)
		w.create(from)
		w.ready(from)
		w.nextSecond(from)
		w.breakGlass(from)
		w.create(to)
		w.reason(to, v1alpha1.ReasonConflict)
		w.delete(from)
		w.reason(from, v1alpha1.ReasonBreakGlass)
		mark := w.cloud.Traffic.Mark()
		w.settled(to)
		w.reason(to, v1alpha1.ReasonConflict)
		w.noWrites(mark)
		w.closeGlass(from)
		w.gone(from)
		g.expectOwner(w, to, spec.ResourceID, ada)
	})
}

// TestAMoveToApprove: what is to be revoked waits for a person.
func TestAMoveToApprove(t *testing.T) {
	forEachGranter(t, func(t *testing.T, g granter) {
		w := startWorld(t)
		spec := v1alpha1.CommonSpec{ResourceID: w.namespace + "-orders", Management: v1alpha1.ManagementApprove}
		from, to := g.manifest("from", v1alpha1.CommonSpec{ResourceID: spec.ResourceID}, ada, bob), g.manifest("to", spec, ada)
		w.create(from)
		w.ready(from)
		w.nextSecond(from)
		w.create(to)
		w.reason(to, v1alpha1.ReasonConflict)
		w.delete(from)
		w.gone(from)
		w.reason(to, v1alpha1.ReasonAwaitingApproval)
		g.expectMembers(w, spec.ResourceID, ada, bob)
		approve(w, to)
		w.ready(to)
		g.expectMembers(w, spec.ResourceID, ada)
	})
}

// TestAMoveIsKilledAtEachCall: whenever the process ends, the new manifest knows what is its own.
func TestAMoveIsKilledAtEachCall(t *testing.T) {
	forEachGranter(t, func(t *testing.T, g granter) {
		w := newWorld(t)
		w.wire = newWire(t, w.cloud)
		w.start()
		for at, least := range map[moment]int{beforeSending: 4, beforeAnswer: 3} {
			n := 1
			for cut := true; cut && !t.Failed(); n++ {
				spec := v1alpha1.CommonSpec{ResourceID: fmt.Sprintf("%s-orders-%d-%s", w.namespace, n, map[moment]string{beforeSending: "s", beforeAnswer: "a"}[at])}
				from, to := g.manifest(fmt.Sprintf("from-%d", n), spec, ada, bob), g.manifest(fmt.Sprintf("to-%d", n), spec, ada)
				to.SetNamespace(w.namespace)
				w.create(from)
				w.ready(from)
				forgetCreation(w, from)
				w.nextSecond(from)
				w.create(to)
				w.reason(to, v1alpha1.ReasonConflict)
				cut = w.killedAt(n, at, to, func() { w.delete(from) })
				w.gone(from)
				g.expectOwner(w, to, spec.ResourceID, ada)
				w.delete(to)
				w.gone(to)
			}
			if n-2 < least {
				t.Errorf("the move was cut at %d calls %s: that is not all of them", n-2, at)
			}
		}
	})
}

// TestAPolicyMoves: of a shared policy the new manifest takes over what it wants; the rest is left or revoked by the one that goes.
func TestAPolicyMoves(t *testing.T) {
	t.Parallel()
	viewers := func(members ...v1alpha1.IAMMember) v1alpha1.IAMBinding { return granting("roles/viewer", members...) }
	cases := map[string]struct {
		mode     v1alpha1.IAMMode
		deletion v1alpha1.DeletionPolicy
		left     []string
	}{
		"Additive, Orphan":           {v1alpha1.IAMAdditive, v1alpha1.DeletionOrphan, []string{"roles/browser " + bob}},
		"Additive, Delete":           {v1alpha1.IAMAdditive, v1alpha1.DeletionDelete, nil},
		"AuthoritativeRoles, Orphan": {v1alpha1.IAMAuthoritativeRoles, v1alpha1.DeletionOrphan, []string{"roles/browser " + bob}},
		"AuthoritativeRoles, Delete": {v1alpha1.IAMAuthoritativeRoles, v1alpha1.DeletionDelete, nil},
	}
	for name, tc := range cases {
		for _, order := range []string{"new first", "old first"} {
			if order == "old first" && tc.deletion == v1alpha1.DeletionDelete {
				continue // which revokes it
			}
			t.Run(name+", "+order, func(t *testing.T) {
				t.Parallel()
				w, other := twoNamespaces(t)
				w.grant("roles/editor", cleo)
				from := aPolicy("team", v1alpha1.IAMPolicy{Mode: tc.mode, Bindings: []v1alpha1.IAMBinding{viewers(ada), granting("roles/browser", bob)}})
				to := aPolicy("team", v1alpha1.IAMPolicy{Mode: tc.mode, Bindings: []v1alpha1.IAMBinding{viewers(ada)}})
				from.Spec.DeletionPolicy, from.Spec.Adoption, to.Spec.Adoption = tc.deletion, v1alpha1.AdoptionAlways, v1alpha1.AdoptionAlways
				to.Namespace = other
				w.create(from)
				w.ready(from)
				w.nextSecond(from)
				mark := w.cloud.Traffic.Mark()
				if order == "new first" {
					w.create(to)
					w.eventually("the new one to be looked at", func() (bool, string) { w.get(to); return to.Status.ObservedGeneration == 1, describe(to) })
					w.delete(from)
				} else {
					w.delete(from)
					w.create(to)
				}
				w.gone(from)
				w.ready(to)
				w.expectGrants(append([]string{"roles/editor " + cleo, "roles/viewer " + ada}, tc.left...)...)
				if n := w.carriedOut(mark, "Projects.SetIamPolicy", ""); n > 1 {
					t.Errorf("%d writes: what both want was revoked in between", n)
				}
				rebind(w, to, granting("roles/logging.viewer", cleo))
				if tc.mode != v1alpha1.IAMAdditive { // the first plan that removes anything
					w.reason(to, v1alpha1.ReasonAwaitingApproval)
					approve(w, to)
				}
				w.ready(to)
				w.expectGrants(append([]string{"roles/editor " + cleo, "roles/logging.viewer " + cleo}, tc.left...)...)
			})
		}
	}
}
