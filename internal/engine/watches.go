package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

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
)

// worthALook lets through what a person or a tool did, and that an object is gone; not our own status, but for the record of the
// glass: a pass that saw the object as it was before may have left it as it is.
func worthALook() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() ||
				!e.ObjectNew.GetDeletionTimestamp().IsZero() && e.ObjectOld.GetDeletionTimestamp().IsZero() ||
				asksAnything(ours(e.ObjectOld), ours(e.ObjectNew)) ||
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

// comesOrGoes lets through what changes who owns a resource that several manifests declare, and whether a glass holds it.
func comesOrGoes() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() ||
				recordedScope(e.ObjectOld.(v1alpha1.Object)) != recordedScope(e.ObjectNew.(v1alpha1.Object)) ||
				!e.ObjectNew.GetDeletionTimestamp().IsZero() && observedGeneration(e.ObjectOld) != observedGeneration(e.ObjectNew)
		},
	}
}

// observedGeneration is the last generation of a manifest that was looked at: from then on one that goes can be inherited from.
func observedGeneration(obj client.Object) int64 {
	return obj.(v1alpha1.Object).GetCommonStatus().ObservedGeneration
}

// annotationsChanged lets through Namespaces whose binding or glass changed.
func annotationsChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return true },
		UpdateFunc: func(e event.UpdateEvent) bool { return !maps.Equal(ours(e.ObjectOld), ours(e.ObjectNew)) },
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

// ours are the annotations that mean something to Holdfast.
func ours(obj client.Object) map[string]string {
	out := map[string]string{}
	for key, value := range obj.GetAnnotations() {
		if strings.HasPrefix(key, "holdfast.dev/") {
			out[key] = value
		}
	}
	return out
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

// sameResource maps a manifest to the others whose resource has the same name.
func sameResource(i *inventory.Inventory, k kind.Kind) handler.MapFunc {
	return mapped("the other manifests of a resource", func(ctx context.Context, obj client.Object) ([]v1alpha1.Object, error) {
		declared := obj.(v1alpha1.Object)
		project, err := i.ProjectOf(ctx, declared)
		if err != nil {
			return nil, err
		}
		return i.Namesakes(ctx, k, declared, cmp.Or(project, declared.GetCommonSpec().ProjectID))
	})
}

// inNamespace maps a Namespace to the manifests of a kind in it, and to those that refer to something in it.
func inNamespace(c cached, k kind.Kind) handler.MapFunc {
	return mapped("the objects of a namespace", func(ctx context.Context, namespace client.Object) ([]v1alpha1.Object, error) {
		in, err := c.list(ctx, k, client.InNamespace(namespace.GetName()))
		if err != nil {
			return nil, err
		}
		referring, err := c.list(ctx, k, client.MatchingFields{referenceIndex: namespace.GetName()})
		return append(in, referring...), err
	})
}

// referrers map a manifest of one kind to those of another that refer to it.
func referrers(c cached, referred, k kind.Kind) handler.MapFunc {
	return mapped("who refers to a "+referred.Kind, func(ctx context.Context, obj client.Object) ([]v1alpha1.Object, error) {
		return c.list(ctx, k, client.MatchingFields{referenceIndex: referenceKey(referred.Kind, obj.GetNamespace(), obj.GetName())})
	})
}

// namers map a manifest of one kind to those of another that name its resource, and that are not as they should be.
func namers(c cached, named, k kind.Kind) handler.MapFunc {
	return mapped("who names a "+named.Kind, func(ctx context.Context, obj client.Object) ([]v1alpha1.Object, error) {
		referent := named.Referent(obj.(v1alpha1.Object))
		if referent == "" {
			return nil, nil
		}
		naming, err := c.list(ctx, k, client.MatchingFields{nameIndex: nameKey(named.Kind, referent)})
		return slices.DeleteFunc(naming, func(obj v1alpha1.Object) bool { return isReady(obj) }), err
	})
}
