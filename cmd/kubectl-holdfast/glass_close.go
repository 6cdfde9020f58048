package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/fleet"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

func newGlassClose(p *program) *cobra.Command {
	g := &glassCommand{program: p}
	cmd := g.command(&cobra.Command{
		Use:   "close",
		Short: "Close the glass, having shown what will be put back",
		Long: "close shows what differs in Google Cloud from the manifests, and so what Holdfast will put back, asks, removes holdfast.dev/break-glass, and waits " +
			"until Holdfast has put the glass on record and each manifest stands firm again. What was changed in Google Cloud and should stay belongs into " +
			"the manifest first.",
		Example: "  kubectl holdfast break-glass close -n analytics bucket/exports\n  kubectl holdfast break-glass close -n shop --namespace-wide --yes",
	}, g.close)
	p.waits(cmd, &g.wait, &g.timeout, "each manifest stands firm again")
	return cmd
}

func (g *glassCommand) close(ctx context.Context, on []glassed) error {
	many := len(on) > 1
	on = slices.DeleteFunc(on, func(each glassed) bool { return many && !isBroken(each) })
	if len(on) == 0 {
		return errors.New("the glass of none of them is broken")
	}
	for _, each := range on {
		if err := g.showPutBack(ctx, each); err != nil {
			return err
		}
	}
	if !g.yes {
		what := on[0].title()
		if len(on) > 1 {
			what = fmt.Sprintf("these %d", len(on))
		}
		if err := g.confirm(ctx, "Close the glass of "+what+"?"); err != nil {
			return err
		}
	}
	var closed []glassed
	failure := g.forEach(ctx, on, func(each glassed) error {
		err := g.change(ctx, each.Object, v1alpha1.BreakGlassClosedByAnnotation, func() (map[string]any, error) {
			if !isBroken(each) {
				return nil, notBroken(each)
			}
			return map[string]any{
				v1alpha1.BreakGlassAnnotation: nil, v1alpha1.BreakGlassByAnnotation: nil, v1alpha1.BreakGlassUntilAnnotation: nil,
			}, nil
		})
		if err == nil {
			closed = append(closed, each)
			g.sayf("%s: the glass is closed", each.title())
		}
		return err
	})
	if ctx.Err() != nil {
		return failure
	}
	return errors.Join(g.closed(ctx, closed), failure)
}

// notBroken says that there is nothing to close, or where.
func notBroken(each glassed) error {
	if obj := each.manifest(); obj != nil {
		if open := obj.GetCommonStatus().BreakGlass; open != nil && open.Scope == v1alpha1.BreakGlassOnNamespace {
			return fmt.Errorf("the glass is that of its Namespace: kubectl holdfast break-glass close -n %s --namespace-wide", obj.GetNamespace())
		}
	}
	return errors.New("the glass is not broken")
}

// showPutBack shows what Holdfast will put back once the glass is closed.
func (g *glassCommand) showPutBack(ctx context.Context, each glassed) error {
	if !isBroken(each) {
		return fmt.Errorf("%s: %w", each.title(), notBroken(each))
	}
	out := g.streams.ErrOut
	if each.kind != nil {
		limits, err := g.limits(ctx, each.GetNamespace())
		if err != nil {
			return err
		}
		fleet.PutBackOf(each.kind.Kind, each.manifest(), limits).Write(out)
		return nil
	}
	limits := tenancy.ReadLimits(each.GetAnnotations())
	in := selection{kinds: kinds.All(nil), namespace: each.GetName()}
	shown, more := 0, 0
	err := in.each(ctx, g.kube, func(k kind.Kind, obj v1alpha1.Object) error {
		if len(obj.GetCommonStatus().Drift) == 0 && obj.GetCommonStatus().Plan == nil {
			return nil
		}
		shown++
		if shown <= mostAsked {
			fleet.PutBackOf(k.Kind, obj, limits).Write(out)
			return nil
		}
		more++
		return nil
	}, nil)
	switch {
	case more > 0:
		g.notef("… and %d more: kubectl holdfast drift -n %s shows all", more, each.GetName())
	case shown == 0 && err == nil:
		g.notef("%s: nothing differs, so nothing will be put back", each.title())
	}
	return err
}

// limits are those that a Namespace sets to its manifests; none where it cannot be read.
func (g *glassCommand) limits(ctx context.Context, name string) (tenancy.Limits, error) {
	namespace := &corev1.Namespace{}
	switch err := g.kube.Get(ctx, client.ObjectKey{Name: name}, namespace); {
	case isForbidden(err):
		return tenancy.Limits{}, nil
	case err != nil:
		return tenancy.Limits{}, err
	}
	return tenancy.ReadLimits(namespace.Annotations), nil
}
