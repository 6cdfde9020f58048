package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	cliflag "k8s.io/component-base/cli/flag"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/holdfast-dev/holdfast/internal/flags"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/text"
	"github.com/holdfast-dev/holdfast/internal/version"
)

// Exit codes.
const (
	exitOK    = 0
	exitFault = 1
	exitUsage = 2
)

// helpColumns is where lines of help are wrapped.
const helpColumns = 120

// run is the program. It ends with the context, or with one line on stderr that says what is wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	code := exitUsage // until the command line is understood
	cmd := newCommand(kinds.All(nil), os.Getenv, func(c *config) error {
		code = exitFault
		setLogger(c, stderr)
		return operate(ctx, c)
	})
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	if err := cmd.Execute(); err != nil {
		fmt.Fprintln(stderr, "manager:", text.Visible(strings.Join(strings.Fields(err.Error()), " ")))
		return code
	}
	return exitOK
}

// newCommand returns the command line of the manager. It calls start with a config that is complete and valid; any
// error before that is one sentence that names the flag or variable and what it allows.
func newCommand(all []kind.Kind, getenv func(string) string, start func(*config) error) *cobra.Command {
	c := &config{endpoints: flags.EndpointsFrom(getenv)}
	cmd := &cobra.Command{
		Use:     "manager",
		Long:    "manager keeps Google Cloud resources in sync with their manifests in a Kubernetes cluster.",
		Version: version.String(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unexpected argument %q: manager takes only flags", args[0])
			}
			return nil
		},
		PreRunE:           func(*cobra.Command, []string) error { return c.check() },
		RunE:              func(*cobra.Command, []string) error { return start(c) },
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	cmd.SetVersionTemplate("holdfast {{.Version}}\n")
	groups := c.flagSets(all)
	for _, group := range groups.FlagSets {
		cmd.Flags().AddFlagSet(group)
	}
	cliflag.SetUsageAndHelpFunc(cmd, groups, helpColumns)
	return cmd
}

// operate checks that everything the operator needs is there, and runs it until the context ends.
func operate(ctx context.Context, c *config) (err error) {
	opts, err := c.googleOptions()
	if err != nil {
		return err
	}
	opts.Methods = kinds.Methods()
	opts.UserAgent, opts.QuotaShare, opts.Registerer, opts.Identity = userAgent(), c.quotaShare, metrics.Registry, c.identity
	clients, err := gcp.NewClients(opts)
	if err != nil {
		return credentialsAdvice(err)
	}
	defer func() { err = errors.Join(err, clients.Close()) }()

	kube, err := kubeConfig(c)
	if err != nil {
		return err
	}
	cluster, err := inspect(ctx, kube)
	if err != nil {
		return err
	}
	if c.ownerID == "" {
		c.ownerID = cluster.uid
	}
	if err := clients.Probe(ctx); err != nil {
		return endpointAdvice(err)
	}
	mgr, err := newManager(ctx, c, kube, clients)
	if err != nil {
		return err
	}
	ctrl.Log.Info("Starting manager", "version", version.String(), "ownerID", c.ownerID, "cluster", kube.Host)
	return mgr.Start(ctx)
}

// userAgent identifies Holdfast to the servers that it calls, as in holdfast/v1.2.3.
func userAgent() string {
	short, _, _ := strings.Cut(version.String(), " ")
	return "holdfast/" + strings.Trim(short, "()")
}
