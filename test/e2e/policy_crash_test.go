package e2e

import (
	"fmt"
	"slices"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// policyCrashes are steps of a policy's life in which the process is killed. Before each, somebody else has granted roles/viewer
// to ada, which stays whatever happens.
var policyCrashes = map[string]struct {
	before func(w *world, p *v1alpha1.ProjectPolicy)
	step   func(w *world, p *v1alpha1.ProjectPolicy)
	// own are bob's grants in the end, which the manifest shall know for its own.
	own []string
}{
	"grant": {
		before: func(*world, *v1alpha1.ProjectPolicy) {},
		step:   func(w *world, p *v1alpha1.ProjectPolicy) { w.create(p) },
		own:    []string{"roles/browser", "roles/viewer"},
	},
	"revoke": {
		before: func(w *world, p *v1alpha1.ProjectPolicy) { w.create(p); w.ready(p) },
		step: func(w *world, p *v1alpha1.ProjectPolicy) {
			rebind(w, p, granting("roles/browser", "user:bob@example.com"))
		},
		own: []string{"roles/browser"},
	},
	"delete": {
		before: func(w *world, p *v1alpha1.ProjectPolicy) { w.create(p); w.ready(p) },
		step:   func(w *world, p *v1alpha1.ProjectPolicy) { w.delete(p) },
	},
}

// TestAPolicyIsKilledAtEachCall: whenever the process ends, what the manifest granted is known afterwards, no more and no less,
// so that deleting it revokes exactly that.
func TestAPolicyIsKilledAtEachCall(t *testing.T) {
	for name, c := range policyCrashes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.wire = newWire(t, w.cloud)
			w.start()
			for at, least := range map[moment]int{beforeSending: 4, beforeAnswer: 2} {
				n := 1
				for cut := true; cut && !t.Failed(); n++ {
					w.must(w.cloud.ResourceManager.EditPolicy(w.project, func(policy *iampb.Policy) {
						policy.Bindings = []*iampb.Binding{{Role: "roles/viewer", Members: []string{"user:ada@example.com"}}}
					}))
					p := aPolicy(fmt.Sprintf("team-%d", n), additive(granting("roles/browser", "user:bob@example.com"), granting("roles/viewer", "user:ada@example.com", "user:bob@example.com")))
					p.Spec.DeletionPolicy = v1alpha1.DeletionDelete
					p.Namespace = w.namespace
					c.before(w, p)
					cut = w.killedAt(n, at, p, func() { c.step(w, p) })
					w.expectOwn(p, c.own)
				}
				if n-2 < least {
					t.Errorf("the step was cut at %d calls %s: that is not all of them", n-2, at)
				}
			}
		})
	}
}

// expectOwn waits until a policy is settled or gone, and checks that bob holds these roles and that the manifest knows of them;
// then that deleting it revokes them, and nothing else.
func (w *world) expectOwn(p *v1alpha1.ProjectPolicy, own []string) {
	w.t.Helper()
	if own != nil {
		w.ready(p)
		recorded := []string{}
		for _, grants := range p.Status.IAM.Grants {
			if slices.Contains(grants.Members, "user:bob@example.com") && len(grants.Members) == 1 {
				recorded = append(recorded, grants.Role)
			}
		}
		if d := cmp.Diff(own, recorded, cmpopts.EquateEmpty()); d != "" || len(p.Status.IAM.Pending) > 0 {
			w.t.Errorf("recorded as its own (-want +got):\n%s\npending: %v", d, p.Status.IAM.Pending)
		}
		want := []string{"roles/viewer user:ada@example.com"}
		for _, role := range own {
			want = append(want, role+" user:bob@example.com")
		}
		w.expectGrants(want...)
		w.delete(p)
	}
	w.gone(p)
	w.expectGrants("roles/viewer user:ada@example.com")
}

// accountCrashes are steps of an account's life in which the process is killed.
var accountCrashes = map[string]struct {
	before, step func(w *world, a *v1alpha1.ServiceAccount)
	call         string
}{
	"create": {
		before: func(*world, *v1alpha1.ServiceAccount) {},
		step:   func(w *world, a *v1alpha1.ServiceAccount) { w.create(a) }, call: "IAM.CreateServiceAccount",
	},
	"update": {
		before: func(w *world, a *v1alpha1.ServiceAccount) { w.create(a); w.ready(a) },
		step: func(w *world, a *v1alpha1.ServiceAccount) {
			edit(w, a, func(a *v1alpha1.ServiceAccount) { a.Spec.DisplayName = new("Writes more orders") })
		}, call: "IAM.PatchServiceAccount",
	},
	"disable": {
		before: func(w *world, a *v1alpha1.ServiceAccount) { w.create(a); w.ready(a) },
		step: func(w *world, a *v1alpha1.ServiceAccount) {
			edit(w, a, func(a *v1alpha1.ServiceAccount) { a.Spec.Disabled = new(true) })
		}, call: "IAM.DisableServiceAccount",
	},
	"delete": {
		before: func(w *world, a *v1alpha1.ServiceAccount) { w.create(a); w.ready(a); forgetCreation(w, a) },
		step:   func(w *world, a *v1alpha1.ServiceAccount) { w.delete(a) }, call: "IAM.DeleteServiceAccount",
	},
}

// TestAnAccountIsKilledAtEachCall: the step comes to its end, and its one write is carried out once.
func TestAnAccountIsKilledAtEachCall(t *testing.T) {
	for name, c := range accountCrashes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.wire = newWire(t, w.cloud)
			w.start()
			for at, least := range map[moment]int{beforeSending: 4, beforeAnswer: 2} {
				n := 1
				for cut := true; cut && !t.Failed(); n++ {
					a := anAccount(fmt.Sprintf("orders-%d-%d", n, least), v1alpha1.ServiceAccountSpec{DisplayName: new("Writes orders")})
					a.Spec.DeletionPolicy = v1alpha1.DeletionDelete
					a.Namespace = w.namespace
					c.before(w, a)
					mark := w.cloud.Traffic.Mark()
					cut = w.killedAt(n, at, a, func() { c.step(w, a) })
					if name == "delete" {
						w.gone(a)
					} else {
						w.agedReady(a)
					}
					if got := w.carriedOut(mark, c.call, ""); got != 1 {
						t.Errorf("cut at call %d %s: %s was carried out %d times", n, at, c.call, got)
					}
				}
				if n-2 < least {
					t.Errorf("the step was cut at %d calls %s: that is not all of them", n-2, at)
				}
			}
		})
	}
}

// agedReady waits until an account is Ready. One that was about to be created when the process ended is waited for a minute long:
// it is made to look as if that had passed.
func (w *world) agedReady(a *v1alpha1.ServiceAccount) {
	w.t.Helper()
	w.eventually(a.Name+" to be UpToDate", func() (bool, string) {
		w.get(a)
		c := condition(a, v1alpha1.ConditionReady)
		if _, there := w.account(a.Name); a.Status.CreateTime != nil && !there {
			forgetCreation(w, a)
			annotate(w, a, v1alpha1.ReconcileRequestedAtAnnotation, a.ResourceVersion)
		}
		return c != nil && c.Reason == v1alpha1.ReasonUpToDate && c.ObservedGeneration == a.Generation, describe(a)
	})
}
