package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// foresee has the plugin say what would be written to Google Cloud, and checks that it mentions something. The flags by which it reaches the
// emulator are not shown. Its exit code says that something would, which is no failure.
func (s *stage) foresee(ctx context.Context, mentions string, args ...string) error {
	args = append([]string{"holdfast"}, args...)
	s.show.command(rig.CommandLine(args))
	out, err := s.kubectl.Run(ctx, slices.Concat(args, s.cloud.ManagerArgs())...)
	s.show.output(out)
	if strings.Contains(out, mentions) && !strings.Contains(out, "error:") {
		return nil
	}
	return errors.Join(fmt.Errorf("the plugin does not mention %q", mentions), err)
}
