package gcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-dev/holdfast/internal/fair"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// DefaultQuotaShare is Options.QuotaShare: something is left for everybody else who uses the quotas.
const DefaultQuotaShare = 0.8

const (
	// maxWait bounds how long a call may wait for its turn. A worker that waited longer would keep other projects waiting; the call
	// is refused as Throttled instead and comes back through the queue.
	maxWait = time.Second
	// defaultPause is for a Throttled answer without a retry-after.
	defaultPause = time.Second
)

// limiter makes calls wait for their turn, and refuses those of a throttled scope, and all of which no scope is declared.
type limiter struct {
	methods methods
	share   float64  // of Google's quotas
	metrics *metrics // nil for none
	now     func() time.Time
	// quotaProject is whose quota calls of all accounts use; empty for the project of each account.
	quotaProject string

	mu sync.Mutex
	// budgets are how many calls each scope has left.
	budgets map[scope]*budget
	// crowded is the number of budgets at which idle ones are dropped.
	crowded int
	// pauses are those that Google asked for.
	pauses map[scope]pause
}

// pause is a time without calls.
type pause struct {
	until  time.Time
	reason string
}

func newLimiter(declared methods, share float64, now func() time.Time) *limiter {
	return &limiter{methods: declared, share: share, now: now, budgets: map[scope]*budget{}, crowded: 1024, pauses: map[scope]pause{}}
}

// scopes are what a call counts against. Where one project's quota is used for all accounts, all of them share it.
func (l *limiter) scopes(c call, declared kind.Method) []scope {
	scopes := c.scopes(declared)
	for i, s := range scopes {
		if s.of == kind.ScopeQuotaProject && l.quotaProject != "" {
			scopes[i].name = l.quotaProject
		}
	}
	return scopes
}

// admit waits until a call may be made and returns what it counts against, or fails at once: with a Throttled error if the wait
// would be too long, with an Invalid one if the method is not declared. A call that the context's turn has a place for need not wait for
// our own limits.
func (l *limiter) admit(ctx context.Context, c call) ([]scope, error) {
	declared, err := l.methods.declared(c)
	if err != nil {
		l.metrics.undeclared(c)
		return nil, err
	}
	scopes, of := l.scopes(c, declared), fair.Tenant{Namespace: namespaceFrom(ctx), Project: c.project, Editor: editorFrom(ctx)}
	if !isInBackground(ctx) {
		return scopes, l.wait(ctx, of, scopes)
	}
	if err := refuseWrite(declared); err != nil {
		return nil, err
	}
	return scopes, l.waitBehind(ctx, of, scopes)
}

// wait waits until all scopes allow a call on behalf of a tenant. It returns a Throttled error if that would take longer than maxWait or
// the context lasts: at once, or once others have come in between. A call that is given up while it waits gives its place back.
func (l *limiter) wait(ctx context.Context, of fair.Tenant, scopes []scope) error {
	p, delay, err := l.reserve(ctx, of, scopes)
	switch {
	case errors.Is(err, context.DeadlineExceeded): // too late, limited or not
		return err
	case err != nil:
		l.metrics.putOff(scopes[0].service)
		return err
	case delay == 0:
		return nil
	}
	l.metrics.keptBack(scopes[0].service, delay)
	patience := l.now().Add(maxWait)
	for delay > 0 && err == nil {
		if err := l.sleep(ctx, p, delay); err != nil {
			return err
		}
		delay, err = l.again(p, patience)
	}
	return err
}

// sleep lets some time pass, for a place that is given back if the context ends before.
func (l *limiter) sleep(ctx context.Context, p place, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		p.cancel(l.now())
		return ctx.Err()
	}
}

// again says how long it takes yet until the call may be made that has a place, or refuses it.
func (l *limiter) again(p place, patience time.Time) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	delay := p.delay(now)
	if delay > 0 && now.Add(delay).After(patience) {
		refusal := l.refusal(p, now)
		p.cancel(now)
		return 0, refusal
	}
	if delay == 0 {
		p.made(now)
	}
	return delay, nil
}

// reserve takes a place for a call, from the context's turn or else from each scope's budget, and returns how long to wait before making
// it; or it takes nothing and returns a Throttled error, or that the context's time is over.
func (l *limiter) reserve(ctx context.Context, of fair.Tenant, scopes []scope) (place, time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	patience := maxWait
	if deadline, ok := ctx.Deadline(); ok {
		if patience = min(patience, deadline.Sub(now)); patience < 0 {
			return place{}, 0, context.DeadlineExceeded
		}
	}
	var longest time.Duration
	for _, s := range scopes {
		asked := l.pauses[s]
		left := asked.until.Sub(now)
		if left > patience {
			message := fmt.Sprintf("%s (%s are paused)", asked.reason, s)
			return place{}, 0, &Error{Class: kind.Throttled, RetryAfter: left, Message: tidy(message)}
		}
		longest = max(longest, left)
	}
	p, ok := turnFrom(ctx).take(scopes)
	if !ok {
		p = l.place(of, scopes, now)
	}
	delay := p.delay(now)
	if delay > patience {
		refusal := l.refusal(p, now)
		p.cancel(now)
		return place{}, 0, refusal
	}
	delay = max(longest, delay)
	if delay == 0 {
		p.made(now)
	}
	return p, delay, nil
}

// throttled pauses all calls that count against what Google refused one for, and lowers their rate: the bucket's where the sentence mentions
// that, and else the project's. What counts against another quota goes on.
func (l *limiter) throttled(scopes []scope, refusal *Error) {
	if len(scopes) == 0 {
		return
	}
	paused := scopes[0]
	for _, s := range scopes {
		if s.of == kind.ScopeBucket && strings.Contains(refusal.Message, "the bucket") {
			paused = s
		}
	}
	wait := cmp.Or(refusal.RetryAfter, defaultPause)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.budget(paused, now).lower(now)
	maps.DeleteFunc(l.pauses, func(_ scope, p pause) bool { return !p.until.After(now) })
	if until := now.Add(wait); until.After(l.pauses[paused].until) {
		l.pauses[paused] = pause{until, refusal.Message}
	}
}

// budget returns the scope's budget, and drops idle ones now and then.
func (l *limiter) budget(s scope, now time.Time) *budget {
	if b, ok := l.budgets[s]; ok {
		return b
	}
	if len(l.budgets) >= l.crowded {
		maps.DeleteFunc(l.budgets, func(_ scope, b *budget) bool { return b.idle(now) })
		l.crowded = max(l.crowded, 2*len(l.budgets))
	}
	b := newBudget(l.share, s.quota.perSecond, now)
	l.budgets[s] = b
	return b
}

// refusal is the refusal of a call to keep within our own limits.
func (l *limiter) refusal(p place, now time.Time) *Error {
	slowest := p.slowest(now)
	return &Error{Class: kind.Throttled, Ours: true, RetryAfter: p.delay(now), Message: tidy(fmt.Sprintf(
		"rate-limited by Holdfast: %s are limited to %.3g a second", slowest, float64(l.budget(slowest, now).limiter.Limit())))}
}

// lowest is the lowest rate of any scope of a service at present, as a share of the configured one.
func (l *limiter) lowest(service kind.Service) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	lowest, now := 1., l.now()
	for s, b := range l.budgets {
		if s.service == service && b.share < 1 {
			b.serve(now)
			lowest = min(lowest, b.share)
		}
	}
	return lowest
}
