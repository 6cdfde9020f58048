package engine

import (
	"context"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/internal/fair"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/queue"
)

// attendants are the workers of a kind that do nothing but acknowledge glasses, which takes no call to Google.
const attendants = 2

// shared are the options of a controller whose workers are shared fairly among namespaces and projects.
func shared(ctx context.Context, i *inventory.Inventory, k kind.Kind, workers int) controller.Options {
	type limiter = workqueue.TypedRateLimiter[reconcile.Request]
	return controller.Options{
		MaxConcurrentReconciles: workers + attendants,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
		NewQueue: func(name string, limiter limiter) workqueue.TypedRateLimitingInterface[reconcile.Request] {
			return queue.New(queue.Options[reconcile.Request]{
				Name: name, Workers: workers, RateLimiter: limiter,
				Tenant: func(req reconcile.Request) fair.Tenant { return tenantOf(ctx, i, k, req) },
			})
		},
	}
}

// tenantOf says on whose behalf a manifest is looked at: of its namespace and project, and of who edited it last, whatever it is looked at for.
// Where the project is not known yet, the namespace alone counts.
func tenantOf(ctx context.Context, i *inventory.Inventory, k kind.Kind, req reconcile.Request) fair.Tenant {
	of := fair.Tenant{Namespace: req.Namespace}
	if obj, err := i.Source.Manifest(ctx, k, req.Namespace, req.Name); err == nil && obj != nil {
		of.Project, _ = i.ProjectOf(ctx, obj)
		of.Editor = editorOf(obj)
	}
	return of
}
