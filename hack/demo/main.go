// Command demo shows Holdfast at work on one machine: a real kube-apiserver and etcd, the operator's own binary and an
// emulated Google Cloud, all as plain processes on loopback. `make demo` starts it.
//
// It stays up until interrupted, and leaves nothing behind: no process, no file. With --once it plays the story unattended,
// checks each step, and exits 0 only if every check passed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/holdfast-dev/holdfast/test/rig"
)

// Exit codes besides 0 and 1; that of an interrupted program is as shells expect it.
const (
	exitUsage       = 2
	exitInterrupted = 130
)

// Bounds, so that nothing hangs unseen.
const (
	onceBound = 8 * time.Minute
	waitBound = 60 * time.Second
)

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError) // libraries add theirs to the common one
	once := flags.Bool("once", false, "play the story unattended, check each step, and exit; 0 only if every check passed")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	case flags.NArg() > 0:
		fmt.Fprintf(os.Stderr, "unexpected argument %q: the only flag is --once\n", flags.Arg(0))
		return exitUsage
	}
	ctx, output, release := rig.Interruptible(context.Background())
	defer release()
	show := newScreen(os.Stdout, output)
	err := perform(ctx, show, *once)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		show.linef("\nInterrupted. Everything is stopped and removed.")
		return exitInterrupted
	default:
		show.failure(err)
		return 1
	}
}

// perform starts everything, plays, and stops everything, whatever happens in between.
func perform(ctx context.Context, show *screen, once bool) (err error) {
	sweep := 15 * time.Second
	if once {
		sweep = 5 * time.Second
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, onceBound, fmt.Errorf("the story took more than %s", onceBound))
		defer cancel()
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	s, err := newStage(show, sweep, fail)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Undo.All()) }()

	if err := s.build(ctx); err != nil {
		return because(ctx, err)
	}
	if once {
		return because(ctx, s.tell(ctx))
	}
	return because(ctx, s.stay(ctx))
}

// because names why the context ended, where that is what made a step fail.
func because(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err == nil || cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w (%w)", err, cause)
}
