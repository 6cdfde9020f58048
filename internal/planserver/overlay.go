package planserver

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/preview"
)

// overlay is the cluster as it would be once some manifests are applied: theirs is what people write, and everything else is the cluster's.
type overlay struct {
	inventory.Source

	of map[string]applied // by kind
}

// applied are the manifests of a kind that are applied.
type applied struct {
	named      map[types.NamespacedName]v1alpha1.Object
	byResource map[string][]v1alpha1.Object
}

var _ inventory.Source = overlay{}

func newOverlay(cluster inventory.Source) overlay { return overlay{cluster, map[string]applied{}} }

// add applies a manifest. None is there twice.
func (o overlay) add(k kind.Kind, obj v1alpha1.Object) {
	of, ok := o.of[k.Kind]
	if !ok {
		of = applied{map[types.NamespacedName]v1alpha1.Object{}, map[string][]v1alpha1.Object{}}
		o.of[k.Kind] = of
	}
	of.named[nameOf(obj)] = obj
	of.byResource[k.ResourceID(obj)] = append(of.byResource[k.ResourceID(obj)], obj)
}

func nameOf(obj v1alpha1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

// Manifest implements inventory.Source.
func (o overlay) Manifest(ctx context.Context, k kind.Kind, namespace, name string) (v1alpha1.Object, error) {
	if obj, ok := o.of[k.Kind].named[types.NamespacedName{Namespace: namespace, Name: name}]; ok {
		return obj, nil
	}
	return o.Source.Manifest(ctx, k, namespace, name)
}

// ByResource implements inventory.Source.
func (o overlay) ByResource(ctx context.Context, k kind.Kind, project, name string) ([]v1alpha1.Object, error) {
	found, err := o.Source.ByResource(ctx, k, project, name)
	return append(o.others(k, found), o.declaring(k, project, name)...), err
}

// Holding implements inventory.Source.
func (o overlay) Holding(ctx context.Context, k kind.Kind, project, name string) ([]v1alpha1.Object, error) {
	found, err := o.Source.Holding(ctx, k, project, name)
	out := o.others(k, found)
	for _, obj := range o.declaring(k, project, name) {
		if plan.StandingOf(k, obj) == plan.Holding {
			out = append(out, obj)
		}
	}
	return out, err
}

// ByReferent implements inventory.Source.
func (o overlay) ByReferent(ctx context.Context, k kind.Kind, referent string) ([]v1alpha1.Object, error) {
	found, err := o.Source.ByReferent(ctx, k, referent)
	out := o.others(k, found)
	for _, obj := range o.of[k.Kind].named {
		if k.Referent(obj) == referent {
			out = append(out, obj)
		}
	}
	return out, err
}

// declaring are the applied manifests of a resource, as inventory.Source.ByResource wants them.
func (o overlay) declaring(k kind.Kind, project, name string) []v1alpha1.Object {
	return slices.DeleteFunc(slices.Clone(o.of[k.Kind].byResource[name]), func(obj v1alpha1.Object) bool {
		said := inventory.ProjectSaid(obj)
		return said != "" && said != project
	})
}

// others are those that no applied manifest replaces.
func (o overlay) others(k kind.Kind, found []v1alpha1.Object) []v1alpha1.Object {
	return slices.DeleteFunc(slices.Clone(found), func(obj v1alpha1.Object) bool {
		_, replaced := o.of[k.Kind].named[nameOf(obj)]
		return replaced
	})
}

// asApplied is a manifest once it is applied over what the cluster has of that name (nil for nothing). Of the manifest counts the spec alone:
// neither its status nor its annotations, finalizers or dates decide anything, whoever wrote them.
func asApplied(k kind.Kind, obj, stored v1alpha1.Object, now time.Time) (v1alpha1.Object, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, fmt.Errorf("reading %s %s: %w", k.Kind, nameOf(obj), err)
	}
	out := k.New()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"spec": content["spec"]}, out); err != nil {
		return nil, fmt.Errorf("reading %s %s: %w", k.Kind, nameOf(obj), err)
	}
	out.SetNamespace(obj.GetNamespace())
	out.SetName(obj.GetName())
	if stored != nil {
		preview.Lay(out, stored)
		return out, nil
	}
	out.SetGeneration(1)
	out.SetCreationTimestamp(metav1.NewTime(now)) // the youngest of all
	out.GetCommonStatus().ObservedGeneration = -1
	return out, nil
}
