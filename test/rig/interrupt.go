package rig

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Interruptible returns a context that is done once somebody ends the program: by a signal, or by reading no more of what it writes to the
// writers that output returns, as head does. So a program can end in order what it has started. release must be called.
//
// That nobody reads any more is told by SIGPIPE, and so is each connection that breaks, which is nobody's wish. So the signal is let pass, and
// what the writers are told counts.
func Interruptible(parent context.Context) (ctx context.Context, output func(io.Writer) io.Writer, release func()) {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	passing := make(chan os.Signal, 1)
	signal.Notify(passing, syscall.SIGPIPE)
	output = func(to io.Writer) io.Writer { return &read{to, cancel} }
	return ctx, output, func() {
		signal.Stop(passing)
		cancel()
		stop()
	}
}

// read is a writer that says when nobody reads any more what it writes.
type read struct {
	io.Writer
	noMore func()
}

func (r *read) Write(p []byte) (int, error) {
	n, err := r.Writer.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		r.noMore()
	}
	return n, err
}
