package gcp

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// ProjectNumber returns the number of a project, as a service account sees it (its e-mail; empty: as the manager). A number
// never changes and is cached forever; a failure is not. Callers who ask at once share one call.
func (c *Clients) ProjectNumber(ctx context.Context, impersonate, projectID string) (uint64, error) {
	known := func() (any, bool) { return c.numbers.Load(projectID) }
	number, err := c.askOnce(ctx, "number", impersonate, projectID, known, func(ctx context.Context) (any, error) {
		return c.fetchProjectNumber(ctx, impersonate, projectID)
	})
	if err != nil {
		return 0, err
	}
	return number.(uint64), nil
}

// stateLasts is how long the answer to ShutDown is good for: everything in a project is denied at once.
const stateLasts = 30 * time.Second

// projectState is what was found out about a project, and when.
type projectState struct {
	shutDown bool
	err      error
	at       time.Time
}

// ShutDown says whether a project's deletion was requested, or there is no such project any more, as a service account sees it (its e-mail;
// empty: as the manager). Where that is denied nothing is known. Answers and denials are remembered for half a minute.
func (c *Clients) ShutDown(ctx context.Context, impersonate, projectID string) (bool, error) {
	key := impersonate + " " + projectID
	known := func() (any, bool) {
		state, ok := c.states.Load(key)
		return state, ok && time.Since(state.(projectState).at) < stateLasts
	}
	found, err := c.askOnce(ctx, "state", impersonate, projectID, known, func(ctx context.Context) (any, error) {
		project, err := c.fetchProject(ctx, impersonate, projectID)
		state := projectState{at: time.Now()}
		switch {
		case IsNotFound(err):
			state.shutDown = true
		case IsDenied(err):
			state.err = err
		case err != nil:
			return nil, err
		default:
			state.shutDown = project.GetState() == resourcemanagerpb.Project_DELETE_REQUESTED
		}
		c.states.Store(key, state)
		return state, nil
	})
	if err != nil {
		return false, err
	}
	state := found.(projectState)
	return state.shutDown, state.err
}

// askOnce returns what is known of a project, or lets those who ask the same of it at once share one call, which makes it known. That outlives the
// caller, since others wait for it; like all calls it has a time-out of its own. Nobody waits for a call in the background who is not there himself.
func (c *Clients) askOnce(
	ctx context.Context, what, impersonate, projectID string, known func() (any, bool), ask func(context.Context) (any, error),
) (any, error) {
	if found, ok := known(); ok {
		return found, nil
	}
	shared := context.WithoutCancel(ctx)
	key := fmt.Sprintf("%s %s %s %t", what, impersonate, projectID, isInBackground(ctx))
	flight := c.flights.DoChan(key, func() (any, error) {
		if found, ok := known(); ok { // by a call that has ended since
			return found, nil
		}
		return ask(shared)
	})
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("getting project %q: %w", projectID, ctx.Err())
	case result := <-flight:
		if result.Err != nil {
			return nil, fmt.Errorf("getting project %q: %w", projectID, result.Err)
		}
		return result.Val, nil
	}
}

func (c *Clients) fetchProject(ctx context.Context, impersonate, projectID string) (*resourcemanagerpb.Project, error) {
	client, err := c.Projects(ctx, impersonate)
	if err != nil {
		return nil, err
	}
	return client.GetProject(ctx, &resourcemanagerpb.GetProjectRequest{Name: "projects/" + projectID})
}

func (c *Clients) fetchProjectNumber(ctx context.Context, impersonate, projectID string) (uint64, error) {
	project, err := c.fetchProject(ctx, impersonate, projectID)
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
