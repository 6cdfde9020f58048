package engine

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	toolscache "k8s.io/client-go/tools/cache"
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
	// namespaceIndex finds them by their Namespace. It is the cache's own.
	namespaceIndex = toolscache.NamespaceIndex
)

// cached serves an inventory from the API server's cache. What it returns is the cache's own, and nobody changes it: each event asks for a
// tenant, and each pass for what its object refers to.
type cached struct {
	finder

	reader  client.Reader
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
	var out []v1alpha1.Object
	for _, key := range append(c.undeclaredKeys(project, name), resourceKey(project, name)) {
		found, err := c.by(ctx, k, resourceIndex, key)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// Holding implements inventory.Source.
func (c cached) Holding(ctx context.Context, k kind.Kind, project, name string) ([]v1alpha1.Object, error) {
	found, err := c.ByResource(ctx, k, project, name)
	return slices.DeleteFunc(found, func(obj v1alpha1.Object) bool { return plan.StandingOf(k, obj) != plan.Holding }), err
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
	return c.by(ctx, k, referentIndex, referent)
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

// keysOf are what a manifest is found by in an index.
type keysOf func(v1alpha1.Object) []string

// indexes are all indexes by which the manifests of a kind are found, by their names.
func indexes(k kind.Kind) map[string]keysOf {
	of := func(keys func(kind.Kind, v1alpha1.Object) []string) keysOf {
		return func(obj v1alpha1.Object) []string { return keys(k, obj) }
	}
	return map[string]keysOf{
		resourceIndex:  of(resourceKeys),
		projectIndex:   of(projectKeys),
		fullIndex:      of(fullKeys),
		contestedIndex: of(contestedKeys),
		referenceIndex: of(referenceKeys), nameIndex: of(nameKeys), referentIndex: of(referentKeys),
	}
}
