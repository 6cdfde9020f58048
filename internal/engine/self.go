package engine

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// knowSelf finds out whom Google knows this installation as: the planner lets nobody in as that, and keeps its access.
func (p *pass) knowSelf(ctx context.Context) *outcome {
	known := selves{p.identities, p.tenants, p.selfMembers}
	p.ownEmail = known.email(ctx, "")
	if p.kind.Principal == nil && !plan.MentionsPolicy(p.manifest(), p.record) {
		return nil
	}
	p.env.Self = known.as(ctx, p.ownEmail, p.env.Ref.Impersonate)
	return nil
}

// selves are all that Google knows this installation as.
type selves struct {
	identities Identities
	tenants    *tenants
	// members are further members of IAM policies by which we have our access.
	members []string
}

// as is whom Google knows us as when we act as a service account (empty: as ourselves, by that e-mail).
func (s selves) as(ctx context.Context, own, impersonate string) iampolicy.Self {
	self := iampolicy.Self{Email: own, Own: own, Accounts: s.tenants.actsAs(), Members: s.members, Incomplete: own == ""}
	if impersonate != "" {
		self.Email = s.email(ctx, impersonate)
	}
	return self
}

// email is that which Google knows us by; empty if it cannot be found out, which the planner is careful with.
func (s selves) email(ctx context.Context, impersonate string) string {
	email, err := s.identities.Identity(ctx, impersonate)
	if err != nil {
		log.FromContext(ctx).V(1).Info("who we are is unknown", "error", err.Error())
	}
	return email
}

// noteExposure says in the object's status whether its namespace is bound to the project that Holdfast's own account is in, and returns the
// warning if it is a new one. As long as nobody knows that account, or the pass did not get as far, what was said before stays.
func (p *pass) noteExposure() (warning string) {
	conditions, project := &p.obj.GetCommonStatus().Conditions, iampolicy.ProjectOfAccount(p.ownEmail)
	switch {
	case p.env.Refusal == nil && p.ownEmail == "":
		return ""
	case p.env.Refusal != nil, !p.env.Binding.Reach.Has(project):
		meta.RemoveStatusCondition(conditions, v1alpha1.ConditionExposed)
		return ""
	}
	message := fmt.Sprintf("namespace %s is bound to project %q, in which Holdfast's own account %s is: a right too many there reaches everything that "+
		"Holdfast can do. Keep that account in a project of its own, which no namespace is bound to", p.obj.GetNamespace(), project, p.ownEmail)
	before := meta.FindStatusCondition(*conditions, v1alpha1.ConditionExposed)
	meta.SetStatusCondition(conditions, metav1.Condition{
		Type: v1alpha1.ConditionExposed, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonOperatorProject, Message: message,
		ObservedGeneration: p.obj.GetGeneration(),
	})
	if before != nil {
		return ""
	}
	return message
}
