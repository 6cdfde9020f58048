package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/internal/flags"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/preview"
	"github.com/holdfast-dev/holdfast/internal/preview/render"
)

// The formats that a plan is printed in.
const (
	outputText     = "text"
	outputMarkdown = "markdown"
	outputJSON     = "json"
)

// planning is a run of the command plan.
type planning struct {
	*program

	files   []string
	against string
	project string
	offline bool
	output  string
	// identity is whom Google knows the operator as, and owner the name by which it marks what it owns; each empty where that is not known.
	identity, owner string
	server          planServer
}

func newPlan(p *program) *cobra.Command {
	run := &planning{program: p}
	cmd := &cobra.Command{
		Use:   "plan -f FILE|DIR|- [--against REVISION|DIR] [--offline [--project PROJECT] | --server URL]",
		Short: "Show what applying manifests would do in Google Cloud",
		Long: `plan reads manifests, looks at the live resources in Google Cloud, and shows what applying the manifests would do: create, update,
adopt, on hold (for which approval), refused (why), or nothing. It writes nothing, neither to the cluster nor to Google Cloud.

Manifests are checked as the API server would check them. Of the cluster it reads Namespaces and the objects with their status, so that the plan is
exactly what the operator will do. With --offline it reads no cluster: Namespaces are then taken from the manifests, or all is taken to be in the
project that --project says; what cannot be known so is said.

With --against, a revision of git or a folder, it shows what the change from there does: only what differs, with what is reset and revoked, and what
the manifests that leave do by their deletionPolicy, the one that the cluster has where there is one. Resources are looked at with the credentials of
whoever runs it, which need to read alone.

With --server the operator makes the plan, if it serves any: a pipeline shows it a token, and needs neither credentials of Google Cloud nor access to
the cluster. Namespaces are then the cluster's own.

Exit codes: 0 nothing would change, 1 a manifest is refused or not valid or a look failed, 2 something would change, also once it is approved.`,
		Example: `  # What would applying a folder do?
  kubectl holdfast plan -f manifests/

  # What does this branch change? For a comment on the pull request:
  kubectl holdfast plan -f manifests/ --against origin/main --offline -o markdown

  # In a pipeline that has no credentials, by the operator's plan server:
  kubectl holdfast plan -f manifests/ --against origin/main --server https://plans.example.com -o markdown

  # Without Namespaces in the folder, and for programs:
  kubectl holdfast plan -f bucket.yaml --offline --project shop-prod -o json`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return run.run(cmd.Context()) },
	}
	fs := cmd.Flags()
	fs.StringSliceVarP(&run.files, "filename", "f", nil, "`Files`, folders (with all below them), or - for standard input, to plan.")
	fs.StringVar(&run.against, "against", "", "Folder, or else `revision` of git, of what is applied now: shows what differs from it.")
	fs.StringVar(&run.project, "project", "", "Google Cloud `project` of namespaces that no manifest binds to one; with --offline.")
	flags.BoolVar(fs, &run.offline, "offline", false, "Read no cluster.")
	fs.StringVarP(&run.output, "output", "o", outputText, "`Format`: text, markdown or json.")
	p.operatorFlags(fs, &run.identity, &run.owner)
	p.cloudFlags(fs)
	run.server.define(fs)
	cmd.SetFlagErrorFunc(refuseShort)
	return cmd
}

// check refuses flags that do not go together.
func (r *planning) check() error {
	switch {
	case len(r.files) == 0:
		return errors.New("nothing to plan: name files or folders with -f, or - for standard input")
	case !slices.Contains([]string{outputText, outputMarkdown, outputJSON}, r.output):
		return fmt.Errorf("invalid value %q for --output: must be one of text, markdown, json", r.output)
	case r.project != "" && !r.offline:
		return errors.New("--project is for --offline: with a cluster, its Namespaces say which project they are bound to")
	case r.against != "" && slices.Contains(r.files, "-"):
		return errors.New("--against compares files and folders: standard input has no other version")
	}
	return r.server.check(r)
}

func (r *planning) run(ctx context.Context) error {
	if err := r.check(); err != nil {
		return err
	}
	all := kinds.All(nil)
	after, before, err := r.read(ctx, all)
	if err != nil {
		return err
	}
	document, err := r.document(ctx, after, before)
	if err != nil {
		return err
	}
	if err := r.print(document); err != nil {
		return err
	}
	switch {
	case document.Fails():
		return exit(exitFault)
	case document.Changes():
		return exit(exitChanges)
	}
	return nil
}

// document is the plan.
func (r *planning) document(ctx context.Context, after, before *manifests.Tree) (render.Document, error) {
	if r.server.url != "" {
		return r.server.plan(ctx, r.getenv, after, before)
	}
	clients, err := r.cloud()
	if err != nil {
		return render.Document{}, err
	}
	defer func() { _ = clients.Close() }() // of which nothing is left to be said
	scene := preview.NewScene(kinds.All(clients), after, before)
	cluster, err := r.excerpt(ctx, scene)
	if err != nil {
		return render.Document{}, err
	}
	return r.preview(ctx, clients, scene, cluster)
}

// read reads the manifests, and those to compare with; before is nil for none.
func (r *planning) read(ctx context.Context, all []kind.Kind) (after, before *manifests.Tree, err error) {
	namespace, err := r.namespace()
	if err != nil {
		return nil, nil, err
	}
	options := manifests.Options{Paths: r.files, Stdin: r.streams.In, Namespace: namespace, Kinds: all}
	if after, err = manifests.Read(ctx, options); err != nil || r.against == "" {
		return after, nil, err
	}
	if info, err := os.Stat(r.against); err == nil && info.IsDir() {
		options.Paths = []string{r.against}
	} else {
		options.Revision = r.against
	}
	before, err = manifests.Read(ctx, options)
	return after, before, err
}

// excerpt is what of the cluster matters, or, without one, what the manifests and flags say of Namespaces.
func (r *planning) excerpt(ctx context.Context, scene *preview.Scene) (*preview.Excerpt, error) {
	if r.offline {
		nothing := preview.NewExcerpt(scene.Kinds)
		scene.Begin(nothing, r.project)
		return nothing, nil
	}
	cluster, err := r.cluster()
	if err != nil {
		return nil, fmt.Errorf("%w; or plan without a cluster: --offline", err)
	}
	out, err := excerpt(ctx, cluster, scene)
	if err != nil {
		return nil, fmt.Errorf("reading the cluster: %w; to plan without it: --offline", err)
	}
	return out, nil
}

func (r *planning) preview(ctx context.Context, clients *gcp.Clients, scene *preview.Scene, cluster *preview.Excerpt) (render.Document, error) {
	source, objects, err := scene.Over(ctx, cluster.Source(), r.now())
	if err != nil {
		return render.Document{}, err
	}
	knows := scene.Knows
	knows.Operator, knows.Owner = r.identity != "", cmp.Or(r.owner, scene.Owner) != ""
	previewer := &preview.Previewer{
		Inventory: &inventory.Inventory{Source: source, Kinds: scene.Kinds, OwnerID: cmp.Or(r.owner, scene.Owner), Now: r.now},
		Numbers:   clients, ShutDown: clients.ShutDown, Self: preview.SelfAs(r.identity, cluster.Accounts()), AsOurselves: true, Knows: knows,
		Before: scene.Before,
	}
	previews, err := previewer.All(ctx, objects, progressOn(r.streams.ErrOut))
	if err != nil {
		return render.Document{}, err
	}
	return render.Of(render.Plan{
		Previews: scene.Shown(previews), Origin: scene.Origin, Problems: scene.Problems, Unknowns: append(scene.Unknowns, knows.Whole()...),
	}), nil
}

func (r *planning) print(document render.Document) error {
	var text string
	var err error
	switch r.output {
	case outputJSON:
		text, err = document.JSON()
	case outputMarkdown:
		text = document.Markdown()
	default:
		text = document.Text(isTerminal(r.streams.Out))
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(r.streams.Out, text)
	return err
}

// progressOn shows on a terminal how many resources were looked at; it is nil anywhere else.
func progressOn(stream io.Writer) func(done, total int) {
	if !isTerminal(stream) {
		return nil
	}
	var shown time.Time
	return func(done, total int) {
		switch {
		case done == total:
			fmt.Fprint(stream, "\r\x1b[K")
		case time.Since(shown) > time.Second/5:
			shown = time.Now()
			fmt.Fprintf(stream, "\rlooked at %d of %d\x1b[K", done, total)
		}
	}
}
