package engine

import (
	"context"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// worthALook lets through what a person or a tool did, and that an object is gone; not our own status, but for the record of the
// glass: a pass that saw the object as it was before may have left it as it is.
func worthALook() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() ||
				!e.ObjectNew.GetDeletionTimestamp().IsZero() && e.ObjectOld.GetDeletionTimestamp().IsZero() ||
				asksAnything(ours(e.ObjectOld.GetAnnotations()), ours(e.ObjectNew.GetAnnotations())) ||
				recordedScope(e.ObjectOld.(v1alpha1.Object)) != recordedScope(e.ObjectNew.(v1alpha1.Object)) ||
				hasFinalizer(e.ObjectOld) && !hasFinalizer(e.ObjectNew)
		},
	}
}

// asksAnything says whether annotations of ours differ, but for an approval that was taken off: nothing follows from that.
func asksAnything(before, now map[string]string) bool {
	if _, approved := now[v1alpha1.ApproveAnnotation]; !approved {
		delete(before, v1alpha1.ApproveAnnotation)
		delete(before, v1alpha1.ApproveByAnnotation)
	}
	return !maps.Equal(before, now)
}

// letsGo lets through that a manifest does not stand in the way of others of its resource any more, or less than it did; or that it goes, and
// can be inherited from.
func letsGo(k kind.Kind) predicate.Predicate {
	standing := func(obj client.Object) plan.Standing { return plan.StandingOf(k, obj.(v1alpha1.Object)) }
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return standing(e.ObjectNew) < standing(e.ObjectOld) || standing(e.ObjectNew) == plan.Holding && inheritable(e) ||
				k.Shared() && e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration()
		},
	}
}

// concerns lets through what others of the same resource have to know that are not in conflict with a manifest: whether its glass holds the
// resource, what it leaves to them, and what it says of a policy that they share.
func concerns(k kind.Kind) predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return k.Shared() || recordedScope(e.Object.(v1alpha1.Object)) != "" },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return k.Shared() && e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() ||
				recordedScope(e.ObjectOld.(v1alpha1.Object)) != recordedScope(e.ObjectNew.(v1alpha1.Object)) ||
				inheritable(e)
		},
	}
}

// inheritable says that a manifest that goes was looked at: from then on it can be inherited from.
func inheritable(e event.UpdateEvent) bool {
	return !e.ObjectNew.GetDeletionTimestamp().IsZero() && observedGeneration(e.ObjectOld) != observedGeneration(e.ObjectNew)
}

// observedGeneration is the last generation of a manifest that was looked at.
func observedGeneration(obj client.Object) int64 {
	return obj.(v1alpha1.Object).GetCommonStatus().ObservedGeneration
}

// saysAnotherThing lets through Namespaces whose binding, glass or shard changed.
func saysAnotherThing() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return true },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return !maps.Equal(ours(e.ObjectOld.GetAnnotations()), ours(e.ObjectNew.GetAnnotations())) || changesShard(e)
		},
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	}
}

// bindingChanged lets through Namespaces that reach other projects than before.
func bindingChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return !slices.Equal(tenancy.Bindings(e.ObjectOld.GetAnnotations()), tenancy.Bindings(e.ObjectNew.GetAnnotations()))
		},
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	}
}

// resolves lets through what changes what a reference to a manifest stands for, and that a person has to act before it stands for anything.
// What progresses without intervention on the way there is not worth a look.
func resolves(k kind.Kind) predicate.Predicate {
	referent := func(obj client.Object) string { return k.Referent(obj.(v1alpha1.Object)) }
	reason := func(obj client.Object) string {
		if is := readyCondition(obj.(v1alpha1.Object)); is != nil {
			return is.Reason
		}
		return ""
	}
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return referent(e.Object) != "" },
		UpdateFunc: func(e event.UpdateEvent) bool {
			stuck := referent(e.ObjectNew) == "" && standingOf(reason(e.ObjectNew)) == stalled
			return referent(e.ObjectOld) != referent(e.ObjectNew) || stuck && reason(e.ObjectOld) != reason(e.ObjectNew)
		},
	}
}

// becomesReady lets through that a resource has come to be as its manifest says.
func becomesReady() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false }, // whoever names it is looked at then anyway
		UpdateFunc: func(e event.UpdateEvent) bool { return !isReady(e.ObjectOld) && isReady(e.ObjectNew) },
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	}
}

func isReady(obj client.Object) bool {
	ready := readyCondition(obj.(v1alpha1.Object))
	return ready != nil && ready.Status == metav1.ConditionTrue
}

// mapped asks for a look at each manifest that find returns. What cannot be found, the sweep will look at.
func mapped(what string, find func(ctx context.Context, obj client.Object) ([]v1alpha1.Object, error)) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		found, err := find(ctx, obj)
		if err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "finding "+what+"; the sweep will")
			return nil
		}
		requests := make([]reconcile.Request, 0, len(found))
		for _, obj := range found {
			requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetName()}})
		}
		return requests
	}
}

// namesakes map a manifest to the others of its resource that are in conflict with one of them or are not.
func namesakes(i *inventory.Inventory, k kind.Kind, inConflict bool) func(context.Context, client.Object) ([]v1alpha1.Object, error) {
	return func(ctx context.Context, obj client.Object) ([]v1alpha1.Object, error) {
		declared := obj.(v1alpha1.Object)
		project, err := i.ProjectOf(ctx, declared)
		if err != nil {
			return nil, err
		}
		return rivals(ctx, i, k, declared, project, inConflict)
	}
}

// rivals are the other manifests of a manifest's resource in a project and in the one that it was last looked for in, that are in conflict with one
// of them or are not.
func rivals(
	ctx context.Context, i *inventory.Inventory, k kind.Kind, obj v1alpha1.Object, project string, inConflict bool,
) ([]v1alpha1.Object, error) {
	var out []v1alpha1.Object
	for _, project := range slices.Compact([]string{project, obj.GetCommonStatus().Project}) {
		found, err := i.Rivals(ctx, k, obj, project)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return slices.DeleteFunc(out, func(other v1alpha1.Object) bool {
		if inConflict { // or may have been found so a moment ago
			return isReady(other)
		}
		return loses(other)
	}), nil
}

// loses says whether a manifest was found to be in conflict with what is there, or with another manifest.
func loses(obj v1alpha1.Object) bool {
	ready := readyCondition(obj)
	return ready != nil && ready.Reason == v1alpha1.ReasonConflict
}

// losers map a manifest to those that may own its resource once it lets it go. While others hold it, that is one of those.
func losers(i *inventory.Inventory, k kind.Kind) handler.MapFunc {
	find := namesakes(i, k, true)
	return mapped("the manifests that are in conflict with one", func(ctx context.Context, obj client.Object) ([]v1alpha1.Object, error) {
		found, err := find(ctx, obj)
		if err != nil || k.Shared() {
			return found, err
		}
		held, err := i.HeldBesides(ctx, k, obj.(v1alpha1.Object))
		if held {
			found = slices.DeleteFunc(found, func(other v1alpha1.Object) bool { return plan.StandingOf(k, other) != plan.Holding })
		}
		return found, err
	})
}

// sharers map a manifest to those of the same resource that are not in conflict.
func sharers(i *inventory.Inventory, k kind.Kind) handler.MapFunc {
	return mapped("the other manifests of a resource", namesakes(i, k, false))
}

// successors map a Namespace to the manifests elsewhere that may own what those in it hold, once its binding changes. What it was bound to counts:
// the Namespace is that of before, too.
func successors(c cached, i *inventory.Inventory, k kind.Kind) handler.MapFunc {
	return mapped("the manifests that are in conflict with those of a namespace", func(ctx context.Context, namespace client.Object) ([]v1alpha1.Object, error) {
		in, err := c.by(ctx, k, namespaceIndex, namespace.GetName())
		if err != nil {
			return nil, err
		}
		var out []v1alpha1.Object
		for _, obj := range in {
			if loses(obj) && plan.StandingOf(k, obj) != plan.Holding { // it was in nobody's way
				continue
			}
			losing, err := rivals(ctx, i, k, obj, inventory.ProjectIn(obj, namespace.GetAnnotations()), true)
			if err != nil {
				return nil, err
			}
			out = append(out, losing...)
		}
		return out, nil
	})
}

// inNamespace maps a Namespace to the manifests of a kind in it, and to those that refer to something in it.
func inNamespace(c cached, k kind.Kind) handler.MapFunc {
	return mapped("the objects of a namespace", func(ctx context.Context, namespace client.Object) ([]v1alpha1.Object, error) {
		in, err := c.by(ctx, k, namespaceIndex, namespace.GetName())
		if err != nil {
			return nil, err
		}
		referring, err := c.by(ctx, k, referenceIndex, namespace.GetName())
		return append(in, referring...), err
	})
}

// referrers map a manifest of one kind to those of another that refer to it.
func referrers(c cached, referred, k kind.Kind) handler.MapFunc {
	return mapped("who refers to a "+referred.Kind, func(ctx context.Context, obj client.Object) ([]v1alpha1.Object, error) {
		return c.by(ctx, k, referenceIndex, referenceKey(referred.Kind, obj.GetNamespace(), obj.GetName()))
	})
}

// namers map a manifest of one kind to those of another that name its resource, and that are not as they should be.
func namers(c cached, named, k kind.Kind) handler.MapFunc {
	return mapped("who names a "+named.Kind, func(ctx context.Context, obj client.Object) ([]v1alpha1.Object, error) {
		referent := named.Referent(obj.(v1alpha1.Object))
		if referent == "" {
			return nil, nil
		}
		naming, err := c.by(ctx, k, nameIndex, nameKey(named.Kind, referent))
		return slices.DeleteFunc(naming, func(obj v1alpha1.Object) bool { return isReady(obj) }), err
	})
}
