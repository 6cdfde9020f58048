package e2e

import (
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/genproto/googleapis/type/expr"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// expectKept checks that a grant which the manifest does not list is still there, and that status says why, in words that
// have a part in them.
func (w *world) expectKept(p *v1alpha1.ProjectPolicy, role, member, why string) {
	w.t.Helper()
	if !slices.ContainsFunc(w.projectGrants(), func(grant string) bool { return strings.HasPrefix(grant, role+" "+member) }) {
		w.t.Errorf("%s %s is gone; left are %q", role, member, w.projectGrants())
	}
	for _, kept := range p.Status.IAM.Kept {
		if kept.Role == role && kept.Member == member {
			if !strings.Contains(kept.Why, why) {
				w.t.Errorf("%s %s is kept because %q; want %q in it", role, member, kept.Why, why)
			}
			return
		}
	}
	w.t.Errorf("status does not say that %s %s is kept: %+v", role, member, p.Status.IAM.Kept)
}

// TestInterlocks: an approved plan to own the whole policy leaves what would lock somebody out.
func TestInterlocks(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		role, member string
		condition    []*expr.Expr
		why          string
	}{
		"no self-lockout":             {"roles/resourcemanager.projectIamAdmin", "serviceAccount:" + operator, nil, "Holdfast"},
		"no lost service agent":       {"roles/editor", "serviceAccount:service-12345@gcp-sa-pubsub.iam.gserviceaccount.com", nil, "service agent"},
		"no lost Google APIs agent":   {"roles/editor", "serviceAccount:12345@cloudservices.gserviceaccount.com", nil, "service agent"},
		"not the last owner":          {"roles/owner", "user:boss@example.com", nil, "owner"},
		"a grant that ends by itself": {"roles/logging.viewer", "user:oncall@example.com", []*expr.Expr{{Title: "tonight", Expression: `request.time < timestamp("2030-01-01T00:00:00Z")`}}, "time"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			w.grant(tc.role, tc.member, tc.condition...)
			w.grant("roles/browser", "user:left@example.com")
			p := aPolicy("all", authoritative(granting("roles/viewer", "user:ada@example.com")))
			w.create(p)
			w.reason(p, v1alpha1.ReasonAwaitingAdoption)
			if got := w.cloud.Traffic.Count(setProjectPolicy); got != 0 {
				t.Errorf("%d writes before anybody approved", got)
			}
			approve(w, p)
			w.ready(p)
			w.expectKept(p, tc.role, tc.member, tc.why)
			if got := w.projectGrants(); slices.Contains(got, "roles/browser user:left@example.com") || !slices.Contains(got, "roles/viewer user:ada@example.com") {
				t.Errorf("the rest is not as the manifest says: %q", got)
			}
		})
	}
}

// TestThresholds: what removes much, or an owner, waits for a person, with its plan; so does what owns more than before.
func TestThresholds(t *testing.T) {
	t.Parallel()
	many := granting("roles/viewer", "user:a@example.com", "user:b@example.com", "user:c@example.com", "user:d@example.com")
	cases := map[string]struct {
		before, after v1alpha1.IAMPolicy
		console       func(w *world)
		why           string
	}{
		"more than maxRemovals": {
			v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAuthoritativeRoles, Bindings: []v1alpha1.IAMBinding{many}, Safety: &v1alpha1.IAMSafety{MaxRemovals: new(int32(2))}},
			v1alpha1.IAMPolicy{
				Mode: v1alpha1.IAMAuthoritativeRoles, Bindings: []v1alpha1.IAMBinding{granting("roles/viewer", "user:a@example.com")},
				Safety: &v1alpha1.IAMSafety{MaxRemovals: new(int32(2))},
			},
			func(*world) {}, "maxRemovals",
		},
		"an owner": {
			v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAuthoritativeRoles, Bindings: []v1alpha1.IAMBinding{granting("roles/owner", "user:a@example.com", "user:b@example.com")}},
			v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAuthoritativeRoles, Bindings: []v1alpha1.IAMBinding{granting("roles/owner", "user:a@example.com")}},
			func(*world) {}, "owner",
		},
		"the first plan that owns a role": {
			additive(granting("roles/viewer", "user:a@example.com")),
			v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAuthoritativeRoles, Bindings: []v1alpha1.IAMBinding{granting("roles/viewer", "user:a@example.com")}},
			func(w *world) { w.grant("roles/viewer", "user:other@example.com") }, "first",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			w.grant("roles/resourcemanager.projectIamAdmin", "serviceAccount:"+operator)
			p := aPolicy("team", tc.before)
			p.Spec.Adoption = v1alpha1.AdoptionAlways
			w.create(p)
			w.ready(p)
			tc.console(w)
			before := w.projectGrants()
			edit(w, p, func(p *v1alpha1.ProjectPolicy) { p.Spec.IAMPolicy = tc.after })
			w.reason(p, v1alpha1.ReasonAwaitingApproval)
			if !strings.Contains(p.Status.Plan.Why, tc.why) {
				t.Errorf("why it waits: %q; want %q in it", p.Status.Plan.Why, tc.why)
			}
			if got := w.projectGrants(); !slices.Equal(got, before) {
				t.Errorf("written without approval: %q, was %q", got, before)
			}
			approve(w, p)
			w.ready(p)
			if got := w.projectGrants(); slices.Equal(got, before) {
				t.Errorf("approved, and not written: %q", got)
			}
		})
	}
}

// TestAnAuditConfigThatWasThereIsNotOverwrittenUnseen: a manifest owns an audit config whatever the mode, so that this is no mere granting.
func TestAnAuditConfigThatWasThereIsNotOverwrittenUnseen(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.must(w.cloud.ResourceManager.EditPolicy(w.project, func(policy *iampb.Policy) {
		policy.AuditConfigs = []*iampb.AuditConfig{{
			Service: "storage.googleapis.com", AuditLogConfigs: []*iampb.AuditLogConfig{{LogType: iampb.AuditLogConfig_DATA_READ}},
		}}
	}))
	p := aPolicy("team", additive(granting("roles/viewer", "user:ada@example.com")))
	p.Spec.AuditConfigs = []v1alpha1.AuditConfig{{Service: "storage.googleapis.com", AuditLogConfigs: []v1alpha1.AuditLogConfig{}}}
	w.create(p)
	w.reason(p, v1alpha1.ReasonAwaitingAdoption)
	if got := w.cloud.Traffic.Count(setProjectPolicy); got != 0 {
		t.Errorf("%d writes before anybody approved", got)
	}
}

// TestADeletedPrincipalBlocksNothing: its grant is kept and reported, the others are changed beside it, and it can be removed.
func TestADeletedPrincipalBlocksNothing(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.grant("roles/resourcemanager.projectIamAdmin", "serviceAccount:"+operator)
	w.grant("roles/viewer", "user:gone@example.com")
	w.must(w.cloud.Directory.Set("user:gone@example.com", policy.Deleted))
	p := aPolicy("viewers", v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAuthoritativeRoles, Bindings: []v1alpha1.IAMBinding{granting("roles/viewer", "user:ada@example.com")}})
	p.Spec.Adoption = v1alpha1.AdoptionAlways
	w.create(p)
	w.ready(p)
	gone := slices.IndexFunc(w.projectGrants(), func(g string) bool { return strings.HasPrefix(g, "roles/viewer deleted:user:gone@example.com?uid=") })
	if gone < 0 {
		t.Fatalf("the grant of the deleted principal is not there: %q", w.projectGrants())
	}
	_, member, _ := strings.Cut(w.projectGrants()[gone], " ")
	w.expectKept(p, "roles/viewer", member, "deletedPrincipals")
	edit(w, p, func(p *v1alpha1.ProjectPolicy) { p.Spec.DeletedPrincipals = v1alpha1.IAMDeletedPrincipalsRemove })
	w.reason(p, v1alpha1.ReasonAwaitingApproval) // the first plan that removes anything
	approve(w, p)
	w.ready(p)
	w.expectGrants("roles/resourcemanager.projectIamAdmin serviceAccount:"+operator, "roles/viewer user:ada@example.com")
}

// TestNoEmptiedPolicy: while nobody knows whom a reference means, nothing is removed, so that an owner of the whole policy whose
// only grants are references does not empty it.
func TestNoEmptiedPolicy(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.grant("roles/viewer", "user:ada@example.com")
	p := aPolicy("all", authoritative(v1alpha1.IAMBinding{Role: "roles/viewer", ServiceAccountRefs: []v1alpha1.ServiceAccountRef{{Name: "missing"}}}))
	p.Spec.Adoption = v1alpha1.AdoptionAlways
	w.create(p)
	w.reason(p, v1alpha1.ReasonAwaitingReference)
	w.expectGrants("roles/viewer user:ada@example.com")
	if said := condition(p, v1alpha1.ConditionReady).Message; !strings.Contains(said, `"missing"`) {
		t.Errorf("what is waited for is not named: %s", said)
	}
}

// TestAnApprovedRevocationMeetsAnotherWriter: a deletion is approved, and somebody in the console writes first. What is left of the
// approved plan goes on; what nobody has approved waits for an approval of its own.
func TestAnApprovedRevocationMeetsAnotherWriter(t *testing.T) {
	t.Parallel()
	audit := v1alpha1.AuditConfig{Service: "storage.googleapis.com", AuditLogConfigs: []v1alpha1.AuditLogConfig{{LogType: "DATA_READ"}}}
	start := func(t *testing.T) (*world, *v1alpha1.ProjectPolicy, *traffic.Breakpoint) {
		w := startWorld(t)
		p := aPolicy("viewers", additive(granting("roles/viewer", "user:ada@example.com", "user:bob@example.com")))
		p.Spec.AuditConfigs, p.Spec.DeletionPolicy = []v1alpha1.AuditConfig{audit}, v1alpha1.DeletionDelete
		w.create(p)
		w.ready(p)
		edit(w, p, func(p *v1alpha1.ProjectPolicy) { p.Spec.Management = v1alpha1.ManagementApprove })
		w.ready(p)
		w.delete(p)
		w.reason(p, v1alpha1.ReasonAwaitingApproval)
		setting := w.cloud.Traffic.Pause(setProjectPolicy)
		t.Cleanup(setting.Release)
		approve(w, p)
		w.reached(setting)
		return w, p, setting
	}
	t.Run("less is left", func(t *testing.T) {
		t.Parallel()
		w, p, setting := start(t)
		w.revoke("roles/viewer", "user:bob@example.com")
		setting.Release()
		w.gone(p)
		w.expectGrants()
	})
	t.Run("something else is there", func(t *testing.T) {
		t.Parallel()
		w, p, setting := start(t)
		was := p.Status.Plan.Hash
		w.must(w.cloud.ResourceManager.EditPolicy(w.project, func(policy *iampb.Policy) {
			policy.AuditConfigs[0].AuditLogConfigs = append(policy.AuditConfigs[0].AuditLogConfigs, &iampb.AuditLogConfig{LogType: iampb.AuditLogConfig_DATA_WRITE})
		}))
		setting.Release()
		w.eventually("what was not approved to wait for an approval of its own", func() (bool, string) {
			w.get(p)
			return p.Status.Plan != nil && p.Status.Plan.Hash != was, describe(p)
		})
		w.expectGrants("roles/viewer user:ada@example.com", "roles/viewer user:bob@example.com")
		approve(w, p)
		w.gone(p)
		w.expectGrants()
	})
}
