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
	t.Parallel()
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

// TestKilledAtEachCallOfADisabling does so where an account is described and disabled in a plan of two writes.
func TestKilledAtEachCallOfADisabling(t *testing.T) {
	t.Parallel()
	killAtEachCall(t, accounts, crashing{
		before: createdAndReady,
		step: func(w *world, k kind, obj v1alpha1.Object) {
			edit(w, obj, func(o v1alpha1.Object) {
				k.set(o, new(false))
				o.(*v1alpha1.ServiceAccount).Spec.Disabled = new(true)
			})
		},
		after: func(w *world, k kind, obj v1alpha1.Object) {
			expectHeld(false)(w, k, obj)
			if live, _ := w.account(accountID(obj.GetName())); !live.GetDisabled() {
				w.t.Errorf("it is not disabled: %v", live)
			}
		},
		writes: func(kind) []string { return []string{"IAM.PatchServiceAccount", "IAM.DisableServiceAccount"} },
	})
}
