package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/fleet"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func isForbidden(err error) bool { return apierrors.IsForbidden(err) }

func newGlassList(p *program) *cobra.Command {
	var w where
	var out *output
	cmd := &cobra.Command{
		Use:   "list [KIND]",
		Short: "List the glasses that are open: who, why, since when and until when",
		Long: "list shows each open glass of a manifest, be it its own or that of its Namespace, and those of Namespaces themselves: who broke it and why, since " +
			"when and until when, whether Holdfast has acknowledged it, and in how many fields Google Cloud differs. -o wide also lists these fields.\n\n" +
			"-o json prints one object a line, with the fields scope, kind, namespace, name, reason, by, since, until, acknowledged and putBack.",
		Example: "  kubectl holdfast break-glass list -A\n  kubectl holdfast break-glass list -n analytics -o wide",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return p.listGlasses(cmd.Context(), args, w, out) },
	}
	w.flags(cmd.Flags())
	out = outputFlag(cmd, outputWide, outputJSON)
	return cmd
}

func (p *program) listGlasses(ctx context.Context, args []string, w where, out *output) error {
	named, of, err := parseTargets(args)
	if err == nil && len(named) > 0 {
		err = errors.New("list takes kinds and no names; `status` shows one manifest")
	}
	if err != nil {
		return err
	}
	selected, err := w.selection(p, of)
	if err != nil {
		return err
	}
	kube, err := p.cluster()
	if err != nil {
		return err
	}
	glasses, found := fleet.NewGlasses(p.streams.Out, p.now(), out.value), false
	add := func(o fleet.Opened, open bool) error {
		if !open {
			return nil
		}
		found = true
		return glasses.Add(o)
	}
	failure := p.glassesOfNamespaces(ctx, kube, selected.namespace, add)
	failure = errors.Join(failure, selected.each(ctx, kube, func(k kind.Kind, obj v1alpha1.Object) error {
		return add(fleet.OpenedOf(k.Kind, obj, p.now()))
	}, glasses.Flush), glasses.Flush())
	if failure == nil && !found && out.value != outputJSON {
		p.notef("No glass is broken.")
	}
	return failure
}

// glassesOfNamespaces adds those of a Namespace, or of all. That somebody may not read Namespaces is told, and no fault.
func (p *program) glassesOfNamespaces(ctx context.Context, kube client.Client, name string, add func(fleet.Opened, bool) error) error {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(namespaceKind.GroupVersion().WithKind("NamespaceList"))
	var opts []client.ListOption
	if name != "" {
		opts = append(opts, client.MatchingFields{"metadata.name": name})
	}
	_, err := eachPage(ctx, kube, list, func() error {
		for _, namespace := range list.Items {
			if err := add(fleet.OpenedIn(namespace.Name, namespace.Annotations, p.now())); err != nil {
				return err
			}
		}
		return nil
	}, opts...)
	if isForbidden(err) {
		p.notef("You may not list Namespaces: glasses of Namespaces without manifests are not shown.")
		return nil
	}
	if err != nil {
		return fmt.Errorf("listing Namespaces: %w", err)
	}
	return nil
}
