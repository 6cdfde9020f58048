package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/holdfast-dev/holdfast/internal/text"
	"github.com/holdfast-dev/holdfast/internal/version"
)

// Exit codes: as those of terraform plan -detailed-exitcode.
const (
	exitOK      = 0
	exitFault   = 1
	exitChanges = 2
)

// exit is a way to end that is no fault and yet not exitOK.
type exit int

// Error implements error.
func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// fault is an error that ends with another code than exitFault.
type fault struct {
	error

	code int
}

func (f *fault) Unwrap() error { return f.error }

// run is the program. A fault is one line on stderr that says what is wrong.
func run(ctx context.Context, args []string, streams genericiooptions.IOStreams, getenv func(string) string) int {
	cmd := newRoot(streams, getenv)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	var code exit
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintln(streams.ErrOut, "error:", text.Visible(strings.Join(strings.Fields(err.Error()), " ")))
	if other, ok := errors.AsType[*fault](err); ok {
		return other.code
	}
	return exitFault
}

// commands are all that the plugin can do, in the order of its help.
var commands = []func(*program) *cobra.Command{newPlan, newDiff}

func newRoot(streams genericiooptions.IOStreams, getenv func(string) string) *cobra.Command {
	p := newProgram(streams, getenv)
	root := &cobra.Command{
		Use:   "kubectl-holdfast",
		Short: "Plan, import, inspect and hold what Holdfast manages in Google Cloud",
		Long: "kubectl holdfast plans what manifests would do in Google Cloud before they are merged, writes manifests for what is there, shows what is " +
			"drifted, on hold or broken, and opens and closes the glass.",
		Version:       version.String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl holdfast"},
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	root.SetVersionTemplate("holdfast {{.Version}}\n")
	p.kube.AddFlags(root.PersistentFlags())
	for _, command := range commands {
		root.AddCommand(command(p))
	}
	return root
}
