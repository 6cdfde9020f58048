package inventory

import (
	"context"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Declaring finds the manifests of a resource of a project, by its Ref.ID.
func (i *Inventory) Declaring(ctx context.Context, k kind.Kind, project, id string) ([]v1alpha1.Object, error) {
	return i.inProject(ctx, k, project, id, i.Source.ByResource)
}

// inProject finds manifests of a resource. None is in no project.
func (i *Inventory) inProject(ctx context.Context, k kind.Kind, project, id string, find finder) ([]v1alpha1.Object, error) {
	if project == "" {
		return nil, nil
	}
	found, err := find(ctx, k, project, id)
	if err != nil {
		return nil, err
	}
	var out []v1alpha1.Object
	for _, obj := range found {
		in, err := i.ProjectOf(ctx, obj)
		if err != nil {
			return nil, err
		}
		if in == project {
			out = append(out, obj)
		}
	}
	return out, nil
}
