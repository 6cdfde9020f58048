package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/internal/text"
)

// How often is looked at what is waited for, and after how long somebody should look why it takes so long.
const (
	pauseAwait = 300 * time.Millisecond
	slowAwait  = 10 * time.Second
)

// errInterrupted is what ends a command that somebody interrupts while it waits.
var errInterrupted = errors.New("interrupted; what was done before stays")

// awaited is one look at what is waited for.
type awaited struct {
	// done ends the waiting.
	done bool
	// saw is what is waited for, as far as that is known.
	saw string
}

// await looks until something is done, and tells what it sees each time that is something else, and once what to do when that takes long.
func (p *program) await(ctx context.Context, timeout time.Duration, look func(context.Context) (awaited, error)) error {
	deadline, slow, last, unless := time.Now().Add(timeout), time.Now().Add(slowAwait), "", noOperator
	for {
		seen, err := look(ctx)
		switch {
		case err != nil:
			return err
		case seen.done:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("not so after %s: %s", timeout, seen.saw)
		}
		if seen.saw != last && seen.saw != "" {
			last = seen.saw
			p.notef("waiting: %s", last)
		}
		if unless != "" && time.Now().After(slow) {
			p.notef("%s", unless)
			unless = ""
		}
		if !pause(ctx, pauseAwait) {
			return errInterrupted
		}
	}
}

// oneLine is an error in one line.
func oneLine(err error) string { return text.Visible(strings.Join(strings.Fields(err.Error()), " ")) }
