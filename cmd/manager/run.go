package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/version"
)

// Exit codes.
const (
	exitOK    = 0
	exitFault = 1
	exitUsage = 2
)

// run is the program. It ends with the context, or with one line on stderr that says what is wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c, err := parse(args, os.Getenv)
	switch {
	case errors.Is(err, flag.ErrHelp):
		printUsage(stdout)
		return exitOK
	case err != nil:
		complain(stderr, err)
		return exitUsage
	case c.version:
		fmt.Fprintln(stdout, "holdfast", version.String())
		return exitOK
	}
	setLogger(c, stderr)
	if err := hold(ctx, c); err != nil {
		complain(stderr, err)
		return exitFault
	}
	return exitOK
}

func complain(w io.Writer, err error) {
	fmt.Fprintln(w, "manager:", strings.Join(strings.Fields(err.Error()), " "))
}

// hold makes sure that all is there that is needed, and runs the operator until the context ends.
func hold(ctx context.Context, c *config) (err error) {
	opts, err := c.endpoints.options()
	if err != nil {
		return err
	}
	opts.UserAgent, opts.Limits, opts.Registerer, opts.Identity = userAgent(), c.limits, metrics.Registry, c.identity
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
	ctrl.Log.Info("Holding fast", "version", version.String(), "ownerID", c.ownerID, "cluster", kube.Host)
	return mgr.Start(ctx)
}

// userAgent is how we introduce ourselves, as in holdfast/v1.2.3.
func userAgent() string {
	short, _, _ := strings.Cut(version.String(), " ")
	return "holdfast/" + strings.Trim(short, "()")
}
