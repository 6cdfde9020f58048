package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/holdfast-dev/holdfast/internal/version"
)

func newVersion(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version and commit of this plugin",
		Long:  "version prints the version and commit of this plugin. `doctor` compares what is installed in the cluster with it.",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(p.streams.Out, "holdfast", version.String())
			return err
		},
	}
}
