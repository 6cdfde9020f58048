package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/flags"
)

// longestGlass is the most that the admission policies can be told to allow.
const longestGlass = 8760 * time.Hour

func newGlassOpen(p *program) *cobra.Command {
	g := &glassCommand{program: p}
	var reason string
	cmd := g.command(&cobra.Command{
		Use:   "open",
		Short: "Break the glass: nothing more is written, until it is closed",
		Long: "open sets the annotation holdfast.dev/break-glass on manifests, or on a Namespace, and waits until Holdfast has acknowledged that no write is in " +
			"flight and none will start. Of several manifests it asks before it touches them. Who did it is recorded: by the API server where it stamps " +
			"that, else by this command. A glass that is broken already is left as it is.",
		Example: `  kubectl holdfast break-glass open -n analytics bucket/exports --reason "INC-4711: partner needs access" --for 2h` + "\n" +
			`  kubectl holdfast break-glass open -A -l app=shop --reason "INC-4712: wrong rollout" --yes` + "\n" +
			`  kubectl holdfast break-glass open -n shop --namespace-wide --reason "INC-4713: region is down"`,
	}, func(ctx context.Context, on []glassed) error { return g.open(ctx, on, reason) })
	cmd.Flags().StringVar(&reason, "reason", "", "Why, in one line of at least ten characters.")
	g.lastsFlag(cmd, "The glass closes by itself after this time. If unset: never.")
	p.waits(cmd, &g.wait, &g.timeout, "Holdfast has acknowledged")
	return cmd
}

// lastsFlag defines --for.
func (g *glassCommand) lastsFlag(cmd *cobra.Command, usage string) {
	flags.DurationVar(cmd.Flags(), &g.lasts, "for", 0, time.Minute, longestGlass, usage)
}

func (g *glassCommand) open(ctx context.Context, on []glassed, reason string) error {
	if reason == "" {
		return errors.New("say why, with --reason")
	}
	if err := g.ask(ctx, "Break the glass of", on); err != nil {
		return err
	}
	var opened []glassed
	failure := g.forEach(ctx, on, func(each glassed) error {
		err := g.change(ctx, each.Object, v1alpha1.BreakGlassByAnnotation, func() (map[string]any, error) {
			if isBroken(each) {
				return nil, fmt.Errorf("the glass is broken already, by %s: %s; `extend` changes until when",
					orUnknown(each.GetAnnotations()[v1alpha1.BreakGlassByAnnotation]), each.GetAnnotations()[v1alpha1.BreakGlassAnnotation])
			}
			annotations := map[string]any{v1alpha1.BreakGlassAnnotation: reason, v1alpha1.BreakGlassUntilAnnotation: nil}
			if g.lasts > 0 {
				annotations[v1alpha1.BreakGlassUntilAnnotation] = g.until()
			}
			return annotations, nil
		})
		if err == nil {
			opened = append(opened, each)
			g.sayf("%s: the glass is broken%s", each.title(), expiry(each))
		}
		return err
	})
	if len(opened) == 0 || ctx.Err() != nil {
		return failure
	}
	return errors.Join(g.acknowledged(ctx, opened), failure)
}

func newGlassExtend(p *program) *cobra.Command {
	g := &glassCommand{program: p}
	var reason string
	cmd := g.command(&cobra.Command{
		Use:   "extend",
		Short: "Change until when the glass is broken",
		Long: "extend sets holdfast.dev/break-glass-until of glasses that are broken to a time from now, and keeps the reason unless another one is given. " +
			"Whoever extends a glass is recorded as who broke it, and the record keeps who did before.",
		Example: "  kubectl holdfast break-glass extend -n analytics bucket/exports --for 4h",
	}, func(ctx context.Context, on []glassed) error { return g.extend(ctx, on, reason) })
	cmd.Flags().StringVar(&reason, "reason", "", "Another reason from now on.")
	g.lastsFlag(cmd, "How long from now the glass is broken.")
	return cmd
}

func (g *glassCommand) extend(ctx context.Context, on []glassed, reason string) error {
	if g.lasts == 0 {
		return errors.New("say how long from now, with --for, such as --for 2h")
	}
	if err := g.ask(ctx, "Extend the glass of", on); err != nil {
		return err
	}
	return g.forEach(ctx, on, func(each glassed) error {
		err := g.change(ctx, each.Object, v1alpha1.BreakGlassByAnnotation, func() (map[string]any, error) {
			if !isBroken(each) {
				return nil, errors.New("the glass is not broken")
			}
			annotations := map[string]any{v1alpha1.BreakGlassUntilAnnotation: g.until()}
			if reason != "" {
				annotations[v1alpha1.BreakGlassAnnotation] = reason
			}
			return annotations, nil
		})
		if err == nil {
			g.sayf("%s: the glass is broken%s", each.title(), expiry(each))
		}
		return err
	})
}

// expiry says until when a glass is broken, if it says so.
func expiry(of glassed) string {
	if until := of.GetAnnotations()[v1alpha1.BreakGlassUntilAnnotation]; until != "" {
		return " until " + until
	}
	return ""
}

func orUnknown(user string) string {
	if user == "" {
		return "an unrecorded user"
	}
	return user
}
