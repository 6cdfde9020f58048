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

// excerpt is what of the cluster matters to a scene. Who may not list all of it sees the manifests' own namespaces alone, which the plan says.
func excerpt(ctx context.Context, cluster client.Client, scene *preview.Scene) (*preview.Excerpt, error) {
	scene.Knows.Records, scene.Knows.Others = true, true
	out := preview.NewExcerpt(scene.Kinds)
	if err := addNamespaces(ctx, cluster, scene, out); err != nil {
		return nil, err
	}
	scene.Begin(out, "")
	for _, k := range out.Order() {
		if err := addKind(ctx, cluster, k, scene, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func addNamespaces(ctx context.Context, cluster client.Client, scene *preview.Scene, to *preview.Excerpt) error {
	add := func(namespace *corev1.Namespace) {
		to.Namespace(namespace.Name, namespace.Annotations)
		if namespace.Name == metav1.NamespaceSystem {
			scene.Owner = string(namespace.UID)
		}
	}
	err := eachItem(ctx, cluster, &corev1.NamespaceList{}, func(obj runtime.Object) error {
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

// addKind adds the objects of a kind.
func addKind(ctx context.Context, cluster client.Client, k kind.Kind, scene *preview.Scene, to *preview.Excerpt) error {
	list := func(opts ...client.ListOption) error {
		objects, err := listOf(cluster, k)
		if err != nil {
			return err
		}
		return eachItem(ctx, cluster, objects, func(obj runtime.Object) error {
			to.Live(plan.Manifest{Kind: k, Object: obj.(v1alpha1.Object)})
			return nil
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
