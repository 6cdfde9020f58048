package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/fleet"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func newDrift(p *program) *cobra.Command {
	var w where
	var out *output
	cmd := &cobra.Command{
		Use:   "drift [KIND[/NAME] | KIND NAME]",
		Short: "List what differs in Google Cloud from its manifest, field by field",
		Long: "drift lists the manifests whose condition Drifted is True, those under broken glass included, with each field that differs: from what Google Cloud " +
			"has to what the manifest says. It is what the operator last saw; `diff` looks at Google Cloud itself.\n\n" +
			"-o json prints an object for each manifest, one a line, with the fields kind, namespace, name, state, reason, message, since, project, externalName, " +
			"and drift, a list of path, from and to.\n\n" +
			"The exit code is 0 if nothing differs, 2 if something does, and 1 if that cannot be told.",
		Example: "  kubectl holdfast drift -A\n  kubectl holdfast drift -n analytics bucket/exports\n  kubectl holdfast drift -A -o json | jq -r .externalName",
		RunE:    func(cmd *cobra.Command, args []string) error { return p.drift(cmd.Context(), args, w, out) },
	}
	cmd.ValidArgsFunction = p.completeTargets
	w.flags(cmd.Flags())
	out = outputFlag(cmd, outputWide, outputJSON)
	return cmd
}

// drift prints what differs as the pages come.
func (p *program) drift(ctx context.Context, args []string, w where, out *output) error {
	named, of, err := parseTargets(args)
	if err != nil {
		return err
	}
	if len(named) > 0 && w.given() {
		return errors.New("-A and -l select among many manifests, and some are named")
	}
	selected, err := w.selection(p, of)
	if err != nil {
		return err
	}
	kube, err := p.cluster()
	if err != nil {
		return err
	}
	differ := false
	show := func(k kind.Kind, obj v1alpha1.Object) error {
		if !fleet.HasDrift(obj) {
			return nil
		}
		differ = true
		d := fleet.Drift{Line: fleet.LineOf(k.Kind, obj), Drift: obj.GetCommonStatus().Drift}
		return d.Write(p.streams.Out, p.now(), out.value)
	}
	if len(named) > 0 {
		for _, t := range named {
			obj, err := t.get(ctx, kube, selected.namespace)
			if err != nil {
				return err
			}
			if err := show(t.kind, obj); err != nil {
				return err
			}
		}
	} else if err := selected.each(ctx, kube, show, nil); err != nil {
		return err
	}
	if differ {
		return exit(exitChanges)
	}
	if out.value != outputJSON {
		p.notef("Nothing differs.")
	}
	return nil
}
