package gcp

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Limits are Holdfast's own rate limits, in calls a second, each with the scope of Google's quota. The calls of a whole second may
// come at once.
type Limits struct {
	// Project limits the calls to one service for the resources of one project. Default: 20.
	Project float64
	// QuotaProject limits the calls to IAM, and those to Resource Manager, that count against one quota project of credentials.
	// Default: 5.
	QuotaProject float64
	// Bucket limits the updates of one bucket's metadata. Default: 1, which is Google's.
	Bucket float64
}

// DefaultLimits stay well below the quotas that Google gives every project.
var DefaultLimits = Limits{Project: 20, QuotaProject: 5, Bucket: 1}

func (l Limits) orDefault() Limits {
	or := func(value, otherwise float64) float64 {
		if value > 0 {
			return value
		}
		return otherwise
	}
	return Limits{
		Project:      or(l.Project, DefaultLimits.Project),
		QuotaProject: or(l.QuotaProject, DefaultLimits.QuotaProject),
		Bucket:       or(l.Bucket, DefaultLimits.Bucket),
	}
}

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
	limits  Limits
	metrics *metrics // nil for none
	now     func() time.Time

	mu      sync.Mutex
	budgets map[scope]*budget
	// crowded is the number of budgets at which idle ones are dropped.
	crowded int
}

// budget is how many calls a scope has left.
type budget struct {
	tokens      *rate.Limiter
	pausedUntil time.Time
	pauseReason string
}

func newLimiter(declared methods, limits Limits, now func() time.Time) *limiter {
	return &limiter{methods: declared, limits: limits, now: now, budgets: map[scope]*budget{}, crowded: 1024}
}

// admit waits until a call may be made and returns what it counts against, or fails at once: with a Throttled error if the wait
// would be too long, with an Invalid one if the method is not declared.
func (l *limiter) admit(ctx context.Context, c call) ([]scope, error) {
	declared, err := l.methods.scope(c)
	if err != nil {
		l.metrics.undeclared(c)
		return nil, err
	}
	scopes := c.scopes(declared)
	return scopes, l.wait(ctx, scopes)
}

// wait waits until all scopes allow a call. It returns a Throttled error at once if that would take longer than maxWait or
// the context lasts.
func (l *limiter) wait(ctx context.Context, scopes []scope) error {
	delay, err := l.reserve(ctx, scopes)
	switch {
	case err != nil:
		l.metrics.putOff(scopes[0].service)
		return err
	case delay == 0:
		return nil
	}
	l.metrics.keptBack(scopes[0].service, delay)
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reserve takes a call from each scope's budget and returns how long to wait before making it, or takes nothing and returns
// a Throttled error.
func (l *limiter) reserve(ctx context.Context, scopes []scope) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	patience := maxWait
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, deadline.Sub(now))
	}
	var longest time.Duration
	reservations := make([]*rate.Reservation, 0, len(scopes))
	for _, s := range scopes {
		b := l.budget(s, now)
		reservation := b.tokens.ReserveN(now, 1)
		reservations = append(reservations, reservation)
		delay := max(reservation.DelayFrom(now), b.pausedUntil.Sub(now))
		if delay > patience {
			for _, taken := range reservations {
				taken.CancelAt(now)
			}
			return 0, b.refusal(s, delay, now)
		}
		longest = max(longest, delay)
	}
	return longest, nil
}

// throttled pauses a scope after Google refused a call: the narrowest that its sentence mentions.
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
	pause := refusal.RetryAfter
	if pause == 0 {
		pause = defaultPause
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b := l.budget(paused, now)
	if until := now.Add(pause); until.After(b.pausedUntil) {
		b.pausedUntil, b.pauseReason = until, refusal.Message
	}
}

// budget returns the scope's budget, and drops idle ones now and then: one that is full and not paused is as good as new.
func (l *limiter) budget(s scope, now time.Time) *budget {
	if b, ok := l.budgets[s]; ok {
		return b
	}
	if len(l.budgets) >= l.crowded {
		for s, b := range l.budgets {
			if b.idle(now) {
				delete(l.budgets, s)
			}
		}
		l.crowded = max(l.crowded, 2*len(l.budgets))
	}
	limit := map[kind.Scope]float64{
		kind.ScopeProject: l.limits.Project, kind.ScopeQuotaProject: l.limits.QuotaProject, kind.ScopeBucket: l.limits.Bucket,
	}[s.of]
	b := &budget{tokens: rate.NewLimiter(rate.Limit(limit), int(math.Ceil(limit)))}
	l.budgets[s] = b
	return b
}

func (b *budget) idle(now time.Time) bool {
	return b.tokens.TokensAt(now) >= float64(b.tokens.Burst()) && !b.pausedUntil.After(now)
}

func (b *budget) refusal(s scope, delay time.Duration, now time.Time) *Error {
	message := fmt.Sprintf("rate-limited by Holdfast: %s are limited to %v a second", s, b.tokens.Limit())
	if b.pausedUntil.After(now) {
		message = fmt.Sprintf("Google asked to slow down: %s (%s are paused)", b.pauseReason, s)
	}
	return &Error{Class: kind.Throttled, Ours: true, RetryAfter: delay, Message: tidy(message)}
}
