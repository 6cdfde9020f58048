package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/flags"
	"github.com/holdfast-dev/holdfast/internal/fleet"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

func newBreakGlass(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "break-glass",
		Short: "Break the glass, so that nothing is written; extend it, close it, list what is open",
		Long: "While the glass is broken on a manifest, Holdfast writes nothing to its resource, keeps watching, and shows what differs. " +
			"Opening, extending and closing take the RBAC verb break-glass (ClusterRoles holdfast-break-glass and, for Namespaces, holdfast-break-glass-namespaces).",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newGlassOpen(p), newGlassExtend(p), newGlassClose(p), newGlassList(p))
	return cmd
}

// glassCommand is what opening, extending and closing have in common.
type glassCommand struct {
	*program
	where

	namespaceWide bool
	yes           bool
	wait          bool
	timeout       time.Duration
	lasts         time.Duration

	kube client.WithWatch
	*annotator
}

// command defines the flags that they have in common.
func (g *glassCommand) command(cmd *cobra.Command, run func(context.Context, []glassed) error) *cobra.Command {
	cmd.Use += " KIND/NAME... | [KIND] -l SELECTOR | --namespace-wide"
	cmd.ValidArgsFunction = g.completeTargets
	g.where.flags(cmd.Flags())
	cmd.Flags().BoolVar(&g.namespaceWide, "namespace-wide", false, "The glass of the Namespace itself (-n), which covers all manifests in it.")
	cmd.Flags().BoolVarP(&g.yes, "yes", "y", false, "Do not ask.")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var err error
		if g.kube, err = g.cluster(); err != nil {
			return err
		}
		g.annotator = &annotator{kube: g.kube, byHand: map[string]bool{}}
		on, err := g.targets(cmd.Context(), args)
		if err != nil {
			return err
		}
		return run(cmd.Context(), on)
	}
	return cmd
}

// waits defines the flags of a command that waits for the operator.
func (p *program) waits(cmd *cobra.Command, wait *bool, timeout *time.Duration, what string) {
	cmd.Flags().BoolVar(wait, "wait", true, "Wait until "+what+"; --wait=false does not.")
	flags.DurationVar(cmd.Flags(), timeout, "timeout", 5*time.Minute, time.Second, 24*time.Hour, "How long to wait at most.")
}

// glassed is what carries the annotations of a glass: a manifest, or a Namespace.
type glassed struct {
	client.Object

	// kind is the manifest's; nil for a Namespace.
	kind *kind.Kind
}

// title is how it is named in a sentence.
func (g glassed) title() string {
	if g.kind == nil {
		return "Namespace " + g.GetName()
	}
	return fleet.Title(g.kind.Kind, g.GetNamespace(), g.GetName())
}

// manifest is the manifest; nil for a Namespace.
func (g glassed) manifest() v1alpha1.Object {
	obj, _ := g.Object.(v1alpha1.Object)
	return obj
}

// targets reads what a command is about.
func (g *glassCommand) targets(ctx context.Context, args []string) ([]glassed, error) {
	named, of, err := parseTargets(args)
	switch {
	case err != nil:
		return nil, err
	case g.namespaceWide && (len(args) > 0 || g.given()):
		return nil, errors.New("--namespace-wide is for the Namespace itself: name no manifests beside it")
	case len(named) > 0 && g.given():
		return nil, errors.New("-A and -l select among many manifests, and some are named")
	case len(named) == 0 && g.selector == "" && !g.namespaceWide:
		return nil, errors.New("name manifests as KIND/NAME, select them with -l, or use --namespace-wide for all in a namespace")
	}
	selected, err := g.selection(g.program, of)
	if err != nil {
		return nil, err
	}
	if g.namespaceWide {
		namespace := &corev1.Namespace{}
		if err := g.kube.Get(ctx, client.ObjectKey{Name: selected.namespace}, namespace); err != nil {
			return nil, err
		}
		return []glassed{{Object: namespace}}, nil
	}
	var out []glassed
	for _, t := range named {
		obj, err := t.get(ctx, g.kube, selected.namespace)
		if err != nil {
			return nil, err
		}
		out = append(out, glassed{obj, &t.kind})
	}
	if len(named) > 0 {
		return out, nil
	}
	err = selected.each(ctx, g.kube, func(k kind.Kind, obj v1alpha1.Object) error {
		out = append(out, glassed{trimmed(k, obj), &k})
		return nil
	}, nil)
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("no manifest matches %q", g.selector)
	}
	return out, err
}

// trimmed is as much of one of many manifests as is needed to name it, ask about it, and see it again.
func trimmed(k kind.Kind, obj v1alpha1.Object) v1alpha1.Object {
	small := k.New()
	small.SetNamespace(obj.GetNamespace())
	small.SetName(obj.GetName())
	small.SetAnnotations(obj.GetAnnotations())
	small.GetCommonSpec().Management = obj.GetCommonSpec().Management
	status, whole := small.GetCommonStatus(), obj.GetCommonStatus()
	status.Conditions, status.BreakGlass, status.Drift = whole.Conditions, whole.BreakGlass, whole.Drift
	return small
}

// isBroken says whether the annotation is set.
func isBroken(obj client.Object) bool {
	_, broken := obj.GetAnnotations()[v1alpha1.BreakGlassAnnotation]
	return broken
}

// mostAsked is how many manifests a question lists.
const mostAsked = 20

// ask asks before more than one manifest is touched: several that are named or selected, or those in a Namespace.
func (g *glassCommand) ask(ctx context.Context, what string, on []glassed) error {
	if g.yes {
		return nil
	}
	n, first, question := 0, []string{}, what+" these %d?"
	list := func(title string) {
		n++
		if n <= mostAsked {
			first = append(first, title)
		}
	}
	for _, each := range on {
		if each.kind != nil {
			list(each.title())
			continue
		}
		question = what + " " + each.title() + ", which is that of these %d?"
		in := selection{kinds: kinds.All(nil), namespace: each.GetName()}
		if err := in.each(ctx, g.kube, func(k kind.Kind, obj v1alpha1.Object) error {
			list(fleet.Title(k.Kind, obj.GetNamespace(), obj.GetName()))
			return nil
		}, nil); err != nil {
			return err
		}
	}
	if n < 2 {
		return nil
	}
	for _, title := range first {
		g.notef("  %s", title)
	}
	if n > mostAsked {
		g.notef("  … and %d more", n-mostAsked)
	}
	return g.confirm(ctx, fmt.Sprintf(question, n))
}

// forEach does something to each, tells each failure, and goes on with the others.
func (g *glassCommand) forEach(ctx context.Context, on []glassed, do func(glassed) error) error {
	failed := 0
	for _, each := range on {
		err := do(each)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && len(on) == 1:
			return fmt.Errorf("%s: %w", each.title(), err)
		case err != nil:
			failed++
			g.notef("%s: %s", each.title(), oneLine(err))
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d failed", failed, len(on))
	}
	return nil
}

// until is when a glass expires that lasts that long from now.
func (g *glassCommand) until() string { return g.now().Add(g.lasts).UTC().Format(time.RFC3339) }
