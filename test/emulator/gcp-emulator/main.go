// Gcp-emulator runs an emulated Google Cloud until it is interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/holdfast-dev/holdfast/test/emulator"
)

const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	settings, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "gcp-emulator: %v\n", err)
		return exitUsage
	}
	if err := serve(ctx, settings, stdout); err != nil {
		fmt.Fprintf(stderr, "gcp-emulator: %v\n", err)
		return exitFailure
	}
	return 0
}

func serve(ctx context.Context, s settings, stdout io.Writer) error {
	e, err := emulator.New(s.options)
	if err != nil {
		return err
	}
	if err := load(e, s.stateFile); err != nil {
		return err
	}
	if err := e.Start(ctx); err != nil {
		return err
	}
	announce(stdout, e)
	<-ctx.Done()
	return errors.Join(e.Close(), save(e, s.stateFile))
}

func announce(w io.Writer, e *emulator.Emulator) {
	fmt.Fprintf(w, "Cloud Storage                                  %s\n", e.StorageEndpoint())
	fmt.Fprintf(w, "Pub/Sub, IAM, Resource Manager, Asset (REST)   %s/\n", e.URL())
	fmt.Fprintf(w, "Pub/Sub, IAM, Resource Manager, Asset (gRPC)   %s\n", e.GRPCAddr())
	fmt.Fprintf(w, "The emulator itself                            %s/emulator/\n", e.URL())
	fmt.Fprintln(w, "ready")
}
