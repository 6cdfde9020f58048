package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/fleet"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// noOperator is what is told when nobody acknowledges.
const noOperator = "Nobody has answered yet. Does the operator run? Ask `kubectl holdfast doctor`. While it does not run it writes nothing; once it does, it " +
	"sees the annotation before it writes"

// acknowledged waits until Holdfast has acknowledged that the glass is broken.
func (g *glassCommand) acknowledged(ctx context.Context, on []glassed) error {
	if !g.wait {
		return nil
	}
	if on[0].kind == nil {
		return g.acknowledgedIn(ctx, on[0])
	}
	left := slices.Clone(on)
	return g.await(ctx, g.timeout, func(ctx context.Context) (awaited, error) {
		var saw string
		for i := 0; i < len(left); {
			if err := reread(ctx, g.kube, left[i].Object); err != nil {
				return awaited{}, err
			}
			obj := left[i].manifest()
			switch status := obj.GetCommonStatus(); {
			case !isBroken(obj):
				return awaited{}, fmt.Errorf("%s: somebody closed the glass meanwhile", left[i].title())
			case fleet.IsAcknowledged(obj) && status.BreakGlass.Scope == v1alpha1.BreakGlassOnObject:
				g.sayf("%s: acknowledged: no write is in flight, and none will start", left[i].title())
				left = slices.Delete(left, i, i+1)
			default:
				saw = left[i].title() + ": " + unacknowledged(obj)
				i++
			}
		}
		return awaited{len(left) == 0, saw}, nil
	})
}

// unacknowledged says why the glass of a manifest is not acknowledged.
func unacknowledged(obj v1alpha1.Object) string {
	c := meta.FindStatusCondition(obj.GetCommonStatus().Conditions, v1alpha1.ConditionBreakGlass)
	if c != nil && c.Status == metav1.ConditionUnknown {
		return c.Reason + ": " + c.Message
	}
	return "Holdfast has not acknowledged it yet"
}

// acknowledgedIn waits until all manifests in a Namespace have acknowledged its glass.
func (g *glassCommand) acknowledgedIn(ctx context.Context, namespace glassed) error {
	in := selection{kinds: kinds.All(nil), namespace: namespace.GetName()}
	total := 0
	err := g.await(ctx, g.timeout, func(ctx context.Context) (awaited, error) {
		waiting, saw := 0, ""
		total = 0
		err := in.each(ctx, g.kube, func(k kind.Kind, obj v1alpha1.Object) error {
			total++
			if !fleet.IsAcknowledged(obj) {
				waiting++
				if waiting == 1 {
					saw = fleet.Title(k.Kind, obj.GetNamespace(), obj.GetName()) + ": " + unacknowledged(obj)
				}
			}
			return nil
		}, nil)
		if waiting > 1 {
			saw += fmt.Sprintf("; and %d more", waiting-1)
		}
		return awaited{waiting == 0, saw}, err
	})
	if err == nil {
		g.sayf("%s: acknowledged by all %d manifests: no write is in flight, and none will start", namespace.title(), total)
	}
	return err
}

// closed waits until Holdfast has put on record that the glass is closed, and says how each manifest stands then.
func (g *glassCommand) closed(ctx context.Context, on []glassed) error {
	if !g.wait {
		return nil
	}
	var errs []error
	for _, each := range on {
		if each.kind == nil {
			errs = append(errs, g.closedIn(ctx, each))
			continue
		}
		errs = append(errs, g.await(ctx, g.timeout, func(ctx context.Context) (awaited, error) {
			if err := reread(ctx, g.kube, each.Object); err != nil {
				return awaited{}, err
			}
			obj := each.manifest()
			standing := fleet.StandingOf(obj)
			open := obj.GetCommonStatus().BreakGlass
			if open != nil && open.Scope == v1alpha1.BreakGlassOnObject || isBroken(obj) || !fleet.IsSettled(obj) {
				return awaited{saw: each.title() + ": " + standing.Reason}, nil
			}
			g.sayf("%s: %s, %s: %s", each.title(), standing.State, standing.Reason, standing.Message)
			return awaited{done: true}, nil
		}))
	}
	return errors.Join(errs...)
}

// closedIn waits until no manifest in a Namespace is under its glass any more.
func (g *glassCommand) closedIn(ctx context.Context, namespace glassed) error {
	in := selection{kinds: kinds.All(nil), namespace: namespace.GetName()}
	err := g.await(ctx, g.timeout, func(ctx context.Context) (awaited, error) {
		still := 0
		err := in.each(ctx, g.kube, func(_ kind.Kind, obj v1alpha1.Object) error {
			if open := obj.GetCommonStatus().BreakGlass; open != nil && open.Scope == v1alpha1.BreakGlassOnNamespace {
				still++
			}
			return nil
		}, nil)
		return awaited{still == 0, fmt.Sprintf("%s: %d manifests are under its glass", namespace.title(), still)}, err
	})
	if err == nil {
		g.sayf("%s: no manifest is under its glass any more", namespace.title())
	}
	return err
}
