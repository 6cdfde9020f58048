package engine

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// The indexes by which manifests are found in the cache.
const (
	// resourceIndex finds them by their resource, see resourceKeys.
	resourceIndex = "holdfast.resource"
	// holdingIndex finds in the same way those that hold it, see plan.Holding.
	holdingIndex = "holdfast.holding"
	// projectIndex finds them by their project, as projectKey says it.
	projectIndex = "holdfast.project"
	// fullIndex finds those that wait for room in a project, by the project.
	fullIndex = "holdfast.full"
	// referenceIndex finds them by what they refer to, see referenceKeys.
	referenceIndex = "holdfast.references"
	// contestedIndex finds those that say that shards contest their project, all by the same key.
	contestedIndex = "holdfast.contested"
	// nameIndex finds them by what they name, see nameKey; referentIndex by what others name them by.
	nameIndex     = "holdfast.names"
	referentIndex = "holdfast.referent"
)

// cached serves an inventory from the API server's cache. What it returns is the cache's own, and nobody changes it: each event asks for a
// tenant, and each pass for what its object refers to.
type cached struct {
	reader  client.Reader
	scheme  *runtime.Scheme
	tenants *tenants
}

var _ inventory.Source = cached{}

// Namespace implements inventory.Source.
func (c cached) Namespace(ctx context.Context, name string) (annotations map[string]string, err error) {
	var namespace corev1.Namespace
	switch err := c.reader.Get(ctx, client.ObjectKey{Name: name}, &namespace, client.UnsafeDisableDeepCopy); {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return namespace.Annotations, nil
}

// Manifest implements inventory.Source.
func (c cached) Manifest(ctx context.Context, k kind.Kind, namespace, name string) (v1alpha1.Object, error) {
	obj := k.New()
	switch err := c.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, obj, client.UnsafeDisableDeepCopy); {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return obj, nil
}

// ByResource implements inventory.Source.
func (c cached) ByResource(ctx context.Context, k kind.Kind, project, name string) ([]v1alpha1.Object, error) {
	return c.byResource(ctx, k, resourceIndex, project, name)
}

// Holding implements inventory.Source.
func (c cached) Holding(ctx context.Context, k kind.Kind, project, name string) ([]v1alpha1.Object, error) {
	return c.byResource(ctx, k, holdingIndex, project, name)
}

func (c cached) byResource(ctx context.Context, k kind.Kind, index, project, name string) ([]v1alpha1.Object, error) {
	var out []v1alpha1.Object
	for _, key := range append(c.undeclaredKeys(project, name), resourceKey(project, name)) {
		found, err := c.list(ctx, k, client.MatchingFields{index: key})
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// fewNamespaces are so few that it takes less to look for a name in each of them than among all manifests of that name. Those of a project
// seldom are more.
const fewNamespaces = 32

// undeclaredKeys are what manifests are found by that leave the project of a resource to their Namespace: many projects may have one of that
// name, and each pass over each of them asks for the others of its own. Where it is not known which Namespaces are bound to the project, they
// are looked for everywhere.
func (c cached) undeclaredKeys(project, name string) []string {
	if !c.tenants.synced() {
		return []string{resourceKey("", name)}
	}
	namespaces := c.tenants.of(project)
	if len(namespaces) > fewNamespaces {
		return []string{resourceKey("", name)}
	}
	keys := make([]string, 0, len(namespaces)+1)
	for _, namespace := range namespaces {
		keys = append(keys, undeclaredKey(namespace, name))
	}
	return keys
}

// ByReferent implements inventory.Source.
func (c cached) ByReferent(ctx context.Context, k kind.Kind, referent string) ([]v1alpha1.Object, error) {
	return c.list(ctx, k, client.MatchingFields{referentIndex: referent})
}

// list lists manifests of a kind.
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

// resourceKeys are what a manifest is found by that may mean a resource: the resource's name, in the project where the manifest itself says
// which; else in whatever project, and in that of its Namespace.
func resourceKeys(k kind.Kind, obj v1alpha1.Object) []string {
	project, name := inventory.ProjectSaid(obj), k.ResourceID(obj)
	if project != "" {
		return []string{resourceKey(project, name)}
	}
	return []string{resourceKey("", name), undeclaredKey(obj.GetNamespace(), name)}
}

func resourceKey(project, name string) string { return project + "/" + name }

func undeclaredKey(namespace, name string) string { return namespace + " /" + name }

// holdingKeys are what a manifest is found by that holds its resource.
func holdingKeys(k kind.Kind, obj v1alpha1.Object) []string {
	if plan.StandingOf(k, obj) != plan.Holding {
		return nil
	}
	return resourceKeys(k, obj)
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
		resourceIndex:  of(resourceKeys),
		holdingIndex:   of(holdingKeys),
		projectIndex:   of(projectKeys),
		fullIndex:      of(fullKeys),
		contestedIndex: of(contestedKeys),
		referenceIndex: of(referenceKeys), nameIndex: of(nameKeys), referentIndex: of(referentKeys),
	}
}

// indexBy makes the cache find the manifests of a kind by all its indexes.
func indexBy(ctx context.Context, c cache.Cache, k kind.Kind) error {
	informer, err := c.GetInformer(ctx, k.New(), cache.BlockUntilSynced(false))
	if err != nil {
		return err
	}
	return informer.AddIndexers(indexers(k))
}

// indexers are the indexes as controller-runtime's own IndexField adds them, where lists of its cache look for them, but only for lists of all
// Namespaces. IndexField has each value a second time for lists of one Namespace; nobody here makes such a list, and an index takes about
// as much memory as the text of what it leads to.
func indexers(k kind.Kind) toolscache.Indexers {
	out := toolscache.Indexers{}
	for name, index := range indexes(k) {
		out["field:"+name] = func(obj any) ([]string, error) {
			values := index(obj.(client.Object))
			for i, value := range values {
				values[i] = "__all_namespaces/" + value
			}
			return values, nil
		}
	}
	return out
}
