package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// The pauses between tries to create what is beyond Google's number of resources grow from the first to the last.
const (
	firstFull = time.Minute
	lastFull  = time.Hour
)

// pauseFull is how long to wait before the next try, after the quota has been used up for a time: as long again.
func (p *pass) pauseFull() time.Duration {
	was := readyCondition(p.stored)
	if was == nil || was.Reason != v1alpha1.ReasonQuotaExceeded {
		return firstFull
	}
	return min(max(p.now().Sub(was.LastTransitionTime.Time), firstFull), lastFull)
}

// fullKeys are what a manifest is found by that waits until there is room in its project.
func fullKeys(_ kind.Kind, obj v1alpha1.Object) []string {
	if ready := readyCondition(obj); ready == nil || ready.Reason != v1alpha1.ReasonQuotaExceeded {
		return nil
	}
	return []string{obj.GetCommonStatus().Project}
}

// goes lets through that a manifest is gone.
func goes() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(event.UpdateEvent) bool { return false },
	}
}

// nextIn maps a manifest that is gone to the one that gets its room: of those that wait for some in its project, the oldest.
func nextIn(c cached, i *inventory.Inventory, k kind.Kind) handler.MapFunc {
	return mapped("who waits for room in a project", func(ctx context.Context, gone client.Object) ([]v1alpha1.Object, error) {
		project, err := i.ProjectOf(ctx, gone.(v1alpha1.Object))
		if err != nil || project == "" {
			return nil, err
		}
		waiting, err := c.by(ctx, k, fullIndex, project)
		slices.SortFunc(waiting, func(a, b v1alpha1.Object) int {
			x, y := a.GetCreationTimestamp(), b.GetCreationTimestamp()
			return cmp.Or(x.Compare(y.Time), cmp.Compare(a.GetUID(), b.GetUID()))
		})
		return waiting[:min(len(waiting), 1)], err
	})
}
