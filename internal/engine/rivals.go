package engine

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// resourceIDIndex finds objects by the name of their resource.
const resourceIDIndex = "holdfast.resourceID"

// rivals are the other manifests that declare an object's resource, in the same project.
type rivals[T v1alpha1.Object] []T

// winnerOver returns the manifest that holds the resource instead of the object: the oldest one that is older, if any.
// Those that only observe neither win nor lose.
func (rs rivals[T]) winnerOver(obj T) client.Object {
	if obj.GetCommonSpec().Management == v1alpha1.ManagementObserve {
		return nil
	}
	var winner client.Object
	for _, other := range rs {
		if other.GetCommonSpec().Management != v1alpha1.ManagementObserve && older(other, obj) && (winner == nil || older(other, winner)) {
			winner = other
		}
	}
	return winner
}

// declared says whether a manifest that stays declares the resource too.
func (rs rivals[T]) declared() bool {
	for _, other := range rs {
		if other.GetDeletionTimestamp().IsZero() {
			return true
		}
	}
	return false
}

func older(a, b client.Object) bool {
	x, y := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if x.Equal(&y) {
		return a.GetUID() < b.GetUID()
	}
	return x.Before(&y)
}

// rivals finds the other manifests of an object's resource in the cache.
func (r *Reconciler[T, L]) rivals(ctx context.Context, obj T, project string) (rivals[T], error) {
	namesakes, err := namesakes(ctx, r.client, r.scheme, obj)
	if err != nil {
		return nil, err
	}
	var out rivals[T]
	for _, other := range namesakes {
		var namespace corev1.Namespace
		if err := r.client.Get(ctx, client.ObjectKey{Name: other.GetNamespace()}, &namespace); err != nil {
			if client.IgnoreNotFound(err) == nil {
				continue
			}
			return nil, err
		}
		binding, refusal := tenancy.Resolve(namespace.Name, namespace.Annotations, other.GetCommonSpec().ProjectID, other.GetCommonStatus().Project)
		if refusal == nil && binding.Project == project {
			out = append(out, other)
		}
	}
	return out, nil
}

// namesakes finds the other objects of a kind whose resource has the same name, in whatever project.
func namesakes[T v1alpha1.Object](ctx context.Context, c client.Reader, scheme *runtime.Scheme, obj T) ([]T, error) {
	list, err := listOf(scheme, obj)
	if err != nil {
		return nil, err
	}
	if err := c.List(ctx, list, client.MatchingFields{resourceIDIndex: resourceID(obj)}); err != nil {
		return nil, err
	}
	var out []T
	err = meta.EachListItem(list, func(item runtime.Object) error {
		if other, ok := item.(T); ok && other.GetUID() != obj.GetUID() {
			out = append(out, other)
		}
		return nil
	})
	return out, err
}
