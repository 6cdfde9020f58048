package engine

import (
	"context"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breaker"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// namespaceGlass keeps the glass of a shard's Namespaces, and what an administrator lets through: it co-owns what a person wrote, and clears
// away what is over. What the glass holds is each object's own affair.
type namespaceGlass struct {
	client client.Client
	shard  string
	now    func() time.Time
}

// setUpNamespaces makes the manager keep the glass of Namespaces.
func setUpNamespaces(mgr ctrl.Manager, shard string) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("namespace").
		For(&corev1.Namespace{}, builder.WithPredicates(saysAnotherThing())).
		Complete(&namespaceGlass{client: mgr.GetClient(), shard: shard, now: time.Now})
}

// Reconcile keeps the glass of one Namespace.
func (n *namespaceGlass) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	var namespace corev1.Namespace
	if err := n.client.Get(ctx, req.NamespacedName, &namespace); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if tenancy.Shard(namespace.Labels) != n.shard {
		return reconcile.Result{}, nil
	}
	after, err := n.keep(ctx, &namespace)
	if isStale(err) {
		return reconcile.Result{RequeueAfter: pauseStale}, nil
	}
	return reconcile.Result{RequeueAfter: after}, err
}

func (n *namespaceGlass) keep(ctx context.Context, namespace *corev1.Namespace) (after time.Duration, err error) {
	now := n.now()
	changes := breakglass.Clear(namespace.Annotations, false, now)
	maps.Copy(changes, breaker.Clear(namespace.Annotations, now))
	if len(changes) > 0 {
		return 0, clearAway(ctx, n.client, namespace, changes)
	}
	if glass, _ := breakglass.Past(namespace.Annotations, v1alpha1.BreakGlassOnNamespace, now); !glass.Until.IsZero() {
		after = max(glass.Until.Add(breakglass.ClearLag).Sub(now), pauseStale)
	}
	if left := breaker.Until(namespace.Annotations, now); left > 0 {
		after = soonest(after, max(left, pauseStale))
	}
	keep := breakglass.Kept(namespace.Annotations)
	maps.Copy(keep, breaker.Kept(namespace.Annotations))
	return after, coOwn(ctx, n.client, n.client.Scheme(), namespace, keep)
}
