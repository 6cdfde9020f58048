package engine

import (
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// comesToHold lets through that a manifest has come to hold its resource. Another one may have come to hold it in the same moment, before either
// could know of the other.
func comesToHold(k kind.Kind) predicate.Predicate {
	holds := func(obj client.Object) bool { return plan.StandingOf(k, obj.(v1alpha1.Object)) == plan.Holding }
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false }, // a process that begins looks at those that another one keeps from being settled
		UpdateFunc: func(e event.UpdateEvent) bool { return !k.Shared() && !holds(e.ObjectOld) && holds(e.ObjectNew) },
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	}
}

// holders map a manifest to the others that hold its resource too: of several one wins. A manifest as it was before it came to hold anything has no
// project to look in, and all of its name in the fleet are not looked through for it.
func holders(source cached, k kind.Kind) handler.MapFunc {
	return mapped("the others that hold a resource", func(ctx context.Context, obj client.Object) ([]v1alpha1.Object, error) {
		holding := obj.(v1alpha1.Object)
		project := plan.BoundTo(holding.GetCommonStatus())
		if project == "" {
			return nil, nil
		}
		found, err := source.Holding(ctx, k, project, k.ResourceID(holding))
		return slices.DeleteFunc(found, func(other v1alpha1.Object) bool { return other.GetUID() == obj.GetUID() }), err
	})
}
