package main

import (
	"context"

	"github.com/holdfast-dev/holdfast/test/rig"
)

// kubectl is what a person would type.
type kubectl struct {
	rig.Kubectl

	show *screen
}

// run types a command and shows it with its answer. The error has what kubectl wrote.
func (k *kubectl) run(ctx context.Context, args ...string) (string, error) {
	k.show.command(rig.CommandLine(args))
	out, err := k.Run(ctx, args...)
	k.show.output(out)
	return out, err
}
