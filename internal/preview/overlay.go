package preview

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// ours is how the annotations begin that mean something to Holdfast.
const ours = "holdfast.dev/"

// Overlay is a cluster as it would be once manifests are applied, and others deleted: those, over what the cluster has now.
type Overlay struct {
	inventory.Source

	now time.Time
	of  map[string]layer // by kind
}

// layer are the manifests of a kind that are applied or deleted.
type layer struct {
	named      map[types.NamespacedName]v1alpha1.Object
	byResource map[string][]v1alpha1.Object
}

var _ inventory.Source = (*Overlay)(nil)

// NewOverlay lays over a cluster. What is applied and is not there is created now.
func NewOverlay(cluster inventory.Source, now time.Time) *Overlay {
	return &Overlay{cluster, now, map[string]layer{}}
}

// Apply applies a manifest over what the cluster has of it, nil for nothing, which is not changed. The manifest is the overlay's own from then
// on. None is applied twice.
func (o *Overlay) Apply(m plan.Manifest, stored v1alpha1.Object) {
	if stored != nil {
		lay(m.Object, stored)
	} else { // the youngest of all
		m.Object.SetGeneration(1)
		m.Object.SetCreationTimestamp(metav1.Time{Time: o.now})
	}
	o.add(m)
}

// Delete deletes an object, which is the overlay's own from then on.
func (o *Overlay) Delete(m plan.Manifest) {
	m.Object.SetDeletionTimestamp(&metav1.Time{Time: o.now})
	m.Object.SetFinalizers(nil) // what it holds now it lets go of
	o.add(m)
}

func (o *Overlay) add(m plan.Manifest) {
	m.Object.GetObjectKind().SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(m.Kind.Kind))
	of, ok := o.of[m.Kind.Kind]
	if !ok {
		of = layer{map[types.NamespacedName]v1alpha1.Object{}, map[string][]v1alpha1.Object{}}
		o.of[m.Kind.Kind] = of
	}
	id := m.Kind.ResourceID(m.Object)
	of.named[nameOf(m.Object)] = m.Object
	of.byResource[id] = append(of.byResource[id], m.Object)
}

func nameOf(obj v1alpha1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

// Manifest implements inventory.Source.
func (o *Overlay) Manifest(ctx context.Context, k kind.Kind, namespace, name string) (v1alpha1.Object, error) {
	if obj, ok := o.of[k.Kind].named[types.NamespacedName{Namespace: namespace, Name: name}]; ok {
		return obj, nil
	}
	return o.Source.Manifest(ctx, k, namespace, name)
}

// ByResource implements inventory.Source.
func (o *Overlay) ByResource(ctx context.Context, k kind.Kind, project, name string) ([]v1alpha1.Object, error) {
	found, err := o.Source.ByResource(ctx, k, project, name)
	return append(o.others(k, found), o.declaring(k, project, name)...), err
}

// Holding implements inventory.Source.
func (o *Overlay) Holding(ctx context.Context, k kind.Kind, project, name string) ([]v1alpha1.Object, error) {
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
func (o *Overlay) ByReferent(ctx context.Context, k kind.Kind, referent string) ([]v1alpha1.Object, error) {
	found, err := o.Source.ByReferent(ctx, k, referent)
	out := o.others(k, found)
	for _, obj := range o.of[k.Kind].named {
		if k.Referent != nil && k.Referent(obj) == referent {
			out = append(out, obj)
		}
	}
	return out, err
}

// declaring are the manifests of the overlay of a resource, as inventory.Source.ByResource wants them.
func (o *Overlay) declaring(k kind.Kind, project, name string) []v1alpha1.Object {
	return slices.DeleteFunc(slices.Clone(o.of[k.Kind].byResource[name]), func(obj v1alpha1.Object) bool {
		said := inventory.ProjectSaid(obj)
		return said != "" && said != project
	})
}

// others are those that no manifest of the overlay replaces.
func (o *Overlay) others(k kind.Kind, found []v1alpha1.Object) []v1alpha1.Object {
	return slices.DeleteFunc(slices.Clone(found), func(obj v1alpha1.Object) bool {
		_, replaced := o.of[k.Kind].named[nameOf(obj)]
		return replaced
	})
}

// lay completes a manifest by what the cluster has of the object, as applying it would: what it does not mention of Holdfast's annotations
// stays, as does all that is not the manifest's to say.
func lay(applied, live v1alpha1.Object) {
	annotations := map[string]string{}
	for key, value := range live.GetAnnotations() {
		if strings.HasPrefix(key, ours) {
			annotations[key] = value
		}
	}
	maps.Copy(annotations, applied.GetAnnotations())
	applied.SetAnnotations(annotations)
	applied.SetUID(live.GetUID())
	applied.SetCreationTimestamp(live.GetCreationTimestamp())
	applied.SetDeletionTimestamp(live.GetDeletionTimestamp())
	applied.SetFinalizers(live.GetFinalizers())
	applied.SetResourceVersion(live.GetResourceVersion())
	applied.SetGeneration(live.GetGeneration())
	if !equality.Semantic.DeepEqual(part(applied, "Spec").Interface(), part(live, "Spec").Interface()) {
		applied.SetGeneration(live.GetGeneration() + 1)
	}
	part(applied, "Status").Set(part(live, "Status"))
}

func part(obj v1alpha1.Object, name string) reflect.Value {
	return reflect.ValueOf(obj).Elem().FieldByName(name)
}

func reference(m plan.Manifest) kind.Reference {
	return kind.Reference{Kind: m.Kind.Kind, Namespace: m.Object.GetNamespace(), Name: m.Object.GetName()}
}
