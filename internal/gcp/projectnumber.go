package gcp

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// ProjectNumber returns the number of a project, as a service account sees it (its e-mail; empty: as the manager). A number
// never changes and is cached forever; a failure is not. Callers who ask at once share one call.
func (c *Clients) ProjectNumber(ctx context.Context, impersonate, projectID string) (uint64, error) {
	if number, ok := c.numbers.Load(projectID); ok {
		number, _ := number.(uint64)
		return number, nil
	}
	// The shared call outlives the caller, since others wait for it; like all calls it has a time-out of its own.
	shared := context.WithoutCancel(ctx)
	flight := c.flights.DoChan(impersonate+" "+projectID, func() (any, error) {
		return c.fetchProjectNumber(shared, impersonate, projectID)
	})
	select {
	case <-ctx.Done():
		return 0, fmt.Errorf("getting project %q: %w", projectID, ctx.Err())
	case result := <-flight:
		if result.Err != nil {
			return 0, fmt.Errorf("getting project %q: %w", projectID, result.Err)
		}
		number, _ := result.Val.(uint64)
		return number, nil
	}
}

func (c *Clients) fetchProjectNumber(ctx context.Context, impersonate, projectID string) (uint64, error) {
	client, err := c.Projects(ctx, impersonate)
	if err != nil {
		return 0, err
	}
	project, err := client.GetProject(ctx, &resourcemanagerpb.GetProjectRequest{Name: "projects/" + projectID})
	if refusal := Classify(err); refusal != nil {
		if refusal.Class == kind.NotFound { // of the project, not of the resource that it was asked for
			refusal.Class = kind.Denied
			refusal.Permission, refusal.Resource = "resourcemanager.projects.get", "projects/"+projectID
		}
		return 0, refusal
	}
	number, err := strconv.ParseUint(strings.TrimPrefix(project.GetName(), "projects/"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading the number in the name %q: %w", project.GetName(), err)
	}
	c.numbers.Store(projectID, number)
	return number, nil
}
