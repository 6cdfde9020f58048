package engine

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// The indexes by which manifests are found in the cache.
const (
	// resourceIndex finds them by inventory.ResourceKey.
	resourceIndex = "holdfast.resource"
	// holdingIndex finds by it those that hold the resource, see plan.Holding.
	holdingIndex = "holdfast.holding"
	// projectIndex finds them by their project, as projectKey says it.
	projectIndex = "holdfast.project"
	// fullIndex finds those that wait for room in a project, by the project.
	fullIndex = "holdfast.full"
	// referenceIndex finds them by what they refer to, see referenceKeys.
	referenceIndex = "holdfast.references"
	// nameIndex finds them by what they name, see nameKey; referentIndex by what others name them by.
	nameIndex     = "holdfast.names"
	referentIndex = "holdfast.referent"
)

// cached serves an inventory from the API server's cache.
type cached struct {
	reader client.Reader
	scheme *runtime.Scheme
}

var _ inventory.Source = cached{}

// Namespace implements inventory.Source.
func (c cached) Namespace(ctx context.Context, name string) (annotations map[string]string, err error) {
	var namespace corev1.Namespace
	switch err := c.reader.Get(ctx, client.ObjectKey{Name: name}, &namespace); {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return namespace.Annotations, nil
}

// Namespaces implements inventory.Source.
func (c cached) Namespaces(ctx context.Context) (map[string]map[string]string, error) {
	var namespaces corev1.NamespaceList
	if err := c.reader.List(ctx, &namespaces, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	out := map[string]map[string]string{}
	for _, namespace := range namespaces.Items {
		out[namespace.Name] = namespace.Annotations
	}
	return out, nil
}

// Manifest implements inventory.Source.
func (c cached) Manifest(ctx context.Context, k kind.Kind, namespace, name string) (v1alpha1.Object, error) {
	obj := k.New()
	switch err := c.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, obj); {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return obj, nil
}

// Manifests implements inventory.Source.
func (c cached) Manifests(ctx context.Context, k kind.Kind) ([]v1alpha1.Object, error) {
	return c.list(ctx, k)
}

// ByResource implements inventory.Source.
func (c cached) ByResource(ctx context.Context, k kind.Kind, key string) ([]v1alpha1.Object, error) {
	return c.list(ctx, k, client.MatchingFields{resourceIndex: key})
}

// Holding implements inventory.Source.
func (c cached) Holding(ctx context.Context, k kind.Kind, key string) ([]v1alpha1.Object, error) {
	return c.list(ctx, k, client.MatchingFields{holdingIndex: key})
}

// ByReferent implements inventory.Source.
func (c cached) ByReferent(ctx context.Context, k kind.Kind, referent string) ([]v1alpha1.Object, error) {
	return c.list(ctx, k, client.MatchingFields{referentIndex: referent})
}

// list lists manifests of a kind. They are the cache's own: there may be many, and nobody changes them.
func (c cached) list(ctx context.Context, k kind.Kind, opts ...client.ListOption) ([]v1alpha1.Object, error) {
	made, err := c.scheme.New(v1alpha1.GroupVersion.WithKind(k.Kind + "List"))
	if err != nil {
		return nil, err
	}
	list, ok := made.(client.ObjectList)
	if !ok {
		return nil, fmt.Errorf("%sList is no list", k.Kind)
	}
	if err := c.reader.List(ctx, list, append(opts, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil, err
	}
	var out []v1alpha1.Object
	return out, meta.EachListItem(list, func(item runtime.Object) error {
		out = append(out, item.(v1alpha1.Object))
		return nil
	})
}

// holdingKeys are what a manifest is found by that holds its resource.
func holdingKeys(k kind.Kind, obj v1alpha1.Object) []string {
	if plan.StandingOf(k, obj) != plan.Holding {
		return nil
	}
	return []string{inventory.ResourceKey(k, obj)}
}

// referenceKeys are what a manifest is found by when something that it refers to changes: each manifest that it names, and, where that is in
// another namespace, that namespace.
func referenceKeys(k kind.Kind, obj v1alpha1.Object) []string {
	var keys []string
	add := func(key string) {
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for _, ref := range k.References(obj) {
		if ref.Namespace == "" || ref.Namespace == obj.GetNamespace() {
			add(referenceKey(ref.Kind, obj.GetNamespace(), ref.Name))
			continue
		}
		add(referenceKey(ref.Kind, ref.Namespace, ref.Name))
		add(ref.Namespace)
	}
	return keys
}

func referenceKey(kind, namespace, name string) string { return kind + " " + namespace + "/" + name }

// nameKeys are what a manifest is found by when something that it names comes to be.
func nameKeys(k kind.Kind, obj v1alpha1.Object) []string {
	var keys []string
	for _, name := range k.Names(obj) {
		if key := nameKey(name.Kind, name.Referent); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

func nameKey(kind, referent string) string { return kind + " " + referent }

// referentKeys are what others name the manifest's resource by.
func referentKeys(k kind.Kind, obj v1alpha1.Object) []string {
	if k.Referent == nil || k.Referent(obj) == "" {
		return nil
	}
	return []string{k.Referent(obj)}
}

// indexes are all indexes by which the manifests of a kind are found, by their names.
func indexes(k kind.Kind) map[string]client.IndexerFunc {
	of := func(keys func(kind.Kind, v1alpha1.Object) []string) client.IndexerFunc {
		return func(obj client.Object) []string { return keys(k, obj.(v1alpha1.Object)) }
	}
	return map[string]client.IndexerFunc{
		resourceIndex:  of(func(k kind.Kind, obj v1alpha1.Object) []string { return []string{inventory.ResourceKey(k, obj)} }),
		holdingIndex:   of(holdingKeys),
		projectIndex:   of(projectKeys),
		fullIndex:      of(fullKeys),
		referenceIndex: of(referenceKeys), nameIndex: of(nameKeys), referentIndex: of(referentKeys),
	}
}
