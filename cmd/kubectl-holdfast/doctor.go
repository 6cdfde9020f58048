package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/internal/doctor"
	"github.com/holdfast-dev/holdfast/internal/version"
)

// doctorCommand is `doctor`.
type doctorCommand struct {
	*program

	operatorNamespace, operatorAccount string

	output *output

	kube client.Client
	doctor.Findings
}

func newDoctor(p *program) *cobra.Command {
	d := &doctorCommand{program: p}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the installation: definitions, policies, rights, leader, bindings, access to projects; say how to mend it",
		Long: "doctor checks that the definitions and admission policies are there, are those of this version, and are in force (it tries, as a dry run, to forge who " +
			"broke a glass, which is refused to anybody); which of Holdfast's RBAC verbs you hold; who leads each shard; whether the " +
			"operator's service account may do in the cluster what the operator does; what Namespaces are bound to; and what " +
			"keeps the operator from its work in each project. For that it reads what the operator says of its manifests: it alone knows what its account may do. " +
			"It writes nothing, and what you may not read it says.\n\n" +
			"-o json prints level and findings, a list of level (ok, warn, fail), check, message and fix.\n\n" +
			"The exit code is 0 if all is well, 2 if there are warnings, 1 if something fails.",
		Example: "  kubectl holdfast doctor\n  kubectl holdfast doctor -o json | jq -r '.findings[] | select(.level != \"ok\") | .fix'",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) },
	}
	cmd.Flags().StringVar(&d.operatorNamespace, "operator-namespace", "holdfast-system", "The namespace that the operator runs in.")
	cmd.Flags().StringVar(&d.operatorAccount, "operator-service-account", "holdfast-manager", "The service account that it runs as: the policies know it by that.")
	d.output = outputFlag(cmd, outputJSON)
	return cmd
}

// report is what doctor prints for programs.
type report struct {
	Level    doctor.Level    `json:"level"`
	Findings doctor.Findings `json:"findings"`
}

func (d *doctorCommand) run(ctx context.Context) error {
	var err error
	if d.kube, err = d.cluster(); err != nil {
		return err
	}
	shipped, err := doctor.Ship("system:serviceaccount:" + d.operatorNamespace + ":" + d.operatorAccount)
	if err != nil {
		return err
	}
	server, err := d.server()
	if err != nil {
		return err
	}
	bindings := doctor.NewBindings()
	for _, check := range []func(context.Context) error{
		func(ctx context.Context) error { return d.definitions(ctx, shipped) },
		func(ctx context.Context) error { return d.policies(ctx, shipped, server) },
		func(ctx context.Context) error { return d.roles(ctx, shipped) },
		d.inForce,
		d.rights,
		func(ctx context.Context) error { return d.namespaces(ctx, bindings) },
		func(ctx context.Context) error { return d.leaders(ctx, bindings) },
		func(ctx context.Context) error { return d.operators(ctx, shipped) },
		d.access,
	} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	worst := d.Worst()
	if d.output.isData() {
		if err := d.data(d.output, report{worst, d.Findings}); err != nil {
			return err
		}
	} else {
		d.Text(d.streams.Out)
	}
	switch worst {
	case doctor.Fail:
		return exit(exitFault)
	case doctor.Warn:
		return exit(exitChanges)
	default:
		return nil
	}
}

// Minor versions of Kubernetes 1.
const (
	// testedFrom is the oldest one that Holdfast is tested on.
	testedFrom = 34
	// stampsFrom is the first one that has mutating admission policies.
	stampsFrom = 36
)

// server finds out the API server's minor version.
func (d *doctorCommand) server() (minor int, err error) {
	api, err := d.program.kube.ToDiscoveryClient()
	if err != nil {
		return 0, err
	}
	running, err := api.ServerVersion()
	if err != nil {
		return 0, fmt.Errorf("asking the API server for its version: %w", err)
	}
	if _, err := fmt.Sscanf(running.Minor, "%d", &minor); err != nil {
		return 0, fmt.Errorf("the API server's version is %q: %w", running.String(), err)
	}
	switch {
	case minor < testedFrom:
		d.Add(doctor.Fail, "Kubernetes", fmt.Sprintf("Upgrade the cluster to 1.%d at least, better 1.%d", testedFrom, stampsFrom),
			"%s is older than what Holdfast is tested on", running)
	case minor < stampsFrom:
		d.Add(doctor.OK, "Kubernetes", "", "%s: who broke a glass is set by hand, or by this plugin, and checked (config/before-1.36)", running)
	default:
		d.Add(doctor.OK, "Kubernetes", "", "%s; the plugin is %s", running, short())
	}
	return minor, nil
}

// short is the plugin's version.
func short() string {
	v, _ := version.Build()
	return v
}
