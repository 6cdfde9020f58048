package importer

import (
	"context"

	"github.com/holdfast-dev/holdfast/internal/layout"
	"github.com/holdfast-dev/holdfast/internal/manifests"
)

// Problem is what the API server would refuse in a manifest.
type Problem struct {
	// Path is where, such as spec.labels[team]; empty or spec where it is about several fields.
	Path string
	// Message says what is wrong.
	Message string
}

// Check says what the API server would refuse in a manifest.
type Check func(layout.Object) []Problem

// Offline checks by the CustomResourceDefinitions, without an API server.
func Offline(ctx context.Context) Check {
	return func(obj layout.Object) []Problem {
		found, err := manifests.CheckCreate(ctx, &obj.Unstructured)
		if err != nil {
			return []Problem{{Message: err.Error()}}
		}
		var problems []Problem
		for _, p := range found {
			problems = append(problems, Problem{Path: p.Field, Message: p.Message})
		}
		return problems
	}
}
