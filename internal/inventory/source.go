package inventory

import (
	"context"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Source is where manifests and Namespaces are. What it returns must not be changed.
type Source interface {
	// Namespace returns the annotations of a Namespace; none if there is no Namespace of that name.
	Namespace(ctx context.Context, name string) (annotations map[string]string, err error)
	// Manifest returns a manifest; nil if there is none of that name.
	Manifest(ctx context.Context, k kind.Kind, namespace, name string) (v1alpha1.Object, error)
	// ByResource returns the manifests of a kind whose resource has a name, by kind.Kind.ResourceID, and is in a project by what they say
	// themselves; and of those that leave the project to their Namespace at least those whose Namespace is bound to it.
	ByResource(ctx context.Context, k kind.Kind, project, name string) ([]v1alpha1.Object, error)
	// Holding returns those of ByResource whose plan.StandingOf is plan.Holding.
	Holding(ctx context.Context, k kind.Kind, project, name string) ([]v1alpha1.Object, error)
	// ByReferent returns the manifests of a kind whose Referent is the given one.
	ByReferent(ctx context.Context, k kind.Kind, referent string) ([]v1alpha1.Object, error)
}
