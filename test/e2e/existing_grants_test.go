package e2e

import (
	"strings"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// claim makes what a manifest grants the role, and what was there before, its own.
func (g granter) claim(w *world, obj v1alpha1.Object) {
	w.t.Helper()
	edit(w, obj, func(o v1alpha1.Object) { g.iam(o).ExistingGrants = v1alpha1.IAMExistingGrantsOwn })
}

// iam is what a manifest says of the policy.
func (granter) iam(obj v1alpha1.Object) *v1alpha1.IAMPolicy {
	switch o := obj.(type) {
	case *v1alpha1.Bucket:
		return o.Spec.IAM
	case *v1alpha1.Topic:
		return o.Spec.IAM
	default:
		return obj.(*v1alpha1.ServiceAccount).Spec.IAM
	}
}

// expectNotOwned checks which of the live grants of the role status calls not owned.
func (g granter) expectNotOwned(w *world, obj v1alpha1.Object, members ...string) {
	w.t.Helper()
	iam := obj.GetCommonStatus().IAM
	var want []v1alpha1.IAMGrants
	if len(members) > 0 {
		want = []v1alpha1.IAMGrants{{Role: g.role, Members: members}}
	}
	if d := cmp.Diff(want, iam.NotOwned, cmpopts.EquateEmpty()); d != "" || iam.NotOwnedCount != int64(len(members)) {
		w.t.Errorf("not owned are %d (-want +got):\n%s", iam.NotOwnedCount, d)
	}
}

// forget makes an object one that was restored from a backup, without its status; nobody looks meanwhile.
func (w *world) forget(obj v1alpha1.Object) v1alpha1.Object {
	w.t.Helper()
	w.get(obj)
	w.stop()
	edit(w, obj, func(o v1alpha1.Object) { o.SetFinalizers(nil) })
	w.delete(obj)
	w.gone(obj)
	return obj
}

// TestARestoredManifestClaimsItsGrants: nothing tells which grants it has made, which is said; existingGrants: Own claims them without a write.
func TestARestoredManifestClaimsItsGrants(t *testing.T) {
	forEachGranter(t, func(t *testing.T, g granter) {
		w := startWorld(t)
		id := w.namespace + "-orders"
		manifest := func() v1alpha1.Object { return g.manifest(id, v1alpha1.CommonSpec{}, ada, bob) }
		lost := manifest()
		w.create(lost)
		w.ready(lost)
		w.must(g.edit(w, id, func(policy *iampb.Policy) {
			policy.Bindings = append(policy.Bindings, &iampb.Binding{Role: g.role, Members: []string{cleo}})
		}))
		w.forget(lost)
		restored := manifest()
		w.create(restored)
		mark := w.cloud.Traffic.Mark()
		w.start()
		w.ready(restored)
		g.expectNotOwned(w, restored, ada, bob)
		said := condition(restored, v1alpha1.ConditionReady).Message
		if is := strings.Contains(said, "was lost") && strings.Contains(said, "existingGrants"); is != (g.title != "account") {
			t.Errorf("Ready says: %s", said)
		}
		w.kubeWrites.Store(0)
		w.restart()
		w.settled(restored)
		w.expectKubeWrites(1) // that the request was handled

		g.claim(w, restored)
		w.ready(restored)
		g.expectNotOwned(w, restored)
		if said := condition(restored, v1alpha1.ConditionReady).Message; strings.Contains(said, "lost") {
			t.Errorf("Ready says: %s", said)
		}
		w.noWrites(mark)

		g.regrant(w, restored, ada)
		w.ready(restored)
		g.expectMembers(w, id, ada, cleo)
	})
}

// TestExistingGrantsStayWithWhoMadeThem by default: adopting is told of, and the condition is not bothered with them.
func TestExistingGrantsStayWithWhoMadeThem(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.grant("roles/viewer", ada)
	p := aPolicy("team", additive(granting("roles/viewer", ada, bob)))
	w.create(p)
	w.ready(p)
	if d := cmp.Diff([]v1alpha1.IAMGrants{{Role: "roles/viewer", Members: []string{ada}}}, p.Status.IAM.NotOwned); d != "" {
		t.Errorf("not owned (-want +got):\n%s", d)
	}
	if said := condition(p, v1alpha1.ConditionReady).Message; strings.Contains(said, "own") {
		t.Errorf("Ready says: %s", said)
	}
	rebind(w, p, granting("roles/viewer", bob))
	w.ready(p)
	w.expectGrants("roles/viewer "+ada, "roles/viewer "+bob)

	t.Log("claimed by one of two, it stays until both have dropped it")
	other := aPolicy("other", additive(granting("roles/viewer", ada)))
	w.create(other)
	w.ready(other)
	edit(w, p, func(p *v1alpha1.ProjectPolicy) {
		p.Spec.Bindings, p.Spec.ExistingGrants = []v1alpha1.IAMBinding{granting("roles/viewer", ada)}, v1alpha1.IAMExistingGrantsOwn
	})
	w.ready(p)
	w.settled(other)
	rebind(w, p)
	w.ready(p)
	w.expectGrants("roles/viewer " + ada)
	rebind(w, other)
	w.ready(other)
	w.expectGrants()
}
