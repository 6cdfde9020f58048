package e2e

import (
	"testing"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// say holds what is said to Google Cloud while something is done against a file below testdata/golden.
func (w *world) say(name string, do func()) {
	w.t.Helper()
	mark := w.cloud.Traffic.Mark()
	do()
	w.golden(name, mark)
}

func TestGoldenConversationsOfAccounts(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	iam := additive(granting("roles/iam.serviceAccountUser", "user:ada@example.com"))
	a := anAccount("orders-writer", v1alpha1.ServiceAccountSpec{
		CommonSpec: v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete}, DisplayName: new("Writes orders"),
	})
	change := func(to func(*v1alpha1.ServiceAccount)) func() {
		return func() { edit(w, a, to); w.ready(a) }
	}
	w.say("account/create", func() { w.create(a); w.ready(a) })
	w.say("account/no-op", func() { w.settled(a) })
	w.say("account/update", change(func(a *v1alpha1.ServiceAccount) { a.Spec.DisplayName = new("Writes more orders") }))
	w.say("account/disable", change(func(a *v1alpha1.ServiceAccount) { a.Spec.Disabled = new(true) }))
	w.say("account/update-and-enable", change(func(a *v1alpha1.ServiceAccount) {
		a.Spec.Description, a.Spec.Disabled = new("for the shop"), new(false)
	}))
	w.say("account/reset", change(func(a *v1alpha1.ServiceAccount) { a.Spec.DisplayName, a.Spec.Disabled = nil, nil }))
	w.say("account/grant", change(func(a *v1alpha1.ServiceAccount) { a.Spec.IAM = &iam }))
	w.say("account/no-op-with-policy", func() { w.settled(a) })
	w.say("account/stop-speaking-of-the-policy", change(func(a *v1alpha1.ServiceAccount) { a.Spec.IAM = nil }))
	forgetCreation(w, a)
	w.must(w.cloud.IAM.DeleteAccount(w.accountEmail("orders-writer")))
	w.say("account/undelete", func() { w.settled(a); w.ready(a) })
	w.say("account/delete", func() { w.delete(a); w.gone(a) })
}

func TestGoldenConversationsOfPolicies(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.grant("roles/resourcemanager.projectIamAdmin", "serviceAccount:"+operator)
	w.grant("roles/browser", "user:left@example.com")
	p := aPolicy("team", additive(granting("roles/viewer", "user:ada@example.com")))
	p.Spec.DeletionPolicy = v1alpha1.DeletionDelete
	change := func(to func(*v1alpha1.ProjectPolicySpec)) func() {
		return func() { edit(w, p, func(p *v1alpha1.ProjectPolicy) { to(&p.Spec) }); w.ready(p) }
	}
	w.say("policy/grant", func() { w.create(p); w.ready(p) })
	w.say("policy/no-op", func() { w.settled(p) })
	w.say("policy/grant-with-condition", change(func(s *v1alpha1.ProjectPolicySpec) {
		conditional := granting("roles/logging.viewer", "user:ada@example.com")
		conditional.Condition = &v1alpha1.IAMCondition{Title: "this year", Expression: `request.time < timestamp("2030-01-01T00:00:00Z")`}
		s.Bindings = append(s.Bindings, conditional)
	}))
	w.say("policy/audit", change(func(s *v1alpha1.ProjectPolicySpec) {
		s.AuditConfigs = []v1alpha1.AuditConfig{{Service: "storage.googleapis.com", AuditLogConfigs: []v1alpha1.AuditLogConfig{{LogType: v1alpha1.AuditLogDataRead, ExemptedMembers: []v1alpha1.IAMMember{"user:ada@example.com"}}}}}
	}))
	w.say("policy/stop-speaking-of-audit", change(func(s *v1alpha1.ProjectPolicySpec) { s.AuditConfigs = nil }))
	w.revoke("roles/viewer", "user:ada@example.com")
	w.say("policy/drift", func() { w.settled(p); w.ready(p) })
	w.say("policy/revoke", change(func(s *v1alpha1.ProjectPolicySpec) { s.Bindings = s.Bindings[:1] }))
	w.say("policy/own-all", func() {
		edit(w, p, func(p *v1alpha1.ProjectPolicy) { p.Spec.Mode = v1alpha1.IAMAuthoritative })
		w.reason(p, v1alpha1.ReasonAwaitingApproval)
		approve(w, p)
		w.ready(p)
	})
	w.say("policy/delete", func() { w.delete(p); w.gone(p) })
}
