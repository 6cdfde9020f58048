package e2e

import (
	"slices"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/genproto/googleapis/type/expr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// Calls that the tests of policies count.
var (
	readProjectPolicy = traffic.Call{Method: "Projects.GetIamPolicy"}
	setProjectPolicy  = traffic.Call{Method: "Projects.SetIamPolicy"}
)

// operator is whom Google takes the controllers for.
const operator = "holdfast@operations.iam.gserviceaccount.com"

func aPolicy(name string, policy v1alpha1.IAMPolicy) *v1alpha1.ProjectPolicy {
	return &v1alpha1.ProjectPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ProjectPolicySpec{IAMPolicy: policy}}
}

// additive is a policy that grants and takes nothing away from others.
func additive(bindings ...v1alpha1.IAMBinding) v1alpha1.IAMPolicy {
	return v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAdditive, Bindings: bindings}
}

func authoritative(bindings ...v1alpha1.IAMBinding) v1alpha1.IAMPolicy {
	return v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAuthoritative, Bindings: bindings}
}

func granting(role string, members ...v1alpha1.IAMMember) v1alpha1.IAMBinding {
	return v1alpha1.IAMBinding{Role: role, Members: members}
}

func anAccount(name string, spec v1alpha1.ServiceAccountSpec) *v1alpha1.ServiceAccount {
	return &v1alpha1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}
}

// accountEmail is the e-mail of an account of the world's project.
func (w *world) accountEmail(id string) string {
	return id + "@" + w.project + ".iam.gserviceaccount.com"
}

// granted lists what a policy grants: "role member", with " if title" where there is a condition, in order.
func granted(policy *iampb.Policy) []string {
	out := []string{}
	for _, binding := range policy.GetBindings() {
		for _, member := range binding.GetMembers() {
			line := binding.GetRole() + " " + member
			if title := binding.GetCondition().GetTitle(); title != "" {
				line += " if " + title
			}
			out = append(out, line)
		}
	}
	slices.Sort(out)
	return out
}

// projectGrants lists what the project's policy grants.
func (w *world) projectGrants() []string { return granted(w.cloud.ResourceManager.Policy(w.project)) }

// grant is somebody in the console who grants something on the project.
func (w *world) grant(role, member string, condition ...*expr.Expr) {
	w.t.Helper()
	w.must(w.cloud.ResourceManager.EditPolicy(w.project, func(policy *iampb.Policy) {
		binding := &iampb.Binding{Role: role, Members: []string{member}}
		if len(condition) > 0 {
			binding.Condition = condition[0]
			policy.Version = 3
		}
		policy.Bindings = append(policy.Bindings, binding)
	}))
}

// revoke is somebody in the console who takes a grant on the project away.
func (w *world) revoke(role, member string) {
	w.t.Helper()
	w.must(w.cloud.ResourceManager.EditPolicy(w.project, func(policy *iampb.Policy) {
		for _, binding := range policy.GetBindings() {
			if binding.GetRole() == role {
				binding.Members = slices.DeleteFunc(binding.Members, func(m string) bool { return m == member })
			}
		}
		policy.Bindings = slices.DeleteFunc(policy.Bindings, func(b *iampb.Binding) bool { return len(b.GetMembers()) == 0 })
	}))
}

// expectGrants waits until the project's policy grants exactly this.
func (w *world) expectGrants(want ...string) {
	w.t.Helper()
	slices.Sort(want)
	w.eventually("the project's policy to be as it shall", func() (bool, string) {
		got := w.projectGrants()
		return slices.Equal(got, want), encoded(w, got)
	})
}

// noWarnings checks that nothing was told of an object that somebody would be woken for.
func (w *world) noWarnings(obj v1alpha1.Object) {
	w.t.Helper()
	for _, event := range w.eventsOf(obj) {
		if event.Type == corev1.EventTypeWarning {
			w.t.Errorf("%s: %s: %s", obj.GetName(), event.Reason, event.Note)
		}
	}
}

// rebind changes the bindings of a policy.
func rebind(w *world, policy *v1alpha1.ProjectPolicy, bindings ...v1alpha1.IAMBinding) {
	w.t.Helper()
	edit(w, policy, func(p *v1alpha1.ProjectPolicy) { p.Spec.Bindings = bindings })
}
