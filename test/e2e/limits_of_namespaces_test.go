package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestNoEditorAvoidsApproval: what a Namespace says of management is not edited away by who edits the manifests in it.
func TestNoEditorAvoidsApproval(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.limit(v1alpha1.LeastManagementAnnotation, "Approve")
		w.start()
		mark := w.cloud.Traffic.Mark()
		obj := k.manifest("orders", v1alpha1.CommonSpec{Management: v1alpha1.ManagementManage, Adoption: v1alpha1.AdoptionAlways, DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		w.noWrites(mark)
		if message := condition(obj, v1alpha1.ConditionReady).Message; !strings.Contains(message, v1alpha1.LeastManagementAnnotation) {
			t.Errorf("the message does not say whose word that is: %s", message)
		}
		approve(w, obj)
		w.ready(obj)
		if obj.GetCommonSpec().Management != v1alpha1.ManagementManage {
			t.Error("the spec was written")
		}

		mark = w.cloud.Traffic.Mark()
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		w.delete(obj)
		w.settled(obj)
		w.noWrites(mark)
		approve(w, obj)
		w.gone(obj)
	})
}

// TestAdoptionAlwaysWaitsWhereApprovalIsAskedFor is about what was there before.
func TestAdoptionAlwaysWaitsWhereApprovalIsAskedFor(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.limit(v1alpha1.LeastManagementAnnotation, "Approve")
		k.console(w).create("orders", false)
		w.start()
		mark := w.cloud.Traffic.Mark()
		obj := k.manifest("orders", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		w.noWrites(mark)
	})
}

// TestANamespaceThatChangesItsLimitsPlansAnew, with the operator running and without.
func TestANamespaceThatChangesItsLimitsPlansAnew(t *testing.T) {
	for name, down := range map[string]bool{"running": false, "down": true} {
		t.Run(name, func(t *testing.T) {
			forEachKind(t, func(t *testing.T, k kind) {
				w := startWorld(t)
				obj := k.manifest("orders", v1alpha1.CommonSpec{})
				w.create(obj)
				w.ready(obj)
				meanwhile := func(do func()) {
					if down {
						w.stop()
						defer w.start()
					}
					do()
				}
				mark := w.cloud.Traffic.Mark()
				meanwhile(func() {
					w.limit(v1alpha1.LeastManagementAnnotation, "Approve")
					edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
				})
				w.reason(obj, v1alpha1.ReasonAwaitingApproval)
				w.noWrites(mark)
				meanwhile(func() { w.limit(v1alpha1.LeastManagementAnnotation, "Observe") })
				w.reason(obj, v1alpha1.ReasonDiffers)
				w.noWrites(mark)
				meanwhile(func() { w.limit(v1alpha1.LeastManagementAnnotation, "") })
				w.ready(obj)
				if k.console(w).look("orders").on {
					t.Error("it was not written")
				}
			})
		})
	}
}

// TestNoEditorRemovesMoreThanTheNamespaceLets, by whatever the manifest says, or by deleting it.
func TestNoEditorRemovesMoreThanTheNamespaceLets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.limit(v1alpha1.MaxRemovalsAnnotation, "1")
	w.start()
	p := aPolicy("readers", additive(granting("roles/viewer", "user:a@example.com", "user:b@example.com", "user:c@example.com")))
	p.Spec.Safety, p.Spec.DeletionPolicy = &v1alpha1.IAMSafety{MaxRemovals: new(int32(1500))}, v1alpha1.DeletionDelete
	w.create(p)
	w.ready(p)
	mark := w.cloud.Traffic.Mark()
	edit(w, p, func(p *v1alpha1.ProjectPolicy) { p.Spec.Bindings[0].Members = p.Spec.Bindings[0].Members[:1] })
	w.reason(p, v1alpha1.ReasonAwaitingApproval)
	edit(w, p, func(p *v1alpha1.ProjectPolicy) { p.Spec.Bindings = nil })
	w.reason(p, v1alpha1.ReasonAwaitingApproval)
	w.delete(p)
	w.settled(p)
	w.reason(p, v1alpha1.ReasonAwaitingApproval)
	w.noWrites(mark)
	w.limit(v1alpha1.MaxRemovalsAnnotation, "3")
	w.gone(p)
}

// TestTheWholePlanCanBeRead, however many changes it has, and what is dangerous in it is shown first.
func TestTheWholePlanCanBeRead(t *testing.T) {
	t.Parallel()
	hidden := additive()
	for i := range 64 {
		hidden.Bindings = append(hidden.Bindings, granting(fmt.Sprintf("roles/custom.a%02d", i), "user:eve@example.com"))
	}
	hidden.Bindings = append(hidden.Bindings, granting("roles/owner", "user:eve@example.com"))
	many := granting("roles/viewer")
	for i := range 1490 {
		many.Members = append(many.Members, v1alpha1.IAMMember(fmt.Sprintf("user:somebody-with-a-long-name-%04d@example.com", i)))
	}
	for name, tc := range map[string]struct {
		policy v1alpha1.IAMPolicy
		want   int
	}{"hidden-owner": {hidden, 65}, "many-members": {additive(many), 1490}} {
		w := startWorld(t) // each with a project of its own, which may have 1,500 members
		p := aPolicy(name, tc.policy)
		p.Spec.Management = v1alpha1.ManagementApprove
		w.create(p)
		w.reason(p, v1alpha1.ReasonAwaitingApproval)
		plan := p.Status.Plan
		if n := strings.Count(plan.Text, "\n"); n != tc.want || int(plan.Omitted) != tc.want-64 {
			t.Errorf("%s: the text has %d lines, and %d changes are omitted, of %d", name, n, plan.Omitted, tc.want)
		}
		if message := condition(p, v1alpha1.ConditionReady).Message; !strings.Contains(message, fmt.Sprintf("shows 64 of %d changes", tc.want)) {
			t.Errorf("%s: the message does not say how many are not shown: %s", name, message)
		}
		if first := plan.Changes[0].Path; name == "hidden-owner" && !strings.Contains(first, "roles/owner") {
			t.Errorf("what is shown first is %s", first)
		}
		approve(w, p)
		w.ready(p)
		if p.Status.Plan != nil {
			t.Errorf("%s: the plan that was applied is still shown", name)
		}
	}
}

// TestAUsedApprovalIsForgotten, and is no good though the status is restored that was there before.
func TestAUsedApprovalIsForgotten(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{Management: v1alpha1.ManagementApprove})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		approve(w, obj)
		w.ready(obj)
		forgetCreation(w, obj)
		k.console(w).set("orders", false)
		w.settled(obj)
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		before := *obj.GetCommonStatus().DeepCopy()
		approve(w, obj)
		w.ready(obj)
		w.eventually("the approval to be gone", func() (bool, string) {
			w.get(obj)
			_, hash := obj.GetAnnotations()[v1alpha1.ApproveAnnotation]
			_, by := obj.GetAnnotations()[v1alpha1.ApproveByAnnotation]
			return !hash && !by, describe(obj)
		})

		w.stop()
		w.get(obj)
		*obj.GetCommonStatus() = before
		if err := w.kube.Status().Update(t.Context(), obj); err != nil {
			t.Fatalf("restoring the status: %v", err)
		}
		k.console(w).set("orders", false)
		mark := w.cloud.Traffic.Mark()
		w.start()
		w.settled(obj)
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		w.noWrites(mark)
	})
}
