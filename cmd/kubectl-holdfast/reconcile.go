package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/fleet"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// reconcileCommand is `reconcile`.
type reconcileCommand struct {
	*program
	where

	yes     bool
	wait    bool
	timeout time.Duration

	kube client.WithWatch
}

func newReconcile(p *program) *cobra.Command {
	r := &reconcileCommand{program: p}
	cmd := &cobra.Command{
		Use:   "reconcile KIND/NAME... | [KIND] -l SELECTOR | [KIND] -A",
		Short: "Have Holdfast look at manifests now",
		Long: "reconcile sets holdfast.dev/reconcile-requested-at to the time, and waits until Holdfast has looked. Of several manifests it asks before it " +
			"touches them: each costs a call to Google Cloud. It takes the RBAC verb update.",
		Example: "  kubectl holdfast reconcile -n analytics bucket/exports\n  kubectl holdfast reconcile -A -l app=shop --yes --wait=false",
		RunE:    func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), args) },
	}
	cmd.ValidArgsFunction = p.completeTargets
	r.flags(cmd.Flags())
	cmd.Flags().BoolVarP(&r.yes, "yes", "y", false, "Do not ask.")
	p.waits(cmd, &r.wait, &r.timeout, "Holdfast has looked at all")
	return cmd
}

// asked is a manifest that Holdfast is asked to look at.
type asked struct {
	kind kind.Kind
	name client.ObjectKey
}

func (r *reconcileCommand) run(ctx context.Context, args []string) error {
	named, of, err := parseTargets(args)
	switch {
	case err != nil:
		return err
	case len(named) > 0 && r.given():
		return errors.New("-A and -l select among many manifests, and some are named")
	case len(named) == 0 && !r.given():
		return errors.New("name manifests as KIND/NAME, or select them with -l or -A")
	}
	selected, err := r.selection(r.program, of)
	if err != nil {
		return err
	}
	if r.kube, err = r.cluster(); err != nil {
		return err
	}
	var all []asked
	for _, t := range named {
		all = append(all, asked{t.kind, client.ObjectKey{Namespace: selected.namespace, Name: t.name}})
	}
	if len(named) == 0 {
		err = selected.each(ctx, r.kube, func(k kind.Kind, obj v1alpha1.Object) error {
			all = append(all, asked{k, client.ObjectKeyFromObject(obj)})
			return nil
		}, nil)
	}
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return errors.New("no manifest is selected")
	}
	if len(all) > 1 && !r.yes {
		if err := r.confirm(ctx, fmt.Sprintf("Have Holdfast look at %d manifests now?", len(all))); err != nil {
			return err
		}
	}
	return r.ask(ctx, all)
}

// ask asks for a look at each, and waits for the looks.
func (r *reconcileCommand) ask(ctx context.Context, all []asked) error {
	at := r.now().UTC().Format(time.RFC3339Nano)
	writer := &annotator{kube: r.kube, byHand: map[string]bool{}}
	var left []asked
	failed := 0
	for _, each := range all {
		obj := each.object()
		err := writer.explain(ctx, writer.patch(ctx, obj, map[string]any{v1alpha1.ReconcileRequestedAtAnnotation: at}), obj)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && len(all) == 1:
			return fmt.Errorf("%s: %w", each.title(), err)
		case err != nil:
			failed++
			r.notef("%s: %s", each.title(), oneLine(err))
		default:
			left = append(left, each)
		}
	}
	var failure error
	if failed > 0 {
		failure = fmt.Errorf("%d of %d could not be asked for", failed, len(all))
	}
	if !r.wait {
		r.sayf("Holdfast is asked to look at %d manifests", len(left))
		return failure
	}
	return errors.Join(r.looked(ctx, left), failure)
}

// looked waits until Holdfast has looked, and says how each manifest stands.
func (r *reconcileCommand) looked(ctx context.Context, left []asked) error {
	return r.await(ctx, r.timeout, func(ctx context.Context) (awaited, error) {
		var waiting []asked
		for _, each := range left {
			obj := each.object()
			if err := reread(ctx, r.kube, obj); err != nil {
				return awaited{}, fmt.Errorf("%s: %w", each.title(), err)
			}
			// Somebody else may have asked meanwhile, whose time it is then.
			if obj.GetCommonStatus().LastHandledReconcileAt != obj.GetAnnotations()[v1alpha1.ReconcileRequestedAtAnnotation] {
				waiting = append(waiting, each)
				continue
			}
			s := fleet.StandingOf(obj)
			r.sayf("%s: %s, %s: %s", each.title(), s.State, s.Reason, s.Message)
		}
		left = waiting
		if len(left) == 0 {
			return awaited{done: true}, nil
		}
		return awaited{saw: fmt.Sprintf("%d of them, such as %s", len(left), left[0].title())}, nil
	})
}

func (a asked) title() string { return fleet.Title(a.kind.Kind, a.name.Namespace, a.name.Name) }

// object is an empty one of that name.
func (a asked) object() v1alpha1.Object {
	obj := a.kind.New()
	obj.SetNamespace(a.name.Namespace)
	obj.SetName(a.name.Name)
	return obj
}
