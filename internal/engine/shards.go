package engine

import (
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// changesShard says whether a Namespace moves from one shard to another.
func changesShard(e event.UpdateEvent) bool {
	return tenancy.Shard(e.ObjectOld.GetLabels()) != tenancy.Shard(e.ObjectNew.GetLabels())
}

// claimChanged lets through Namespaces that claim other projects for a shard than before.
func claimChanged() predicate.Predicate {
	rebound := bindingChanged()
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool { return changesShard(e) || rebound.Update(e) },
	}
}

// contestedKeys are what a manifest is found by that says that its project is contested.
func contestedKeys(_ kind.Kind, obj v1alpha1.Object) []string {
	if !saysContested(obj) {
		return nil
	}
	return []string{v1alpha1.ReasonShardConflict}
}

func saysContested(obj v1alpha1.Object) bool {
	ready := readyCondition(obj)
	return ready != nil && ready.Reason == v1alpha1.ReasonShardConflict
}

// contesting maps a Namespace to the manifests elsewhere, of the projects that it claims, that have yet to learn that these are contested, or
// are not any more.
func contesting(c cached, i *inventory.Inventory, k kind.Kind) handler.MapFunc {
	return mapped("the manifests of contested projects", func(ctx context.Context, namespace client.Object) ([]v1alpha1.Object, error) {
		c.tenants.see(ctx, namespace.GetName())
		var out []v1alpha1.Object
		for _, binding := range tenancy.Bindings(namespace.GetAnnotations()) {
			found, err := c.unaware(ctx, i, k, binding.Project)
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
		}
		return out, nil
	})
}

// unaware are the manifests of a project whose status does not say yet whether it is contested.
func (c cached) unaware(ctx context.Context, i *inventory.Inventory, k kind.Kind, project string) ([]v1alpha1.Object, error) {
	var found []v1alpha1.Object
	contested := c.tenants.contested(project)
	if contested {
		for _, namespace := range c.tenants.boundTo(project) {
			in, err := c.by(ctx, k, namespaceIndex, namespace)
			if err != nil {
				return nil, err
			}
			found = append(found, in...)
		}
	} else {
		var err error
		if found, err = c.by(ctx, k, contestedIndex, v1alpha1.ReasonShardConflict); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(found, func(obj v1alpha1.Object) bool {
		in, err := i.ProjectOf(ctx, obj)
		return err == nil && in != project || saysContested(obj) == contested
	}), nil
}
