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
	// Namespaces returns the annotations of all Namespaces of the process's shard, by name.
	Namespaces(ctx context.Context) (map[string]map[string]string, error)
	// Manifest returns a manifest; nil if there is none of that name.
	Manifest(ctx context.Context, k kind.Kind, namespace, name string) (v1alpha1.Object, error)
	// Manifests returns all manifests of a kind in those Namespaces.
	Manifests(ctx context.Context, k kind.Kind) ([]v1alpha1.Object, error)
	// ByResource returns the manifests of a kind whose ResourceKey is the given one.
	ByResource(ctx context.Context, k kind.Kind, key string) ([]v1alpha1.Object, error)
	// Holding returns those of ByResource whose plan.StandingOf is plan.Holding.
	Holding(ctx context.Context, k kind.Kind, key string) ([]v1alpha1.Object, error)
	// ByReferent returns the manifests of a kind whose Referent is the given one.
	ByReferent(ctx context.Context, k kind.Kind, referent string) ([]v1alpha1.Object, error)
}
