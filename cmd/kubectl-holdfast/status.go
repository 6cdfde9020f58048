package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/fleet"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// mostAttention is how many manifests status lists unless it is told to list all.
const mostAttention = 20

// statusCommand is `status`.
type statusCommand struct {
	*program
	where

	every  bool
	watch  bool
	output *output
}

func newStatus(p *program) *cobra.Command {
	s := &statusCommand{program: p}
	cmd := &cobra.Command{
		Use:   "status [KIND[/NAME] | KIND NAME]",
		Short: "Show how manifests stand: the fleet at a glance, or one manifest in full",
		Long: "Without a name, status counts the manifests of each kind by how they stand, says for which reasons, and lists those that need somebody's " +
			"attention most: what is refused, on hold, under broken glass, differing, or waiting, in this order, the longest first. " +
			"With a name, it shows all that Holdfast has told about one manifest: conditions, drift, the plan on hold and how to approve it, references, " +
			"settings without a field, the glass now and before, and the resource's page in the Cloud Console.\n\n" +
			"It reads the cluster, page by page, and never Google Cloud: what it shows is what the operator last saw.",
		Example: "  kubectl holdfast status -A\n" +
			"  kubectl holdfast status bucket,topic -l app=shop --all\n" +
			"  kubectl holdfast status -n analytics bucket/exports\n" +
			"  kubectl holdfast status -n shop -w",
		RunE: func(cmd *cobra.Command, args []string) error { return s.run(cmd.Context(), args) },
	}
	cmd.ValidArgsFunction = p.completeTargets
	s.flags(cmd.Flags())
	cmd.Flags().BoolVar(&s.every, "all", false, "List all manifests that are not Ready, as the cluster lists them, and not only those that need attention most.")
	cmd.Flags().BoolVarP(&s.watch, "watch", "w", false, "Go on, and print a line each time that a manifest comes to stand otherwise, until interrupted.")
	s.output = outputFlag(cmd, outputWide, outputJSON, outputYAML)
	return cmd
}

func (s *statusCommand) run(ctx context.Context, args []string) error {
	named, of, err := parseTargets(args)
	switch {
	case err != nil:
		return err
	case len(named) > 1:
		return errors.New("name one manifest, or none")
	case len(named) == 1 && s.given():
		return errors.New("-A and -l select among many manifests, and one is named")
	case s.watch && s.output.isData():
		return fmt.Errorf("-w prints lines, which -o %s are none", s.output)
	case s.every && s.output.isData():
		return errors.New("--all prints manifests as they are read: use it with -o text or wide")
	}
	kube, err := s.cluster()
	if err != nil {
		return err
	}
	selected, err := s.selection(s.program, of)
	if err != nil {
		return err
	}
	if len(named) == 1 {
		return s.showOne(ctx, kube, named[0], selected.namespace)
	}
	if s.watch {
		return s.follow(ctx, kube, selected, "")
	}
	summary := newSummary(selected, mostAttention)
	if s.every {
		return s.listAll(ctx, kube, selected, summary)
	}
	failure := selected.each(ctx, kube, func(k kind.Kind, obj v1alpha1.Object) error {
		summary.Add(fleet.LineOf(k.Kind, obj))
		return nil
	}, nil)
	if failure != nil && summary.Total() == 0 {
		return failure
	}
	if s.output.isData() {
		return errors.Join(s.data(s.output, summary), failure)
	}
	return errors.Join(summary.Text(s.streams.Out, s.now(), s.output.value == outputWide), failure)
}

func newSummary(selected selection, most int) *fleet.Summary {
	var names []string
	for _, k := range selected.kinds {
		names = append(names, k.Kind)
	}
	return fleet.NewSummary(most, names...)
}

// listAll prints all manifests that are not Ready as their pages come, and then the counts: nothing is kept but those.
func (s *statusCommand) listAll(ctx context.Context, kube client.Client, selected selection, summary *fleet.Summary) error {
	lines := fleet.NewLines(s.streams.Out, s.now(), s.output.value == outputWide)
	listed := false
	failure := selected.each(ctx, kube, func(k kind.Kind, obj v1alpha1.Object) error {
		l := fleet.LineOf(k.Kind, obj)
		summary.Count(l)
		if l.State != fleet.Ready {
			listed = true
			lines.Add(l)
		}
		return nil
	}, lines.Flush)
	if listed {
		fmt.Fprintln(s.streams.Out)
	}
	return errors.Join(summary.Counts(s.streams.Out), failure)
}

// showOne shows one manifest in full, and then, if asked to, each change of how it stands.
func (s *statusCommand) showOne(ctx context.Context, kube client.WithWatch, t target, namespace string) error {
	obj, err := t.get(ctx, kube, namespace)
	if err != nil {
		return err
	}
	view := fleet.ViewOf(t.kind, obj)
	if view.References, err = references(ctx, kube, t.kind, obj); err != nil {
		return err
	}
	if s.output.isData() {
		return s.data(s.output, view)
	}
	if err := view.Text(s.streams.Out, s.now()); err != nil || !s.watch {
		return err
	}
	fmt.Fprintln(s.streams.Out)
	return s.follow(ctx, kube, selection{kinds: []kind.Kind{t.kind}, namespace: namespace}, t.name)
}

// references says what the references of a manifest stand for.
func references(ctx context.Context, kube client.Client, k kind.Kind, obj v1alpha1.Object) ([]fleet.Reference, error) {
	var out []fleet.Reference
	all := kinds.All(nil)
	seen := map[kind.Reference]bool{}
	if k.References == nil {
		return nil, nil
	}
	for _, ref := range k.References(obj) {
		if ref.Namespace == "" {
			ref.Namespace = obj.GetNamespace()
		}
		if seen[ref] {
			continue
		}
		seen[ref] = true
		of, known := kind.Named(all, ref.Kind)
		if !known {
			return nil, fmt.Errorf("%s refers to the kind %s, which this version does not know", k.Kind, ref.Kind)
		}
		refusal, err := refusalOf(ctx, kube, ref, obj.GetNamespace())
		if err != nil {
			return nil, err
		}
		var found v1alpha1.Object = of.New()
		switch err := kube.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, found); {
		case apierrors.IsNotFound(err):
			found = nil
		case apierrors.IsForbidden(err):
			out = append(out, fleet.Reference{Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name, Waiting: "you may not read it"})
			continue
		case err != nil:
			return nil, err
		}
		out = append(out, fleet.ReferenceOf(of, ref, found, refusal))
	}
	return out, nil
}

// refusalOf is why objects of a namespace may not refer to another one; empty where they may, and where the Namespace cannot be read.
func refusalOf(ctx context.Context, kube client.Client, ref kind.Reference, from string) (string, error) {
	if ref.Namespace == from {
		return "", nil
	}
	namespace := &corev1.Namespace{}
	err := kube.Get(ctx, client.ObjectKey{Name: ref.Namespace}, namespace)
	if apierrors.IsForbidden(err) {
		return "", nil
	}
	if client.IgnoreNotFound(err) != nil {
		return "", err
	}
	return tenancy.ReferenceRefusal(ref.Namespace, namespace.Annotations, from), nil
}
