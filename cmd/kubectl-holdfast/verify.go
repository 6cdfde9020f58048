package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/importer"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/preview"
)

// certify plans the manifests in a folder, as they would be applied to a cluster that has no others, and prints what would come of them.
func (c *importCommand) certify(ctx context.Context, clients *gcp.Clients, folder string, calls *prometheus.Registry) error {
	hash, err := importer.Hash(os.DirFS(folder))
	if err != nil {
		return fmt.Errorf("reading the manifests in %s: %w", folder, err)
	}
	all := kinds.All(clients)
	tree, err := manifests.Read(ctx, manifests.Options{Paths: []string{folder}, Kinds: all})
	if err != nil {
		return err
	}
	for _, problem := range tree.Problems {
		fmt.Fprintln(c.streams.ErrOut, problem)
	}
	if len(tree.Problems) > 0 {
		return fmt.Errorf("%d manifests cannot be applied", len(tree.Problems))
	}
	scene, nothing := preview.NewScene(all, tree, nil), preview.NewExcerpt(all)
	scene.Begin(nothing, "")
	source, planned, err := scene.Over(ctx, nothing.Source(), c.now())
	if err != nil {
		return err
	}
	inv := &inventory.Inventory{Source: source, Kinds: all, Now: c.now}
	tell, finish := c.progress("manifests")
	verifier := importer.Verifier{
		Previewer: &preview.Previewer{Inventory: inv, Numbers: clients, AsOurselves: true},
		Policies:  c.iam, ProjectOf: inv.ProjectOf, Progress: func(done, of int) { tell(done, of, "") },
	}
	effects, findings, err := verifier.Verify(ctx, planned)
	finish()
	if err != nil {
		return err
	}
	switch again, err := importer.Hash(os.DirFS(folder)); {
	case err != nil:
		return fmt.Errorf("reading the manifests in %s: %w", folder, err)
	case again != hash:
		return errors.New("the manifests have changed while they were verified: run it again")
	}
	counted, err := callsIn(calls)
	if err != nil {
		return err
	}
	certificate := importer.Certify(c.now(), effects, findings, hash, counted)
	if err := c.print(c.streams.Out, certificate); err != nil {
		return err
	}
	if !certificate.Clean {
		return exit(exitChanges)
	}
	return nil
}
