package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/fleet"
)

// approveCommand is `approve`.
type approveCommand struct {
	*program

	hash    string
	yes     bool
	wait    bool
	timeout time.Duration
}

func newApprove(p *program) *cobra.Command {
	a := &approveCommand{program: p}
	cmd := &cobra.Command{
		Use:   "approve KIND/NAME",
		Short: "Show the plan that a manifest has on hold, ask, and approve exactly that",
		Long: "approve shows the whole plan that waits, asks, and sets holdfast.dev/approve to the plan's hash. The hash covers the manifest and every change in " +
			"full, and is good once: if either changes before, nothing is written and there is another plan to be seen. With --hash it approves the plan that " +
			"has that hash, and no other. Then it waits until the plan is applied, or says what became of it.\n\n" +
			"This takes the RBAC verb approve, which the ClusterRole holdfast-approve has.",
		Example: "  kubectl holdfast approve -n analytics bucket/exports\n" +
			"  kubectl holdfast approve -n analytics bucket/exports --yes --hash $(kubectl get bucket -n analytics exports -o jsonpath='{.status.plan.hash}')",
		RunE: func(cmd *cobra.Command, args []string) error { return a.run(cmd.Context(), args) },
	}
	cmd.ValidArgsFunction = p.completeTargets
	cmd.Flags().StringVar(&a.hash, "hash", "", "Refuse any plan but the one with this hash.")
	cmd.Flags().BoolVarP(&a.yes, "yes", "y", false, "Do not ask.")
	p.waits(cmd, &a.wait, &a.timeout, "the plan is applied, or something else became of it")
	return cmd
}

func (a *approveCommand) run(ctx context.Context, args []string) error {
	t, err := one(args)
	if err != nil {
		return err
	}
	namespace, err := a.namespace()
	if err != nil {
		return err
	}
	kube, err := a.cluster()
	if err != nil {
		return err
	}
	obj, err := t.get(ctx, kube, namespace)
	if err != nil {
		return err
	}
	title, uid := fleet.Title(t.kind.Kind, namespace, t.name), obj.GetUID()
	if err := a.check(obj); err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	waiting := obj.GetCommonStatus().Plan
	a.notef("%s", title)
	fleet.WritePlan(a.streams.ErrOut, waiting)
	if !a.yes {
		if err := a.confirm(ctx, "Approve this plan?"); err != nil {
			return err
		}
	}
	a.hash = waiting.Hash
	writer := &annotator{kube: kube, byHand: map[string]bool{}}
	if err := writer.change(ctx, obj, v1alpha1.ApproveByAnnotation, func() (map[string]any, error) {
		if obj.GetUID() != uid {
			return nil, errors.New("it was deleted and created again meanwhile: look at its plan again")
		}
		if err := a.check(obj); err != nil {
			return nil, err
		}
		return map[string]any{v1alpha1.ApproveAnnotation: waiting.Hash}, nil
	}); err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	a.sayf("%s: plan %s is approved", title, waiting.Hash)
	if !a.wait {
		return nil
	}
	return a.await(ctx, a.timeout, func(ctx context.Context) (awaited, error) {
		switch err := reread(ctx, kube, obj); {
		case apierrors.IsNotFound(err):
			a.sayf("%s: the manifest is gone, as was approved", title)
			return awaited{done: true}, nil
		case err != nil:
			return awaited{}, err
		}
		return a.outcome(title, obj, waiting.Hash)
	})
}

// check refuses to approve what is not there, not shown in full, or not what was asked for.
func (a *approveCommand) check(obj v1alpha1.Object) error {
	waiting, standing := obj.GetCommonStatus().Plan, fleet.StandingOf(obj)
	switch {
	case waiting == nil:
		return fmt.Errorf("no plan waits for approval: %s, %s: %s", standing.State, standing.Reason, standing.Message)
	case obj.GetCommonStatus().ObservedGeneration != obj.GetGeneration():
		return errors.New("the manifest has changed since this plan was made: wait for the new one")
	case a.hash != "" && waiting.Hash != a.hash:
		return fmt.Errorf("the plan on hold is another one by now, %s: look at it with `kubectl holdfast approve` without --hash and --yes", waiting.Hash)
	case standing.State == fleet.Glass:
		return fmt.Errorf("the glass is broken, and no approval outlives that: close it first (%s)", standing.Message)
	}
	return nil
}

// outcome says what became of an approved plan, as far as that is known.
func (a *approveCommand) outcome(title string, obj v1alpha1.Object, hash string) (awaited, error) {
	status, standing := obj.GetCommonStatus(), fleet.StandingOf(obj)
	told := fmt.Sprintf("%s: %s, %s: %s", title, standing.State, standing.Reason, standing.Message)
	switch {
	case status.Plan != nil && status.Plan.Hash == hash, !fleet.IsSettled(obj):
		return awaited{saw: title + ": " + standing.Reason}, nil
	case standing.State == fleet.Ready, standing.State == fleet.Waiting: // for a reference
		a.sayf("%s: applied: %s", title, standing.Message)
		return awaited{done: true}, nil
	case status.Plan != nil:
		return awaited{}, fmt.Errorf("%s: something changed meanwhile, so another plan waits now: %s", title, status.Plan.Hash)
	}
	return awaited{}, errors.New(told)
}
