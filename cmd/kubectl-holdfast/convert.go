package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/internal/convert"
	"github.com/holdfast-dev/holdfast/internal/flags"
	"github.com/holdfast-dev/holdfast/internal/importer"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/layout"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// The sources that are converted.
const (
	fromConfigConnector = "config-connector"
	fromTerraformState  = "terraform-state"
)

// convertCommand is the command convert.
type convertCommand struct {
	*program

	from            string
	project         string
	out             string
	layout          string
	namespacePrefix string
	handover        string
	authoritative   bool
	overwrite       bool
}

func newConvert(p *program) *cobra.Command {
	c := &convertCommand{program: p}
	cmd := &cobra.Command{
		Use:   "convert --from config-connector|terraform-state (FILE|DIR|-)…",
		Short: "Make manifests of Config Connector's manifests or of Terraform's state",
		Long: `Convert makes manifests of what Config Connector or Terraform keep. It calls neither Google Cloud nor the cluster.

From Config Connector it takes StorageBucket, PubSubTopic, IAMServiceAccount, IAMPolicy, IAMPolicyMember, IAMPartialPolicy and IAMAuditConfig,
with the projects that annotations of objects and Namespaces say; from Terraform's state, of version 4, google_storage_bucket,
google_pubsub_topic, google_service_account, google_project_iam_* and the *_iam_* resources of the first three. Grants are gathered into
spec.iam of their resource, or into a ProjectPolicy, in mode Additive, which takes nothing away; with --authoritative they own roles, or
policies, where the source did.

What has no equivalent is listed on standard error, with the field and the reason; then the script that hands over without a gap, which --handover
writes to a file instead. It stops at what fails, and may be run again from its beginning, wherever it has ended.

Files that are there and differ are kept, the script among them, and listed, unless --overwrite is set. So after an interruption the command can be
run again, too, though the source has less by then.

Exit codes: 0 everything is in the manifests, 1 the source could not be read or a file not written, 2 something is listed; what has an equivalent is
written all the same.`,
		Example: `  # From manifests in git
  kubectl holdfast convert --from config-connector config-connector/ --out manifests

  # From the cluster
  kubectl get gcp -A -o yaml | kubectl holdfast convert --from config-connector - --out manifests --handover handover.sh

  # From Terraform
  terraform state pull | kubectl holdfast convert --from terraform-state - --out manifests --handover handover.sh`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args) },
	}
	c.define(cmd)
	return cmd
}

func (c *convertCommand) define(cmd *cobra.Command) {
	fs := cmd.Flags()
	flags.ChoiceVar(fs, &c.from, "from", "", []string{fromConfigConnector, fromTerraformState},
		"What to convert: config-connector or terraform-state.")
	fs.StringVar(&c.project, "project", "", "Project of what names none.")
	fs.StringVar(&c.out, "out", "", "`Folder` to write manifests to, one file for each. Default: standard output.")
	fs.StringVar(&c.layout, "layout", string(layout.Default), "Order of folders and file below --out: namespace, kind and name, with slashes between them.")
	fs.StringVar(&c.namespacePrefix, "namespace-prefix", "", "What the namespace of a project is called before the project's ID, where the source has no namespaces.")
	fs.StringVar(&c.handover, "handover", "", "`File` to write the script to that hands over. Default: standard error.")
	flags.BoolVar(fs, &c.authoritative, "authoritative", false, "Own roles, or policies, where the source owned them.")
	flags.BoolVar(fs, &c.overwrite, "overwrite", false, "Replace files that differ.")
	_ = cmd.RegisterFlagCompletionFunc("from", // it is defined above
		cobra.FixedCompletions([]string{fromConfigConnector, fromTerraformState}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagRequired("from")
	_ = cmd.MarkFlagDirname("out")
}

func (c *convertCommand) run(cmd *cobra.Command, args []string) error {
	result, err := c.convert(cmd, args)
	if err != nil {
		return err
	}
	for _, obj := range result.Objects {
		result.Notes = append(result.Notes, c.problems(cmd, obj)...)
	}
	kept, err := c.write(result.Objects)
	if err != nil {
		return err
	}
	script := result.Handover.Script(c.out)
	keptScript, err := c.writeScript(script)
	if err != nil {
		return err
	}
	notes := slices.Concat(result.Notes, kept, keptScript)
	c.tell(notes)
	if script != "" && c.handover == "" {
		fmt.Fprint(c.streams.ErrOut, "\n"+script)
	}
	if len(notes) > 0 {
		return exit(exitChanges)
	}
	return nil
}

func (c *convertCommand) convert(cmd *cobra.Command, args []string) (convert.Result, error) {
	namespace, err := c.namespace()
	if err != nil {
		return convert.Result{}, err
	}
	options := convert.Options{
		Kinds: kinds.All(nil), Project: c.project, Authoritative: c.authoritative,
		Namespace: func(project string) string { return layout.Namespace(c.namespacePrefix, project) },
	}
	if c.from == fromTerraformState && cmd.Flags().Changed("namespace") {
		options.Namespace = func(string) string { return namespace }
	}
	files, err := c.read(args)
	if err != nil {
		return convert.Result{}, err
	}
	if c.from == fromConfigConnector {
		return convert.ConfigConnector(files, namespace, options)
	}
	if len(files) != 1 {
		return convert.Result{}, fmt.Errorf("one state at a time: %d files", len(files))
	}
	return convert.TerraformState(files[0].Text, options)
}

// read reads files, those in folders, and standard input.
func (c *convertCommand) read(args []string) ([]convert.File, error) {
	var files []convert.File
	for _, arg := range args {
		if arg == "-" {
			contents, err := io.ReadAll(c.streams.In)
			if err != nil {
				return nil, err
			}
			files = append(files, convert.File{Name: "standard input", Text: contents})
			continue
		}
		err := filepath.WalkDir(arg, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || path != arg && !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)) {
				return err
			}
			contents, err := os.ReadFile(path) //nolint:gosec // what is asked for is read
			files = append(files, convert.File{Name: path, Text: contents})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, errors.New("there are no manifests")
	}
	return files, nil
}

// problems are what the API server would refuse in a manifest.
func (c *convertCommand) problems(cmd *cobra.Command, obj layout.Object) []convert.Note {
	if obj.GetNamespace() == "" {
		return nil // a Namespace
	}
	var notes []convert.Note
	for _, problem := range importer.Offline(cmd.Context())(obj) {
		notes = append(notes, convert.Note{
			Source: fmt.Sprintf("%s %s/%s", obj.GetKind(), obj.GetNamespace(), obj.GetName()), Field: problem.Path,
			Message: "the API server would refuse it: " + problem.Message,
		})
	}
	return notes
}

// write writes manifests to where they go, and tells which files it kept.
func (c *convertCommand) write(objects []layout.Object) (kept []convert.Note, err error) {
	var sink importer.Sink = importer.NewStream(c.streams.Out)
	if c.out != "" {
		order := layout.Layout(c.layout)
		if err := order.Validate(); err != nil {
			return nil, fmt.Errorf("reading --layout: %w", err)
		}
		sink = importer.Folder{Path: c.out, Layout: order, Overwrite: c.overwrite}
	}
	for _, obj := range objects {
		file, outcome, differs, err := sink.Put(obj)
		if err != nil {
			return nil, err
		}
		if outcome == importer.Kept {
			message := "was kept; it differs in " + strings.Join(differs, ", ") + ": use --overwrite to replace it"
			kept = append(kept, convert.Note{Source: file, Message: message})
		}
	}
	return kept, nil
}

// mostSources is how many sources of one and the same note are printed.
const mostSources = 3

// tell prints notes. What is said of several sources is said once.
func (c *convertCommand) tell(notes []convert.Note) {
	type said struct{ field, message string }
	var order []said
	sources := map[said][]string{}
	for _, note := range notes {
		s := said{note.Field, note.Message}
		if len(sources[s]) == 0 {
			order = append(order, s)
		}
		sources[s] = append(sources[s], note.Source)
	}
	for _, s := range order {
		of := sources[s]
		where := strings.Join(of[:min(len(of), mostSources)], ", ")
		if more := len(of) - mostSources; more > 0 {
			where += fmt.Sprintf(" and %d more", more)
		}
		if s.field != "" {
			where += ": " + s.field
		}
		fmt.Fprintln(c.streams.ErrOut, text.Visible(where+": "+s.message))
	}
}

// writeScript writes the script that hands over to its file, if one is named, and tells of one that it kept.
func (c *convertCommand) writeScript(script string) (kept []convert.Note, err error) {
	switch {
	case c.handover == "":
		return nil, nil
	case script == "":
		return []convert.Note{{Source: c.handover, Message: "was not written: there is nothing to hand over"}}, nil
	}
	outcome, _, err := importer.WriteFile(c.handover, []byte(script), 0o755, c.overwrite)
	if err != nil || outcome != importer.Kept {
		return nil, err
	}
	message := "was kept; it hands over something else: run it if it has not been through to its end, or else use --overwrite to replace it"
	return []convert.Note{{Source: c.handover, Message: message}}, nil
}
