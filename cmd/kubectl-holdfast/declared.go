package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// declared says whether a manifest in the cluster declares a resource, by its external name. Where no cluster is configured, none does.
func (c *importCommand) declared(ctx context.Context) (func(externalName string) bool, error) {
	none := func(string) bool { return false }
	if c.offline {
		return none, nil
	}
	if _, err := c.kube.ToRESTConfig(); clientcmd.IsEmptyConfig(err) {
		fmt.Fprintln(c.streams.ErrOut, "no cluster is configured: resources that a manifest declares are recognized by their labels alone")
		return none, nil
	}
	cluster, err := c.cluster()
	if err != nil {
		return nil, fmt.Errorf("%w; or import without a cluster: --offline", err)
	}
	found, err := declaredIn(ctx, cluster)
	if err != nil {
		return nil, fmt.Errorf("looking in the cluster for manifests that declare a resource already: %w; to import without it: --offline", err)
	}
	return func(externalName string) bool { return found[externalName] }, nil
}

// declaredIn are the external names of all resources that manifests in a cluster declare.
func declaredIn(ctx context.Context, cluster client.Client) (map[string]bool, error) {
	namespaces := map[string]map[string]string{}
	err := eachItem(ctx, cluster, &corev1.NamespaceList{}, func(obj runtime.Object) error {
		namespace := obj.(*corev1.Namespace)
		namespaces[namespace.Name] = namespace.Annotations
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing Namespaces: %w", err)
	}
	found := map[string]bool{}
	for _, k := range kinds.All(nil) {
		list, err := listOf(cluster, k)
		if err != nil {
			return nil, err
		}
		err = eachItem(ctx, cluster, list, func(obj runtime.Object) error {
			manifest := obj.(v1alpha1.Object)
			project := inventory.ProjectIn(manifest, namespaces[manifest.GetNamespace()])
			found[k.ExternalName(kind.Ref{Project: project, ID: k.ResourceID(manifest)})] = true
			return nil
		})
		if meta.IsNoMatchError(err) {
			return found, nil // Holdfast is not installed there
		}
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", k.Plural, err)
		}
	}
	return found, nil
}
