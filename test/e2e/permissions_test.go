package e2e

import (
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	typed "github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// caller is whom Google Cloud sees the operator as, where calls carry no credentials.
const caller = "serviceAccount:" + traffic.Caller

// newEnforcingWorld makes a world whose Google Cloud lets nobody do what no policy says. The operator has a role of so many permissions.
func newEnforcingWorld(t *testing.T, permissions []string) *world {
	t.Helper()
	w := newWorld(t)
	w.enforceIAM(permissions)
	w.start()
	return w
}

// enforceIAM gives a world that has not started another Google Cloud, which lets the operator do what takes these permissions in the project.
func (w *world) enforceIAM(permissions []string) {
	w.t.Helper()
	w.cloud = emulator.StartTest(w.t, emulator.Options{EnforceIAM: true, EnforceRequesterPays: true})
	w.cloud.Projects.Lookup(w.project)
	w.giveRole("projects/"+w.project+"/roles/holdfast", permissions, caller)
}

// giveRole gives a member a custom role in the project.
func (w *world) giveRole(role string, permissions []string, member string) {
	w.t.Helper()
	w.cloud.Access.SetRole(role, permissions...)
	w.must(w.cloud.ResourceManager.EditPolicy(w.project, func(p *iampb.Policy) { policy.Grant(p, role, member) }))
}

// documented are the permissions that the README asks for, for objects of a kind in the given cases; without a case, for all of them.
func documented(k typed.Kind, cases ...string) []string {
	var permissions []string
	for _, m := range slices.Concat(gcp.Methods(), k.Methods) {
		if m.For == "" || m.For == gcp.ForProjects && k.Kind == "Bucket" || slices.Contains(cases, m.For) {
			permissions = append(permissions, m.Permissions...)
		}
	}
	slices.Sort(permissions)
	return slices.Compact(permissions)
}

// lifecycle has an object created, edited, looked at and deleted, and says how far it got: stuck is what Ready says where it ended.
func lifecycle(w *world, k kind) (stuck string) {
	w.t.Helper()
	obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
	w.create(obj)
	if stuck = w.stuck(obj); stuck != "" {
		return stuck
	}
	forgetCreation(w, obj)
	edit(w, obj, func(obj v1alpha1.Object) { k.team(obj, "bank"); k.set(obj, new(false)) })
	if stuck = w.stuck(obj); stuck != "" {
		return stuck
	}
	edit(w, obj, func(obj v1alpha1.Object) { k.set(obj, new(true)) })
	if stuck = w.stuck(obj); stuck != "" {
		return stuck
	}
	w.delete(obj)
	w.eventually("the object to be gone, or stuck", func() (bool, string) {
		if w.read(obj) != nil {
			stuck = ""
			return true, ""
		}
		ready := condition(obj, v1alpha1.ConditionReady)
		stuck = ready.Message
		return ready.Reason == v1alpha1.ReasonDenied, ready.Message
	})
	return stuck
}

// stuck waits until an object is Ready, or will not become it for want of a permission; then it returns what Ready says.
func (w *world) stuck(obj v1alpha1.Object) (message string) {
	w.t.Helper()
	w.eventually("the object to be Ready, or stuck", func() (bool, string) {
		w.get(obj)
		ready := condition(obj, v1alpha1.ConditionReady)
		if ready == nil || ready.ObservedGeneration != obj.GetGeneration() {
			return false, "not looked at"
		}
		message = ready.Message
		if ready.Status == metav1.ConditionTrue {
			message = ""
			return true, ""
		}
		return ready.Reason == v1alpha1.ReasonDenied || strings.Contains(message, "If it lasts, grant permission "), ready.Reason + ": " + ready.Message
	})
	return message
}

// TestNoMoreIsNeededThanTheDocumentedPermissions: with these, and nothing else, an object of each kind lives and dies.
func TestNoMoreIsNeededThanTheDocumentedPermissions(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		if stuck := lifecycle(newEnforcingWorld(t, documented(k.Kind)), k); stuck != "" {
			t.Errorf("it says: %s", stuck)
		}
	})
}

// TestEachDocumentedPermissionIsNeeded, and where it is missing the object says which one.
func TestEachDocumentedPermissionIsNeeded(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		for _, missing := range documented(k.Kind) {
			t.Run(missing, func(t *testing.T) {
				t.Parallel()
				others := slices.DeleteFunc(documented(k.Kind), func(p string) bool { return p == missing })
				if stuck := lifecycle(newEnforcingWorld(t, others), k); !strings.Contains(stuck, missing) {
					t.Errorf("without it, Ready says %q", stuck)
				}
			})
		}
	})
}

// TestGrantsNeedThePermissionsOnPolicies, which objects without spec.iam do not.
func TestGrantsNeedThePermissionsOnPolicies(t *testing.T) {
	forEachGranter(t, func(t *testing.T, g granter) {
		k := table[slices.IndexFunc(table, func(k kind) bool { return k.title == g.title })]
		w := newEnforcingWorld(t, documented(k.Kind, "spec.iam"))
		obj := g.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete}, v1alpha1.IAMMember(ada))
		w.create(obj)
		w.ready(obj)
		g.expectMembers(w, "orders", ada)
		g.regrant(w, obj)
		w.ready(obj)
		g.expectMembers(w, "orders")
		w.delete(obj)
		w.gone(obj)

		w = newEnforcingWorld(t, documented(k.Kind))
		obj = g.manifest("orders", v1alpha1.CommonSpec{}, v1alpha1.IAMMember(ada))
		w.create(obj)
		if stuck := w.stuck(obj); !strings.Contains(stuck, "IamPolicy") {
			t.Errorf("without the permissions on policies, Ready says %q", stuck)
		}
	})
}
