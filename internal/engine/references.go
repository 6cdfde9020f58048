package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// accountIndex finds objects by the ServiceAccounts that their policy refers to.
const accountIndex = "holdfast.serviceAccountRefs"

// resolved are bindings as grants.
type resolved struct {
	grants []iampolicy.Grant
	// missing says which references lead nowhere yet: they are waited for.
	missing []string
	// fresh are the members of accounts that were made so short a time ago that Google may not know them everywhere.
	fresh []string
}

// known is how long after its creation an account is known everywhere in Google:
// https://cloud.google.com/iam/docs/service-accounts-create says that it can take a minute or more.
const known = 2 * time.Minute

// wanted writes bindings as grants, references resolved.
func (r *Reconciler[T, L]) wanted(ctx context.Context, namespace string, bindings []v1alpha1.IAMBinding) (resolved, error) {
	var out resolved
	for _, binding := range bindings {
		grant := iampolicy.Grant{Role: binding.Role, Condition: conditionOf(binding.Condition)}
		for _, member := range binding.Members {
			grant.Member = string(member)
			out.grants = append(out.grants, grant)
		}
		for _, ref := range binding.ServiceAccountRefs {
			email := ref.External
			if email == "" {
				account, why, err := r.account(ctx, namespace, ref.Name)
				switch {
				case err != nil:
					return out, err
				case why != "":
					out.missing = append(out.missing, why)
					continue
				}
				email = account.Status.Email
				if at := account.Status.CreateTime; at != nil && r.now().Before(at.Add(known)) {
					out.fresh = append(out.fresh, "serviceAccount:"+email)
				}
			}
			grant.Member = "serviceAccount:" + email
			out.grants = append(out.grants, grant)
		}
	}
	out.missing = slices.Compact(slices.Sorted(slices.Values(out.missing)))
	return out, nil
}

// account finds a ServiceAccount; if it has no account in Google Cloud yet, it says why.
func (r *Reconciler[T, L]) account(ctx context.Context, namespace, name string) (account v1alpha1.ServiceAccount, why string, err error) {
	switch err := r.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &account); {
	case apierrors.IsNotFound(err):
		return account, fmt.Sprintf("the ServiceAccount %q (%s) does not exist in this namespace", name, v1alpha1.GroupVersion.Group), nil
	case err != nil:
		return account, "", fmt.Errorf("reading the ServiceAccount %q: %w", name, err)
	case account.Status.Email != "":
		return account, "", nil
	}
	why = "Holdfast has not looked at it yet"
	if is := readyCondition(&account); is != nil {
		why = is.Reason
	}
	if glass := account.Status.BreakGlass; glass != nil {
		why += ", and its glass is broken: " + glass.Reason
	}
	return account, fmt.Sprintf("the ServiceAccount %q has no account in Google Cloud yet (%s)", name, why), nil
}

// accountRefs names the ServiceAccounts in the object's namespace that its policy refers to.
func accountRefs[T v1alpha1.Object](kind Policied[T], obj T) []string {
	spec, _ := kind.Policy(obj)
	if spec == nil {
		return nil
	}
	var names []string
	for _, binding := range spec.Bindings {
		for _, ref := range binding.ServiceAccountRefs {
			if ref.Name != "" && !slices.Contains(names, ref.Name) {
				names = append(names, ref.Name)
			}
		}
	}
	return names
}

// referrers maps a ServiceAccount to the objects of a kind whose policy refers to it.
func referrers(mgr ctrl.Manager, kind v1alpha1.Object) handler.MapFunc {
	return func(ctx context.Context, account client.Object) []reconcile.Request {
		list, err := listOf(mgr.GetScheme(), kind)
		if err == nil {
			err = mgr.GetClient().List(ctx, list, client.InNamespace(account.GetNamespace()), client.MatchingFields{accountIndex: account.GetName()})
		}
		if err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "finding who refers to a ServiceAccount; the sweep will")
			return nil
		}
		return requests(list)
	}
}

// requests asks for a look at each object of a list.
func requests(list client.ObjectList) []reconcile.Request {
	var out []reconcile.Request
	_ = meta.EachListItem(list, func(item runtime.Object) error {
		out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(item.(client.Object))})
		return nil
	})
	return out
}

// resolves lets through what changes whom a reference means, and that a person has to act before it means anybody. What goes on by
// itself on the way there is not worth a look.
func resolves() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return e.Object.(*v1alpha1.ServiceAccount).Status.Email != "" },
		UpdateFunc: func(e event.UpdateEvent) bool {
			was, is := e.ObjectOld.(*v1alpha1.ServiceAccount), e.ObjectNew.(*v1alpha1.ServiceAccount)
			stuck := is.Status.Email == "" && standings[reasonOf(is)] == stalled
			return was.Status.Email != is.Status.Email || stuck && reasonOf(was) != reasonOf(is)
		},
	}
}

func reasonOf(account *v1alpha1.ServiceAccount) string {
	if is := readyCondition(account); is != nil {
		return is.Reason
	}
	return ""
}

// conditionOf writes a condition of the API for the planner.
func conditionOf(c *v1alpha1.IAMCondition) iampolicy.Condition {
	if c == nil {
		return iampolicy.Condition{}
	}
	return iampolicy.Condition(*c)
}

// grantsOf reads grants from the status.
func grantsOf(recorded []v1alpha1.IAMGrants) []iampolicy.Grant {
	var out []iampolicy.Grant
	for _, g := range recorded {
		for _, member := range g.Members {
			out = append(out, iampolicy.Grant{Role: g.Role, Member: member, Condition: conditionOf(g.Condition)})
		}
	}
	return out
}

// statusGrants writes grants for the status, in an order of its own.
func statusGrants(grants []iampolicy.Grant) []v1alpha1.IAMGrants {
	sorted := slices.SortedFunc(slices.Values(grants), func(a, b iampolicy.Grant) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Condition.Title, b.Condition.Title),
			cmp.Compare(a.Condition.Expression, b.Condition.Expression), cmp.Compare(a.Condition.Description, b.Condition.Description),
			cmp.Compare(a.Member, b.Member))
	})
	var out []v1alpha1.IAMGrants
	for i, g := range sorted {
		if i == 0 || g.Role != sorted[i-1].Role || g.Condition != sorted[i-1].Condition {
			entry := v1alpha1.IAMGrants{Role: g.Role}
			if g.Condition != (iampolicy.Condition{}) {
				c := v1alpha1.IAMCondition(g.Condition)
				entry.Condition = &c
			}
			out = append(out, entry)
		}
		last := &out[len(out)-1]
		last.Members = append(last.Members, g.Member)
	}
	return out
}

// wantedAudit writes audit configs of the API for the planner.
func wantedAudit(configs []v1alpha1.AuditConfig) []iampolicy.AuditConfig {
	var out []iampolicy.AuditConfig
	for _, config := range configs {
		audit := iampolicy.AuditConfig{Service: config.Service}
		for _, log := range config.AuditLogConfigs {
			entry := iampolicy.AuditLog{Type: string(log.LogType)}
			for _, member := range log.ExemptedMembers {
				entry.Exempted = append(entry.Exempted, string(member))
			}
			audit.Logs = append(audit.Logs, entry)
		}
		out = append(out, audit)
	}
	return out
}
