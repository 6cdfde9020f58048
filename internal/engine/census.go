package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/sweep"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// census counts, every sweep interval, the resources of a kind that nobody declared, in the projects that namespaces are bound
// to. It only counts: what it finds is nobody's business but people's.
type census[T v1alpha1.Object] struct {
	obj    T
	traits Traits
	lister Lister
	reader client.Reader // from the cache
	scheme *runtime.Scheme
	sweep  sweep.Schedule
}

// setUpCensus makes the manager count what nobody declared of a kind.
func setUpCensus[T v1alpha1.Object](ctx context.Context, mgr ctrl.Manager, c *census[T]) error {
	// The controllers' own informers may begin later than what the leader runs.
	if _, err := mgr.GetCache().GetInformer(ctx, &corev1.Namespace{}, cache.BlockUntilSynced(false)); err != nil {
		return fmt.Errorf("watching Namespaces: %w", err)
	}
	return mgr.Add(c)
}

// NeedLeaderElection says that the leader alone lists.
func (*census[T]) NeedLeaderElection() bool { return true }

// Start lists until the context ends.
func (c *census[T]) Start(ctx context.Context) error {
	for {
		next := c.sweep.Next()
		if listing, err := c.take(ctx); err != nil {
			log.FromContext(ctx).Info("what nobody declared is not counted", "kind", c.traits.label(), "error", err.Error())
			next = min(next, pauseFailed)
		} else if ctx.Err() == nil {
			metrics.Fleet.Listed(c.traits.label(), listing)
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
func (c *census[T]) take(ctx context.Context) (metrics.Listing, error) {
	projects, declared, err := c.declared(ctx)
	if err != nil {
		return metrics.Listing{}, err
	}
	var listing metrics.Listing
	for project, identities := range projects {
		found, listed := map[string]bool{}, false
		for _, impersonate := range identities {
			names, err := c.lister.List(gcp.WithProject(ctx, project), Ref{Project: project, Impersonate: impersonate})
			if err != nil {
				log.FromContext(ctx).V(1).Info("a project cannot be listed", "kind", c.traits.label(), "project", project, "error", err.Error())
				continue
			}
			listed = true
			for _, name := range names {
				found[name] = true
			}
		}
		if !listed {
			listing.NotListed++
		}
		for name := range found {
			if !declared[project+"/"+name] {
				listing.Unmanaged++
			}
		}
	}
	return listing, nil
}

// declared finds the projects that namespaces are bound to, each with the identities that reach it, and the resources that
// manifests declare, as project/name.
func (c *census[T]) declared(ctx context.Context) (projects map[string][]string, declared map[string]bool, err error) {
	var namespaces corev1.NamespaceList
	if err := c.reader.List(ctx, &namespaces); err != nil {
		return nil, nil, fmt.Errorf("reading the Namespaces: %w", err)
	}
	projects, annotations := map[string][]string{}, map[string]map[string]string{}
	for _, namespace := range namespaces.Items {
		annotations[namespace.Name] = namespace.Annotations
		for _, binding := range tenancy.Bindings(namespace.Annotations) {
			if !slices.Contains(projects[binding.Project], binding.Impersonate) {
				projects[binding.Project] = append(projects[binding.Project], binding.Impersonate)
			}
		}
	}
	list, err := listOf(c.scheme, c.obj)
	if err != nil {
		return nil, nil, err
	}
	if err := c.reader.List(ctx, list); err != nil {
		return nil, nil, fmt.Errorf("reading the manifests: %w", err)
	}
	declared = map[string]bool{}
	return projects, declared, meta.EachListItem(list, func(item runtime.Object) error {
		obj := item.(v1alpha1.Object)
		spec, bound := obj.GetCommonSpec(), obj.GetCommonStatus().Project
		if bound == "" {
			binding, _ := tenancy.Resolve(obj.GetNamespace(), annotations[obj.GetNamespace()], spec.ProjectID, "")
			bound = binding.Project
		}
		declared[bound+"/"+resourceID(obj)] = true
		return nil
	})
}
