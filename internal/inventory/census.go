package inventory

import (
	"context"
	"fmt"
	"slices"

	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// Census is what manifests declare of a kind, and where.
type Census struct {
	// Projects are those that Namespaces are bound to, each with the identities that reach it.
	Projects map[string][]string

	declared map[string]bool
}

// Declares says whether a manifest declares a resource of a project.
func (c Census) Declares(project, id string) bool { return c.declared[project+"/"+id] }

// Census finds the projects that Namespaces are bound to, and what manifests of a kind declare.
func (i *Inventory) Census(ctx context.Context, k kind.Kind) (Census, error) {
	c := Census{Projects: map[string][]string{}, declared: map[string]bool{}}
	namespaces, err := i.Source.Namespaces(ctx)
	if err != nil {
		return c, fmt.Errorf("reading the Namespaces: %w", err)
	}
	for _, annotations := range namespaces {
		for _, binding := range tenancy.Bindings(annotations) {
			if !slices.Contains(c.Projects[binding.Project], binding.Impersonate) {
				c.Projects[binding.Project] = append(c.Projects[binding.Project], binding.Impersonate)
			}
		}
	}
	manifests, err := i.Source.Manifests(ctx, k)
	if err != nil {
		return c, fmt.Errorf("reading the manifests: %w", err)
	}
	for _, obj := range manifests {
		c.declared[projectOf(obj, namespaces[obj.GetNamespace()])+"/"+k.ResourceID(obj)] = true
	}
	return c, nil
}
