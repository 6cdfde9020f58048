package engine

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/sweep"
)

// census counts, every sweep interval, the unmanaged resources of a kind in the projects that namespaces are bound to. It only counts:
// what it finds is people's business alone.
type census struct {
	kind      kind.Kind
	inventory *inventory.Inventory
	metrics   *metrics.Collector
	sweep     sweep.Schedule
}

// setUpCensus makes the manager count the unmanaged resources of a kind.
func setUpCensus(ctx context.Context, mgr ctrl.Manager, c *census) error {
	// The controllers' own informers may begin later than what the leader runs.
	if _, err := mgr.GetCache().GetInformer(ctx, &corev1.Namespace{}, cache.BlockUntilSynced(false)); err != nil {
		return fmt.Errorf("watching Namespaces: %w", err)
	}
	return mgr.Add(c)
}

// NeedLeaderElection says that the leader alone lists.
func (*census) NeedLeaderElection() bool { return true }

// Start lists until the context ends.
func (c *census) Start(ctx context.Context) error {
	for {
		next := c.sweep.Next()
		if listing, err := c.take(ctx); err != nil {
			log.FromContext(ctx).Info("unmanaged resources are not counted", "kind", c.kind.Label(), "error", err.Error())
			next = min(next, pauseFailed)
		} else if ctx.Err() == nil {
			c.metrics.Listed(c.kind.Label(), listing)
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// take lists each project once, as each identity that namespaces have there: what one of them sees counts.
func (c *census) take(ctx context.Context) (metrics.Listing, error) {
	declared, err := c.inventory.Census(ctx, c.kind)
	if err != nil {
		return metrics.Listing{}, err
	}
	var listing metrics.Listing
	for project, identities := range declared.Projects {
		found, listed := map[string]bool{}, false
		for _, impersonate := range identities {
			ref := kind.Ref{Project: project, Impersonate: impersonate}
			err := c.kind.Fields.List(gcp.WithProject(ctx, project), ref, func(page []kind.Listed) bool {
				for _, resource := range page {
					found[resource.ID] = true
				}
				return true
			})
			if err != nil {
				log.FromContext(ctx).V(1).Info("a project cannot be listed", "kind", c.kind.Label(), "project", project, "error", err.Error())
				continue
			}
			listed = true
		}
		if !listed {
			listing.NotListed++
			continue
		}
		for id := range found {
			if !declared.Declares(project, id) {
				listing.Unmanaged++
			}
		}
	}
	return listing, nil
}
