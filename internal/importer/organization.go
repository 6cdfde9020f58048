package importer

import (
	"context"
	"slices"

	"github.com/holdfast-dev/holdfast/internal/gcp"
)

// Organization lists what is in an organization, or in a folder.
type Organization interface {
	// ListProjects lists the IDs of the active projects that are in a parent, such as organizations/123 or folders/123, but not in a folder
	// of it.
	ListProjects(ctx context.Context, parent string) ([]string, error)
	// ListFolders lists the folders that are in a parent, but not in a folder of it.
	ListFolders(ctx context.Context, parent string) ([]string, error)
}

// ProjectsIn finds all projects in an organization, and in its folders, sorted. What could not be listed is a failure, and keeps nothing else
// from being found.
func ProjectsIn(ctx context.Context, lists Organization, wait Wait, organization string) (projects []string, failures []Failure, err error) {
	for parents := []string{organization}; len(parents) > 0; parents = parents[1:] {
		parent := parents[0]
		for _, list := range []struct {
			what string
			call func(ctx context.Context, parent string) ([]string, error)
			into *[]string
		}{{"Project", lists.ListProjects, &projects}, {"Folder", lists.ListFolders, &parents}} {
			err := wait.retry(ctx, func() error {
				found, err := list.call(ctx, parent)
				*list.into = append(*list.into, found...)
				return err
			})
			if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			if err != nil {
				failures = append(failures, Failure{Kind: list.what, Name: parent, Message: gcp.Classify(err).Explain("", "your account")})
			}
		}
	}
	slices.Sort(projects)
	return projects, failures, nil
}
