package e2e

import (
	"slices"
	"testing"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// exempting is an audit config of all services.
func exempting(members ...v1alpha1.IAMMember) []v1alpha1.AuditConfig {
	return []v1alpha1.AuditConfig{{Service: "allServices", AuditLogConfigs: []v1alpha1.AuditLogConfig{{
		LogType: v1alpha1.AuditLogDataRead, ExemptedMembers: members,
	}}}}
}

// exempted are those who are exempt from the project's audit logs.
func (w *world) exempted() []string {
	var out []string
	for _, config := range w.cloud.ResourceManager.Policy(w.project).GetAuditConfigs() {
		for _, log := range config.GetAuditLogConfigs() {
			out = append(out, log.GetExemptedMembers()...)
		}
	}
	slices.Sort(out)
	return out
}

func (w *world) expectExempted(want ...string) {
	w.t.Helper()
	w.eventually("who is exempt", func() (bool, string) {
		d := cmp.Diff(want, w.exempted(), cmpopts.EquateEmpty())
		return d == "", d
	})
}

// startSweeping starts a world in which everything is looked at again and again.
func startSweeping(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.sweep = 100 * time.Millisecond
	w.start()
	return w
}

// expectOneWriteInManyLooks checks that the project's policy was written once, however often it is looked at.
func (w *world) expectOneWriteInManyLooks() {
	w.t.Helper()
	before := w.cloud.Traffic.Count(readProjectPolicy)
	w.eventually("some more looks", func() (bool, string) { return w.cloud.Traffic.Count(readProjectPolicy) > before+3, "" })
	if n := w.cloud.Traffic.Count(setProjectPolicy); n != 1 {
		w.t.Errorf("%d writes", n)
	}
}

// TestAnAliasInAuditConfigs: Google stores the primary name of somebody exempted, which is told, written once, and reset by that name.
func TestAnAliasInAuditConfigs(t *testing.T) {
	t.Parallel()
	for _, management := range []v1alpha1.Management{v1alpha1.ManagementManage, v1alpha1.ManagementApprove} {
		for _, mode := range []v1alpha1.IAMMode{v1alpha1.IAMAdditive, v1alpha1.IAMAuthoritativeRoles, v1alpha1.IAMAuthoritative} {
			t.Run(string(management+" "+v1alpha1.Management(mode)), func(t *testing.T) {
				t.Parallel()
				w := startSweeping(t)
				w.must(w.cloud.Directory.Alias("user:ada.b@example.com", "user:ada@example.com"))
				p := aPolicy("team", v1alpha1.IAMPolicy{Mode: mode, Bindings: []v1alpha1.IAMBinding{
					granting("roles/viewer", "user:ada.b@example.com"), granting("roles/owner", "serviceAccount:"+operator),
				}})
				p.Spec.Management, p.Spec.Adoption, p.Spec.AuditConfigs = management, v1alpha1.AdoptionAlways, exempting("user:ada.b@example.com", "user:bob@example.com")
				applied := func(reason string) {
					t.Helper()
					if management == v1alpha1.ManagementApprove {
						w.reason(p, v1alpha1.ReasonAwaitingApproval)
						approve(w, p)
					}
					w.reason(p, reason)
				}
				w.create(p)
				applied(v1alpha1.ReasonNotApplied)
				w.expectGrants("roles/viewer user:ada@example.com", "roles/owner serviceAccount:"+operator)
				w.expectExempted("user:ada@example.com", "user:bob@example.com")
				want := []v1alpha1.IAMStoredAs{{Member: "user:ada.b@example.com", Names: []string{"user:ada@example.com"}}}
				if d := cmp.Diff(want, p.Status.IAM.StoredAs); d != "" {
					t.Errorf("status.iam.storedAs (-want +got):\n%s", d)
				}
				w.expectOneWriteInManyLooks()
				edit(w, p, func(p *v1alpha1.ProjectPolicy) { p.Spec.AuditConfigs = exempting("user:bob@example.com") })
				applied(v1alpha1.ReasonNotApplied) // the binding has the alias still
				w.expectExempted("user:bob@example.com")
				edit(w, p, func(p *v1alpha1.ProjectPolicy) { p.Spec.AuditConfigs, p.Spec.Bindings = nil, p.Spec.Bindings[1:] })
				if management == v1alpha1.ManagementManage && mode != v1alpha1.IAMAdditive { // the first plan that removes anything
					w.reason(p, v1alpha1.ReasonAwaitingApproval)
					approve(w, p)
				}
				applied(v1alpha1.ReasonUpToDate)
				w.expectExempted()
				w.expectGrants("roles/owner serviceAccount:" + operator)
			})
		}
	}
}

// TestAnAliasOfSomebodyWhoIsExemptAlready: no name is new, and nothing is written again.
func TestAnAliasOfSomebodyWhoIsExemptAlready(t *testing.T) {
	t.Parallel()
	w := startSweeping(t)
	w.must(w.cloud.Directory.Alias("user:ada.b@example.com", "user:ada@example.com"))
	w.must(w.cloud.ResourceManager.EditPolicy(w.project, func(policy *iampb.Policy) {
		log := &iampb.AuditLogConfig{LogType: iampb.AuditLogConfig_DATA_READ, ExemptedMembers: []string{"user:ada@example.com"}}
		policy.AuditConfigs = []*iampb.AuditConfig{{Service: "allServices", AuditLogConfigs: []*iampb.AuditLogConfig{log}}}
	}))
	p := aPolicy("team", additive())
	p.Spec.Adoption, p.Spec.AuditConfigs = v1alpha1.AdoptionAlways, exempting("user:ada.b@example.com", "user:ada@example.com")
	w.create(p)
	w.reason(p, v1alpha1.ReasonNotApplied)
	w.expectOneWriteInManyLooks()
	w.expectExempted("user:ada@example.com")
	edit(w, p, func(p *v1alpha1.ProjectPolicy) { p.Spec.AuditConfigs = exempting("user:ada@example.com") })
	w.ready(p)
}

// TestAnAliasAndItsNameInTwoManifests: somebody whom one manifest lists by an alias keeps the role when the other one drops the name.
func TestAnAliasAndItsNameInTwoManifests(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.must(w.cloud.Directory.Alias("user:ada.b@example.com", "user:ada@example.com"))
	named, aliased := aPolicy("named", additive(granting("roles/viewer", "user:ada@example.com"))), aPolicy("aliased", additive(granting("roles/viewer", "user:ada.b@example.com")))
	w.create(named)
	w.ready(named)
	w.create(aliased)
	w.reason(aliased, v1alpha1.ReasonNotApplied)
	rebind(w, named)
	w.ready(named)
	w.expectGrants("roles/viewer user:ada@example.com")
	rebind(w, aliased)
	w.ready(aliased)
	w.settled(named)
	w.expectGrants()
}
