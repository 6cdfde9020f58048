// Command fleet measures what a fleet costs: Holdfast's own binary between a real kube-apiserver with etcd and an emulated Google Cloud, each a
// process of its own on this machine. `make bench-fleet` starts it; README.md says what it measures and how.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/holdfast-dev/holdfast/test/rig"
)

// Exit codes besides 0; that of an interrupted program is as shells expect it.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	ctx, output, release := rig.Interruptible(context.Background())
	code := run(ctx, os.Args[1:], output(os.Stdout), output(os.Stderr))
	release()
	os.Exit(code)
}

// run is the program; it returns the exit code. The table goes to stdout, and all else to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "fleet: %v\n", err)
		return exitUsage
	}
	found, err := perform(ctx, s, newProgress(stderr))
	if found != nil && len(found.Figures) > 0 {
		err = errors.Join(err, found.table(stdout))
	}
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "fleet: interrupted; everything is stopped")
		return exitInterrupted
	case err != nil:
		fmt.Fprintf(stderr, "fleet: %v\n", err)
		return exitFailure
	}
	return 0
}

// perform runs the phases in their order.
func perform(ctx context.Context, s settings, show *progress) (*report, error) {
	found := newReport(s, show)
	if s.folder != "" {
		if err := found.load(s.results()); err != nil {
			return nil, err
		}
	}
	err := runPhases(ctx, s, show, found)
	for _, file := range []string{s.results(), s.out} {
		if file != "" {
			err = errors.Join(err, found.save(file))
		}
	}
	if missed := found.missed(count); err == nil && s.check && len(missed) > 0 {
		return found, fmt.Errorf("%d counts miss their targets, the first: %s is %g, want at most %g", len(missed), missed[0].Name, missed[0].Value, *missed[0].Target)
	}
	return found, err
}

// results is the file that a kept fleet has its figures in; empty if it is not kept.
func (s settings) results() string {
	if s.folder == "" {
		return ""
	}
	return filepath.Join(s.folder, "figures.json")
}

func runPhases(ctx context.Context, s settings, show *progress, found *report) (err error) {
	b := &bench{settings: s, show: show, found: found}
	defer func() { err = errors.Join(err, b.close()) }()
	for _, p := range phases {
		if !s.runs(p.name) {
			continue
		}
		show.linef("%s: %s", p.name, p.what)
		if err := p.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}
