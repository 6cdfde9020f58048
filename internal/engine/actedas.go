package engine

import (
	"context"
	"strings"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// actsAsAnother lets through Namespaces that name another account to act as than before. What they named before the process began, the objects
// were looked at with.
func actsAsAnother() predicate.Predicate {
	account := func(obj client.Object) string { return tenancy.Impersonates(obj.GetAnnotations()) }
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return !e.IsInInitialList && account(e.Object) != "" },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return account(e.ObjectNew) != "" && account(e.ObjectNew) != account(e.ObjectOld)
		},
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	}
}

// lookAtActedAs asks for a look at the manifests that have to do with the account which a Namespace names to act as, be they settled: what they
// may grant on it, and to it, is another thing from then on. It enqueues nothing itself, as a pass would leave alone what is settled.
func lookAtActedAs(c cached, r *Reconciler, kinds []kind.Kind) handler.MapFunc {
	return func(ctx context.Context, namespace client.Object) []reconcile.Request {
		c.tenants.see(ctx, namespace.GetName())
		found, err := c.aboutAccount(ctx, r.kind, kinds, strings.ToLower(tenancy.Impersonates(namespace.GetAnnotations())))
		if err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "finding the manifests of an account that is acted as; the sweep of policies will")
		}
		for _, obj := range found {
			if c.tenants.ownsIn(obj.GetNamespace()) {
				r.due.ask(client.ObjectKeyFromObject(obj), 0)
			}
		}
		return nil
	}
}

// aboutAccount are the manifests of a kind that are of an account, name it, or refer to a manifest of it, of any of all kinds.
func (c cached) aboutAccount(ctx context.Context, k kind.Kind, kinds []kind.Kind, email string) ([]v1alpha1.Object, error) {
	var found []v1alpha1.Object
	for _, of := range kinds {
		if of.Principal == nil {
			continue
		}
		naming, err := c.by(ctx, k, nameIndex, nameKey(of.Kind, email))
		if err != nil {
			return nil, err
		}
		found = append(found, naming...)
		accounts, err := c.by(ctx, of, referentIndex, email)
		if err != nil {
			return nil, err
		}
		for _, account := range accounts {
			if of.Kind == k.Kind {
				found = append(found, account)
			}
			key := referenceKey(of.Kind, account.GetNamespace(), account.GetName())
			referring, err := c.by(ctx, k, referenceIndex, key)
			if err != nil {
				return nil, err
			}
			found = append(found, referring...)
		}
	}
	return found, nil
}
