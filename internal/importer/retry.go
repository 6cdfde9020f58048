package importer

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

const (
	// attempts is how often a call is made that Google does not answer.
	attempts = 5
	// firstPause and longestPause are how long it is waited before the next.
	firstPause, longestPause = time.Second, 30 * time.Second
)

// Wait lets some time pass, unless the context ends before.
type Wait func(ctx context.Context, d time.Duration) error

// WaitOnClock is the Wait of the real clock.
func WaitOnClock(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// retry makes calls until they succeed or fail for good. What our own limits postpone waits its turn, however long that takes.
func (w Wait) retry(ctx context.Context, call func() error) error {
	pause := firstPause
	for tried := 0; ; {
		err := call()
		var own *fault
		if err == nil || ctx.Err() != nil || errors.As(err, &own) {
			return err
		}
		failed := gcp.Classify(err)
		if !failed.Ours {
			tried++
		}
		if failed.Class != kind.Throttled && failed.Class != kind.Unavailable || tried >= attempts {
			return err
		}
		if err := w(ctx, max(pause, failed.RetryAfter)); err != nil {
			return err
		}
		if !failed.Ours {
			pause = min(2*pause, longestPause)
		}
	}
}
