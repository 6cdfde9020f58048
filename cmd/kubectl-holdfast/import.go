package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/holdfast-dev/holdfast/internal/flags"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/importer"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/layout"
)

// importCommand is the command import.
type importCommand struct {
	*program

	projects        []string
	organization    string
	kindNames       []string
	selector        string
	out             string
	layout          string
	iam             bool
	namespacePrefix string
	overwrite       bool
	offline         bool
	parallel        int
	verify          bool
	output          string
}

func newImport(p *program) *cobra.Command {
	c := &importCommand{program: p}
	cmd := &cobra.Command{
		Use:   "import (--project P[,P…] | --organization N) [--out DIR] | import --verify DIR",
		Short: "Write manifests for what is in Google Cloud, such that applying them writes nothing there",
		Long: `Import lists the resources of projects and writes a manifest for each, with the fields that are not as Google would have chosen them
and adoption: IfMatches; and for each project a Namespace that is bound to it. Without --out the manifests go to standard output.

It reads only. What is managed by Holdfast already is passed over: resources with its ownership label, and, unless --offline is set, those
that a manifest in the cluster declares. What a manifest cannot say is listed at the end.

With --iam, manifests also list who has which role, in mode Additive, which takes nothing away; that costs a call for each resource, while
everything else comes from lists. What others grant and take away by themselves is left out and listed: the roles of Google's service
agents, deleted members, and grants for a limited time. The policies of projects are imported with --iam, or if --kinds names projectpolicy.

A second run changes nothing. A file that differs, because somebody edited it or the resource has changed, is kept, unless --overwrite is set;
exit code 2 says so. After an interruption, or where a project could not be read (exit code 1), the same command goes on with the projects
that are not complete; it remembers the others in ` + importer.StateFile + ` below --out until all are.

With --verify, import plans the manifests as the operator would and certifies that applying them writes nothing: how many there are, their
SHA-256 and the calls that were made. Exit code 0 says that it is so, 2 that it is not. It looks at IAM policies only with --iam.`,
		Example: `  # All buckets, topics and service accounts of two projects
  kubectl holdfast import --project my-project,my-other-project --out manifests

  # All of an organization, with IAM, and then the proof
  kubectl holdfast import --organization 123456789012 --iam --out manifests
  kubectl holdfast import --verify manifests --iam

  # One team's buckets, into a namespace that is called otherwise than the project
  kubectl holdfast import --project my-project -n shop --kinds bucket -l team=shop`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args) },
	}
	c.define(cmd)
	return cmd
}

var organizationPattern = regexp.MustCompile(`^(organizations/)?[0-9]+$`)

func (c *importCommand) define(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringSliceVar(&c.projects, "project", nil, "IDs of the projects to import, separated by commas.")
	flags.PatternVar(fs, &c.organization, "organization", organizationPattern, "the number of an organization",
		"Import all active projects of the organization with this `number`, and of its folders.")
	fs.StringSliceVar(&c.kindNames, "kinds", nil,
		"Kinds to import, separated by commas: "+strings.Join(kindNames(), ", ")+". Default: all but projectpolicy.")
	fs.StringVarP(&c.selector, "selector", "l", "", "Import only resources whose labels in Google Cloud fit this selector, such as team=shop. "+
		"Kinds without labels have none.")
	fs.StringVar(&c.out, "out", "", "`Folder` to write manifests to, one file for each. Default: standard output.")
	fs.StringVar(&c.layout, "layout", string(layout.Default), "Order of folders and file below --out: namespace, kind and name, with slashes between them.")
	flags.BoolVar(fs, &c.iam, "iam", false, "List in manifests what IAM policies grant, with a call for each resource; with --verify, check them.")
	fs.StringVar(&c.namespacePrefix, "namespace-prefix", "", "What the namespace of a project is called before the project's ID. "+
		"With one project, -n names it.")
	flags.BoolVar(fs, &c.overwrite, "overwrite", false, "Replace files that differ.")
	flags.BoolVar(fs, &c.offline, "offline", false, "Do not look in the cluster for manifests that declare a resource already.")
	flags.CountVar(fs, &c.parallel, "parallel", 8, 64, "How many projects to read at the same time.")
	flags.BoolVar(fs, &c.verify, "verify", false, "Prove that applying the manifests in DIR, or in --out once they are written, writes nothing.")
	fs.StringVarP(&c.output, "output", "o", outputText, "`Format` of the summary, or of the certificate: text or json.")
	c.cloudFlags(fs)
	_ = cmd.RegisterFlagCompletionFunc("kinds", cobra.FixedCompletions(kindNames(), cobra.ShellCompDirectiveNoFileComp)) // it is defined above
	_ = cmd.MarkFlagDirname("out")
}

func kindNames() []string {
	var names []string
	for _, k := range kinds.All(nil) {
		names = append(names, k.Label())
	}
	return names
}

func (c *importCommand) run(cmd *cobra.Command, args []string) error {
	imports := len(c.projects) > 0 || c.organization != ""
	folder := c.out
	if len(args) > 0 {
		folder = args[0]
	}
	if err := c.usage(cmd, args, imports, folder); err != nil {
		return err
	}
	calls := prometheus.NewRegistry()
	clients, err := c.countedCloud(calls, gcp.OrganizationMethods()...)
	if err != nil {
		return err
	}
	defer func() { _ = clients.Close() }() // all answers are in
	if imports {
		if err := c.importAll(cmd, clients); err != nil || !c.verify {
			return err
		}
	}
	return c.certify(cmd.Context(), clients, folder, calls)
}

// usage says what is wrong with the flags.
func (c *importCommand) usage(cmd *cobra.Command, args []string, imports bool, folder string) error {
	switch {
	case c.output != outputText && c.output != outputJSON:
		return fmt.Errorf("invalid value %q for --output: must be one of text, json", c.output)
	case len(c.projects) > 0 && c.organization != "":
		return errors.New("--project and --organization exclude each other")
	case !imports && !c.verify:
		return errors.New("nothing to import: set --project or --organization; or verify manifests with --verify DIR")
	case len(args) > 0 && (imports || !c.verify):
		return fmt.Errorf("unexpected argument %q: manifests go to --out; a folder is given only with --verify, to check what is there", args[0])
	case c.verify && folder == "":
		return errors.New("--verify needs the folder of the manifests, or --out")
	case imports && c.out == "" && c.output == outputJSON:
		return errors.New("-o json prints the summary, and needs --out for the manifests")
	case cmd.Flags().Changed("namespace") && (c.organization != "" || len(c.projects) > 1):
		return errors.New("-n is for one project: a namespace is bound to one; use --namespace-prefix for several")
	}
	return nil
}

// importAll imports, and prints what it did.
func (c *importCommand) importAll(cmd *cobra.Command, clients *gcp.Clients) error {
	ctx := cmd.Context()
	i, err := c.importer(cmd, clients)
	if err != nil {
		return err
	}
	projects, failures := slices.Compact(slices.Sorted(slices.Values(c.projects))), []importer.Failure(nil)
	if c.organization != "" {
		organization := "organizations/" + strings.TrimPrefix(c.organization, "organizations/")
		if projects, failures, err = importer.ProjectsIn(ctx, clients, i.Wait, organization); err != nil {
			return err
		}
	}
	done, finish := c.progress("projects")
	i.Progress = func(complete, of, resources int) { done(complete, of, fmt.Sprintf("%d resources", resources)) }
	summary, err := i.Run(ctx, projects, failures)
	finish()
	if err == nil || ctx.Err() != nil {
		if printed := c.print(c.summaries(), &summary); printed != nil {
			return printed
		}
	}
	switch {
	case ctx.Err() != nil && c.out != "":
		return fmt.Errorf("interrupted: run the same command again to go on with the %d projects that are left",
			summary.Projects-summary.Complete-summary.EarlierComplete)
	case err != nil:
		return err
	case len(summary.Failures) > 0:
		return exit(exitFault)
	case summary.Kept > 0:
		return exit(exitChanges)
	}
	return nil
}

// summaries is where the summary goes: where the manifests do not.
func (c *importCommand) summaries() io.Writer {
	if c.out == "" || c.verify && c.output == outputJSON { // whose output is the certificate
		return c.streams.ErrOut
	}
	return c.streams.Out
}

// print prints a summary or a certificate.
func (c *importCommand) print(out io.Writer, result interface{ Print(out io.Writer) }) error {
	if c.output != outputJSON {
		result.Print(out)
		return nil
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(result)
}

// importer is set up as the flags say.
func (c *importCommand) importer(cmd *cobra.Command, clients *gcp.Clients) (*importer.Importer, error) {
	ctx := cmd.Context()
	chosen, err := c.kinds(clients)
	if err != nil {
		return nil, err
	}
	selector, err := labels.Parse(c.selector)
	if err != nil {
		return nil, fmt.Errorf("reading --selector: %w", err)
	}
	i := &importer.Importer{
		Kinds: chosen, Policies: c.iam, Selector: selector, Parallel: c.parallel, Wait: importer.WaitOnClock,
		Namespace: func(project string) string { return layout.Namespace(c.namespacePrefix, project) },
		Check:     importer.Offline(ctx),
	}
	if cmd.Flags().Changed("namespace") {
		namespace, err := c.namespace()
		if err != nil {
			return nil, err
		}
		i.Namespace = func(string) string { return namespace }
	}
	if i.Declared, err = c.declared(ctx); err != nil {
		return nil, err
	}
	if c.out == "" { // whose order is that of the projects
		i.Sink, i.Parallel = importer.NewStream(c.streams.Out), 1
		return i, nil
	}
	order := layout.Layout(c.layout)
	if err := order.Validate(); err != nil {
		return nil, fmt.Errorf("reading --layout: %w", err)
	}
	i.Sink = importer.Folder{Path: c.out, Layout: order, Overwrite: c.overwrite}
	settings := fmt.Sprintf("kinds=%s selector=%s layout=%s iam=%t prefix=%s namespace=%s overwrite=%t",
		names(chosen), selector, order, c.iam, c.namespacePrefix, i.Namespace(""), c.overwrite)
	i.State, err = importer.OpenState(c.out, settings)
	return i, err
}

func names(chosen []kind.Kind) string {
	var names []string
	for _, k := range chosen {
		names = append(names, k.Label())
	}
	return strings.Join(names, ",")
}

// kinds are those to import.
func (c *importCommand) kinds(clients *gcp.Clients) ([]kind.Kind, error) {
	all := kinds.All(clients)
	for _, name := range c.kindNames {
		if !slices.Contains(kindNames(), strings.ToLower(name)) {
			return nil, fmt.Errorf("--kinds has %q: want some of %s", name, strings.Join(kindNames(), ", "))
		}
	}
	named := func(k kind.Kind) bool {
		return slices.ContainsFunc(c.kindNames, func(name string) bool { return strings.EqualFold(name, k.Label()) })
	}
	return slices.DeleteFunc(all, func(k kind.Kind) bool {
		if len(c.kindNames) > 0 {
			return !named(k)
		}
		return k.Shared() && !c.iam
	}), nil
}
