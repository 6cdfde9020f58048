package planserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/observe"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/preview"
)

// Cluster is what the operator knows of the manifests and Namespaces of the cluster.
type Cluster interface {
	// Synced says whether all is known that there is.
	Synced() bool
	// Self is whom Google knows the operator as when it acts as a service account (empty: as itself).
	Self(ctx context.Context, impersonate string) iampolicy.Self
	// OfAnotherShard says whether the objects in a namespace are another operator's.
	OfAnotherShard(namespace string) bool
}

// Projects knows the numbers and states of projects, as gcp.Clients does.
type Projects interface {
	observe.Numbers
	// ShutDown says whether a project's deletion was requested, as the given service account sees it. With an error nothing is known.
	ShutDown(ctx context.Context, impersonate, projectID string) (bool, error)
}

// UnknownName is what is not known of a resource whose name may be taken elsewhere.
const UnknownName preview.Gap = "whether the name is free: it may be taken in another project, of which the plan server tells nothing"

var _ Planner = (*CloudPlanner)(nil)

// CloudPlanner makes plans from the cluster, as it would be with the manifests applied, and from Google Cloud.
type CloudPlanner struct {
	Inventory *inventory.Inventory
	Cluster   Cluster
	Projects  Projects
}

// OfAnotherShard implements Planner.
func (c *CloudPlanner) OfAnotherShard(namespace string) bool {
	return c.Cluster.OfAnotherShard(namespace)
}

// Kinds implements Planner.
func (c *CloudPlanner) Kinds() []kind.Kind { return c.Inventory.Kinds }

// Plan implements Planner.
func (c *CloudPlanner) Plan(ctx context.Context, scene *preview.Scene) ([]preview.Preview, error) {
	if !c.Cluster.Synced() {
		return nil, unavailable(errors.New("the Namespaces are not known yet"))
	}
	scene.Knows = preview.Knowledge{Records: true, Others: true, Operator: true, Owner: true}
	over, planned, err := scene.Over(ctx, c.Inventory.Source, time.Now())
	if err != nil {
		return nil, err
	}
	kinds := c.only(planned)
	for i, m := range planned {
		planned[i].Kind, _ = kind.Named(kinds, m.Kind.Kind)
	}
	seen := *c.Inventory
	seen.Source, seen.Kinds = over, kinds
	previewer := &preview.Previewer{
		Inventory: &seen, Numbers: c.Projects, ShutDown: c.Projects.ShutDown, Self: c.Cluster.Self,
		Knows: scene.Knows,
	}
	previews, err := previewer.All(gcp.InBackground(ctx), planned, nil)
	if err != nil {
		return nil, fmt.Errorf("planning: %w", err)
	}
	for i := range previews {
		if v := &previews[i]; isGlobal(v.Kind) && v.Outcome.Effect == preview.Create {
			v.Unknown = append(v.Unknown, UnknownName)
		}
	}
	return scene.Shown(previews), nil
}

// only are the kinds as a plan of some manifests sees them: without their writes, and by name only what is the namespace's.
func (c *CloudPlanner) only(manifests []plan.Manifest) []kind.Kind {
	wanted := map[string]map[string]bool{}
	for _, m := range manifests {
		if wanted[m.Kind.Kind] == nil {
			wanted[m.Kind.Kind] = map[string]bool{}
		}
		wanted[m.Kind.Kind][m.Kind.ResourceID(m.Object)] = true
	}
	var out []kind.Kind
	for _, k := range c.Inventory.Kinds {
		if k = k.ReadOnly(); isGlobal(k) {
			k = byList(k, wanted[k.Kind])
		}
		out = append(out, k)
	}
	return out
}
