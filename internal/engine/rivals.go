package engine

import (
	"cmp"
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// resourceIDIndex finds objects by the project and the name of their resource.
const resourceIDIndex = "holdfast.resource"

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
	namesakes, err := namesakes(ctx, r.client, r.scheme, obj, r.kind.Traits(), project)
	if err != nil {
		return nil, err
	}
	var out rivals[T]
	for _, other := range namesakes {
		declares, err := r.declares(ctx, other, project)
		if err != nil {
			return nil, err
		}
		if declares {
			out = append(out, other)
		}
	}
	return out, nil
}

// declares says whether a manifest's resource is in a project: because it is bound to it for good, whatever its namespace
// says at the moment, or because its namespace would bind it.
func (r *Reconciler[T, L]) declares(ctx context.Context, other T, project string) (bool, error) {
	if bound := other.GetCommonStatus().Project; bound != "" {
		return bound == project, nil
	}
	var namespace corev1.Namespace
	if err := r.client.Get(ctx, client.ObjectKey{Name: other.GetNamespace()}, &namespace); err != nil {
		return false, client.IgnoreNotFound(err) // without a Namespace nothing is bound
	}
	binding, refusal := tenancy.Resolve(namespace.Name, namespace.Annotations, other.GetCommonSpec().ProjectID, "")
	return refusal == nil && binding.Project == project, nil
}

// resourceKey is what an object is indexed by: its project, where the object itself says which, and the resource's name within
// it.
func resourceKey(obj v1alpha1.Object, traits Traits) string {
	return cmp.Or(obj.GetCommonStatus().Project, obj.GetCommonSpec().ProjectID) + "/" + nameInProject(obj, traits)
}

// nameInProject is what tells an object's resource from others of its kind in the project.
func nameInProject(obj v1alpha1.Object, traits Traits) string {
	if traits.PolicyOnly {
		return "" // a project has one policy
	}
	return resourceID(obj)
}

// namesakes finds the other objects of a kind whose resource has the same name and is in the project, or may be.
func namesakes[T v1alpha1.Object](ctx context.Context, c client.Reader, scheme *runtime.Scheme, obj T, traits Traits, project string) ([]T, error) {
	var out []T
	name := nameInProject(obj, traits)
	for _, key := range slices.Compact([]string{project + "/" + name, "/" + name}) {
		list, err := listOf(scheme, obj)
		if err != nil {
			return nil, err
		}
		if err := c.List(ctx, list, client.MatchingFields{resourceIDIndex: key}); err != nil {
			return nil, err
		}
		if err := meta.EachListItem(list, func(item runtime.Object) error {
			if other, ok := item.(T); ok && other.GetUID() != obj.GetUID() {
				out = append(out, other)
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}
