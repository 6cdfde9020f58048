package gcp

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-dev/holdfast/internal/fair"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

type backgroundKey struct{}

// InBackground says that the calls made with the context are for somebody who only asks. They go behind all others: each is made when nobody
// waits and half of a second's calls are left, of all budgets that it counts against. And they are reads: a write is refused before it leaves.
func InBackground(ctx context.Context) context.Context {
	return context.WithValue(ctx, backgroundKey{}, true)
}

func isInBackground(ctx context.Context) bool {
	is, _ := ctx.Value(backgroundKey{}).(bool)
	return is
}

// refuseWrite refuses a method that does not only read.
func refuseWrite(m kind.Method) error {
	if quota := m.Step.Quota(); quota == kind.QuotaReads || quota == kind.QuotaLists {
		return nil
	}
	return &Error{Class: kind.Invalid, Message: fmt.Sprintf(
		"%s %s is not called: who only asks what would be written writes nothing", m.Service, m.Name)}
}

// leastNap is the shortest wait of a call in the background until it looks again whether it may be made.
const leastNap = 10 * time.Millisecond

// waitBehind waits until a call on behalf of a tenant may be made behind all others. It returns a Throttled error at once if the context does
// not last as long as that takes at least.
func (l *limiter) waitBehind(ctx context.Context, of fair.Tenant, scopes []scope) error {
	for {
		wait := l.behind(of, scopes)
		if wait == 0 {
			return ctx.Err()
		}
		if deadline, ok := ctx.Deadline(); ok && l.now().Add(wait).After(deadline) {
			return &Error{Class: kind.Throttled, Ours: true, RetryAfter: wait, Message: tidy(fmt.Sprintf(
				"rate-limited by Holdfast: %s are needed by Holdfast itself", scopes[0]))}
		}
		timer := time.NewTimer(max(wait, leastNap))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// behind takes a place for a call that may be made now, or says how long it takes at least until it may.
func (l *limiter) behind(of fair.Tenant, scopes []scope) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for _, s := range scopes {
		wait = max(wait, l.pauses[s].until.Sub(now), l.budget(s, now).spared(now))
	}
	if wait > 0 {
		return wait
	}
	p := l.place(of, scopes, now)
	if wait = p.delay(now); wait > 0 {
		p.cancel(now)
		return wait
	}
	p.made(now)
	return 0
}

// spared is how long it takes until nobody waits and one call can be made that leaves half of what the budget holds.
func (b *budget) spared(now time.Time) time.Duration {
	b.serve(now)
	return b.at.Add(b.until(b.waiting.Len() + 1 + b.limiter.Burst()/2)).Sub(now)
}
