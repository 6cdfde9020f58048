package inventory

import (
	"context"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Declaring finds the manifests of a resource of a project, by its Ref.ID.
func (i *Inventory) Declaring(ctx context.Context, k kind.Kind, project, id string) ([]v1alpha1.Object, error) {
	var out []v1alpha1.Object
	for _, key := range []string{project + "/" + id, "/" + id} { // where the manifest itself says the project, and where its Namespace does
		found, err := i.Source.ByResource(ctx, k, key)
		if err != nil {
			return nil, err
		}
		for _, obj := range found {
			in, err := i.ProjectOf(ctx, obj)
			if err != nil {
				return nil, err
			}
			if in == project {
				out = append(out, obj)
			}
		}
	}
	return out, nil
}
