package manifests

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// CheckCreate says why the API server would refuse to create an object of one of the kinds, which nobody has written to a file yet.
func CheckCreate(ctx context.Context, obj *unstructured.Unstructured) ([]Problem, error) {
	definitions, err := definitions()
	if err != nil {
		return nil, err
	}
	created := obj.DeepCopy()
	found, err := definitions[obj.GetKind()].create(ctx, created)
	return problems(about(created.Object, Origin{}), found, err), nil
}
