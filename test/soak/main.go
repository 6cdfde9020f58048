// Command soak lets Holdfast's own binary run for a while among people who work and machines that fail, and holds every write to Google Cloud
// against what may be written, as it happens. `make soak` starts it; README.md says what happens and what is checked.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/holdfast-dev/holdfast/test/rig"
)

// Exit codes besides 0; that of an interrupted program is as shells expect it.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// least is the shortest time in which everything happens that can.
const least = 3 * time.Minute

// settings are what the command line says.
type settings struct {
	duration time.Duration
	seed     uint64
	// logs is a folder that keeps the logs of the operators; empty for none.
	logs string
}

func main() {
	ctx, output, release := rig.Interruptible(context.Background())
	code := run(ctx, os.Args[1:], output(os.Stdout))
	release()
	os.Exit(code)
}

// run is the program; it returns the exit code.
func run(ctx context.Context, args []string, out io.Writer) int {
	s, err := parse(args, out)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(out, "soak:", err)
		return exitUsage
	}
	tell := newDiary(out)
	tell.linef("seed %d: make soak DURATION=%s SEED=%d does the same at the same times", s.seed, s.duration, s.seed)
	err = soak(ctx, s, tell)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(out, "soak: interrupted; everything is stopped")
		return exitInterrupted
	case err != nil:
		fmt.Fprintf(out, "soak: seed %d: %v\n", s.seed, err)
		return exitFailure
	}
	return 0
}

// parse reads the command line.
func parse(args []string, out io.Writer) (settings, error) {
	s := settings{seed: rand.Uint64N(1_000_000)}
	fs := flag.NewFlagSet("soak", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.DurationVar(&s.duration, "duration", time.Hour, "how long things go wrong")
	fs.Uint64Var(&s.seed, "seed", s.seed, "what decides what happens, and when")
	fs.StringVar(&s.logs, "logs", "", "a folder that keeps the logs of the operators")
	if err := fs.Parse(args); err != nil {
		return s, err
	}
	if s.duration < least {
		return s, fmt.Errorf("--duration is %s: must be at least %s", s.duration, least)
	}
	return s, nil
}

// soak opens a world, lets everything happen, and looks at what has come of it.
func soak(ctx context.Context, s settings, tell *diary) (err error) {
	w, err := open(ctx, s, tell)
	defer func() { err = errors.Join(err, w.Undo.All()) }()
	if err != nil {
		return err
	}
	if err := w.begin(ctx); err != nil {
		return fmt.Errorf("before anything goes wrong: %w", err)
	}
	w.play(ctx, schedule(s.seed, s.duration), s.duration)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(w.judge(ctx), w.rules.verdict())
}
