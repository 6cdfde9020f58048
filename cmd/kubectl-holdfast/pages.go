package main

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// pageSize is how many objects a page of a list has at most: as kubectl's. There is one page in memory at a time.
const pageSize = 500

// selection says which manifests a command is about.
type selection struct {
	kinds []kind.Kind
	// namespace is where they are; empty for everywhere.
	namespace string
	selector  labels.Selector
}

// eachPage calls a function with each page of a list, and returns the version of the API server's data that the list began with. A list that
// takes longer than the API server remembers goes on with what is there now.
func eachPage(
	ctx context.Context, kube client.Reader, list client.ObjectList, each func() error, opts ...client.ListOption,
) (version string, err error) {
	for next := ""; ; {
		page := append([]client.ListOption{client.Limit(pageSize), client.Continue(next)}, opts...)
		err := kube.List(ctx, list, page...)
		var status apierrors.APIStatus
		if next != "" && apierrors.IsResourceExpired(err) && errors.As(err, &status) && status.Status().Continue != "" {
			next = status.Status().Continue
			continue
		}
		if err != nil {
			return "", err
		}
		if version == "" {
			version = list.GetResourceVersion()
		}
		if err := each(); err != nil {
			return "", err
		}
		if next = list.GetContinue(); next == "" {
			return version, nil
		}
	}
}

// eachItem calls a function with each object of a list.
func eachItem(ctx context.Context, kube client.Reader, list client.ObjectList, each func(runtime.Object) error, opts ...client.ListOption) error {
	_, err := eachPage(ctx, kube, list, func() error { return meta.EachListItem(list, each) }, opts...)
	return err
}

// eachOf calls a function with each manifest of a kind, and ended after each page, unless it is nil.
func (s selection) eachOf(
	ctx context.Context, kube client.Client, k kind.Kind, each func(v1alpha1.Object) error, ended func() error,
) (version string, err error) {
	list, err := listOf(kube, k)
	if err != nil {
		return "", err
	}
	opts := []client.ListOption{client.InNamespace(s.namespace)}
	if s.selector != nil {
		opts = append(opts, client.MatchingLabelsSelector{Selector: s.selector})
	}
	version, err = eachPage(ctx, kube, list, func() error {
		if err := meta.EachListItem(list, func(obj runtime.Object) error { return each(obj.(v1alpha1.Object)) }); err != nil || ended == nil {
			return err
		}
		return ended()
	}, opts...)
	if err != nil {
		return "", fmt.Errorf("listing %s: %w", k.Plural, err)
	}
	return version, nil
}

// each calls a function with each manifest of all kinds. A kind that cannot be listed does not keep the others from being.
func (s selection) each(ctx context.Context, kube client.Client, each func(kind.Kind, v1alpha1.Object) error, ended func() error) error {
	var errs []error
	for _, k := range s.kinds {
		if _, err := s.eachOf(ctx, kube, k, func(obj v1alpha1.Object) error { return each(k, obj) }, ended); err != nil {
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.Join(errs...)
}
