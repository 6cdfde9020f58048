package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/preview"
)

// pageOfObjects is how many objects are read from the cluster at once.
const pageOfObjects = 500

// populate fills a scene with what the cluster has. Who may not list all of it sees the manifests' own namespaces alone, which the plan says.
func populate(ctx context.Context, cluster client.Client, scene *preview.Scene) error {
	scene.Knows.Records, scene.Knows.Others = true, true
	if err := populateNamespaces(ctx, cluster, scene); err != nil {
		return err
	}
	scene.Begin("")
	for _, k := range scene.Order() {
		if err := populateKind(ctx, cluster, k, scene); err != nil {
			return err
		}
	}
	return nil
}

func populateNamespaces(ctx context.Context, cluster client.Client, scene *preview.Scene) error {
	add := func(namespace *corev1.Namespace) {
		scene.Namespace(namespace.Name, namespace.Annotations)
		if namespace.Name == metav1.NamespaceSystem {
			scene.Owner = string(namespace.UID)
		}
	}
	err := eachPage(ctx, cluster, &corev1.NamespaceList{}, func(obj runtime.Object) error {
		add(obj.(*corev1.Namespace))
		return nil
	})
	if !apierrors.IsForbidden(err) {
		return err
	}
	scene.Knows.Others = false
	for _, name := range append(scene.UsedNamespaces(), metav1.NamespaceSystem) {
		namespace := &corev1.Namespace{}
		switch err := cluster.Get(ctx, client.ObjectKey{Name: name}, namespace); {
		case err == nil:
			add(namespace)
		case apierrors.IsForbidden(err) && name == metav1.NamespaceSystem, apierrors.IsNotFound(err):
		default:
			return err
		}
	}
	return nil
}

// populateKind adds the objects of a kind.
func populateKind(ctx context.Context, cluster client.Client, k kind.Kind, scene *preview.Scene) error {
	list := func(opts ...client.ListOption) error {
		objects, err := listOf(cluster, k)
		if err != nil {
			return err
		}
		return eachPage(ctx, cluster, objects, func(obj runtime.Object) error {
			return scene.Live(ctx, plan.Manifest{Kind: k, Object: obj.(v1alpha1.Object)})
		}, opts...)
	}
	err := list()
	if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
		return fmt.Errorf("it has no %s: Holdfast's CustomResourceDefinitions are not installed there: %w", k.Plural, err)
	}
	if !apierrors.IsForbidden(err) {
		return err
	}
	scene.Knows.Others = false
	for _, namespace := range scene.UsedNamespaces() {
		if err := list(client.InNamespace(namespace)); err != nil {
			return err
		}
	}
	return nil
}

// listOf is an empty list of a kind.
func listOf(cluster client.Client, k kind.Kind) (client.ObjectList, error) {
	list, err := cluster.Scheme().New(v1alpha1.GroupVersion.WithKind(k.Kind + "List"))
	if err != nil {
		return nil, err
	}
	return list.(client.ObjectList), nil
}

// eachPage does something to each object that the cluster has, page by page.
func eachPage(ctx context.Context, cluster client.Client, list client.ObjectList, do func(runtime.Object) error, opts ...client.ListOption) error {
	for {
		page := append([]client.ListOption{client.Limit(pageOfObjects), client.Continue(list.GetContinue())}, opts...)
		if err := cluster.List(ctx, list, page...); err != nil {
			return err
		}
		if err := meta.EachListItem(list, do); err != nil || list.GetContinue() == "" {
			return err
		}
	}
}
