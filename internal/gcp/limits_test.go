package gcp

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/internal/fair"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// clock is a time that moves by hand.
type clock struct{ time.Time }

func (c *clock) now() time.Time          { return c.Time }
func (c *clock) advance(d time.Duration) { c.Time = c.Add(d) }

func newClock() *clock { return &clock{time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)} }

var byValue = cmpopts.EquateComparable(scope{})

// aQuota is what calls count against in these tests.
var aQuota = quota{"calls", 2}

func project(name string) []scope {
	return []scope{{kind.ScopeProject, kind.ServiceStorage, aQuota, name}}
}

func updateOf(bucket string) []scope {
	return append(project("p"), scope{kind.ScopeBucket, kind.ServiceStorage, bucketUpdates, bucket})
}

func TestLimiterReserve(t *testing.T) {
	clock := newClock()
	l := newLimiter(nil, 1, clock.now)
	update := updateOf("b")

	for range 2 {
		if _, delay, err := l.reserve(t.Context(), fair.Tenant{}, project("p")); delay != 0 || err != nil {
			t.Fatalf("a second's worth of calls waits %v (%v)", delay, err)
		}
	}
	if _, delay, err := l.reserve(t.Context(), fair.Tenant{}, project("p")); delay != 500*time.Millisecond || err != nil {
		t.Errorf("the third call waits %v (%v), want half a second", delay, err)
	}
	if _, delay, err := l.reserve(t.Context(), fair.Tenant{}, project("other")); delay != 0 || err != nil {
		t.Errorf("another project's call waits %v (%v)", delay, err)
	}
	clock.advance(10 * time.Second)
	if _, delay, err := l.reserve(t.Context(), fair.Tenant{}, update); delay != 0 || err != nil {
		t.Errorf("the first update of a bucket waits %v (%v)", delay, err)
	}
	if _, delay, err := l.reserve(t.Context(), fair.Tenant{}, update); delay != time.Second || err != nil {
		t.Errorf("the second update of a bucket waits %v (%v), want a second", delay, err)
	}
	_, _, err := l.reserve(t.Context(), fair.Tenant{}, update)
	want := Error{
		Class: kind.Throttled, Ours: true, RetryAfter: 2 * time.Second,
		Message: "rate-limited by Holdfast: storage updates for bucket b are limited to 1 a second",
	}
	if diff := cmp.Diff(&want, Classify(err)); diff != "" {
		t.Errorf("a call that would wait too long (-want +got):\n%s", diff)
	}
	clock.advance(2 * time.Second)
	if _, delay, err := l.reserve(t.Context(), fair.Tenant{}, update); delay != 0 || err != nil {
		t.Errorf("a refused call took something with it: the next waits %v (%v)", delay, err)
	}
}

func TestLimiterRespectsTheDeadline(t *testing.T) {
	clock := newClock()
	l := newLimiter(nil, 1, clock.now)
	ctx, cancel := context.WithDeadline(t.Context(), clock.Add(100*time.Millisecond))
	defer cancel()
	for range 2 {
		if _, _, err := l.reserve(ctx, fair.Tenant{}, project("p")); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := l.reserve(ctx, fair.Tenant{}, project("p")); !IsThrottled(err) {
		t.Errorf("got %v, want kind.Throttled: the wait is longer than the context lasts", err)
	}
}

// TestLimiterIsNotWhatMakesACallTooLate: a token, which is not limited, may be asked for when the time of a call is over already.
func TestLimiterIsNotWhatMakesACallTooLate(t *testing.T) {
	for name, scopes := range map[string][]scope{"limited": project("p"), "unlimited": nil} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			ctx, cancel := context.WithDeadline(t.Context(), clock.now().Add(-time.Second))
			defer cancel()
			l := newLimiter(nil, 1, clock.now)
			if err := l.wait(ctx, fair.Tenant{}, scopes); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestLimiterWaits(t *testing.T) {
	l := newLimiter(nil, 10, time.Now)
	start := time.Now()
	for range 22 {
		if err := l.wait(t.Context(), fair.Tenant{}, project("p")); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took < 50*time.Millisecond {
		t.Errorf("22 calls at 20 a second took %v", took)
	}
}

// TestLimiterGivesUp: a call that is given up while it waits leaves its place to the next one.
func TestLimiterGivesUp(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	clock := newClock()
	l := newLimiter(nil, 1, clock.now)
	for range 2 {
		if err := l.wait(t.Context(), fair.Tenant{}, project("p")); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if err := l.wait(cancelled, fair.Tenant{}, project("p")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's end", err)
		}
	}
	if _, delay, err := l.reserve(t.Context(), fair.Tenant{}, project("p")); delay != 500*time.Millisecond || err != nil {
		t.Errorf("the next call waits %v (%v), want half a second", delay, err)
	}
}

func TestLimiterThrottled(t *testing.T) {
	update := updateOf("b")
	cases := map[string]struct {
		refusal          Error
		project, updates bool // held back
		after            time.Duration
	}{
		"the project": {
			Error{RetryAfter: 7 * time.Second, Message: "The project exceeded the rate limit for creating and deleting buckets."},
			true, true, 7 * time.Second,
		},
		"the bucket": {
			Error{RetryAfter: 7 * time.Second, Message: "The rate of change requests to the bucket b exceeds the rate limit."},
			false, true, 7 * time.Second,
		},
		"no time given": {Error{Message: "Quota exceeded."}, true, true, defaultPause},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			l := newLimiter(nil, 1, clock.now)
			impatient, cancel := context.WithDeadline(t.Context(), clock.Add(100*time.Millisecond))
			defer cancel()
			l.throttled(update, &tc.refusal)
			l.throttled(update, &Error{RetryAfter: time.Millisecond, Message: "a shorter pause does not end a longer one"})
			if _, _, err := l.reserve(impatient, fair.Tenant{}, project("p")); IsThrottled(err) != tc.project {
				t.Errorf("reading in the project: %v", err)
			}
			_, _, err := l.reserve(impatient, fair.Tenant{}, update)
			if IsThrottled(err) != tc.updates || Classify(err).RetryAfter != tc.after || Classify(err).Ours {
				t.Errorf("updating the bucket: %v, retry after %v", err, Classify(err).RetryAfter)
			}
			if _, _, err := l.reserve(impatient, fair.Tenant{}, project("other")); err != nil {
				t.Errorf("another project is held back: %v", err)
			}
			clock.advance(tc.after)
			if _, _, err := l.reserve(t.Context(), fair.Tenant{}, update); err != nil {
				t.Errorf("held back after the pause: %v", err)
			}
		})
	}
}

// Emptying a bucket slows nobody else down, and nobody slows it down: neither by the rate of its calls, nor when Google asks it to pause.
func TestContentsOfABucketAreLimitedApart(t *testing.T) {
	clock := newClock()
	l := newLimiter(nil, 1, clock.now)
	contents := func(bucket string) []scope {
		return call{service: kind.ServiceStorage, project: "p", bucket: bucket}.scopes(kind.Method{Service: kind.ServiceStorage, Step: kind.StepEmpty, Scope: kind.ScopeContents})
	}
	for range 1499 {
		if _, _, err := l.reserve(t.Context(), fair.Tenant{}, contents("b")); err != nil {
			t.Fatal(err)
		}
	}
	if _, delay, err := l.reserve(t.Context(), fair.Tenant{}, contents("b")); delay != 500*time.Millisecond || err != nil {
		t.Errorf("after 1,499 calls at once the next waits %v (%v), want half a second", delay, err)
	}
	l.throttled(contents("b"), &Error{RetryAfter: time.Minute, Message: "The rate of requests is too high."})
	for name, scopes := range map[string][]scope{"the project": project("p"), "the bucket": updateOf("b"), "another bucket": contents("c")} {
		if _, delay, err := l.reserve(t.Context(), fair.Tenant{}, scopes); delay != 0 || err != nil {
			t.Errorf("%s waits %v (%v)", name, delay, err)
		}
	}
	if _, _, err := l.reserve(t.Context(), fair.Tenant{}, contents("b")); !IsThrottled(err) || IsLimited(err) {
		t.Errorf("Google's pause is not honoured: %v", err)
	}
	l.throttled(project("p"), &Error{RetryAfter: time.Minute, Message: "The project exceeded the rate limit for creating and deleting buckets."})
	if _, _, err := l.reserve(t.Context(), fair.Tenant{}, contents("c")); err != nil {
		t.Errorf("what is paused in the project pauses contents: %v", err)
	}
}

func TestLimiterForgetsIdleScopes(t *testing.T) {
	clock := newClock()
	l := newLimiter(nil, 1, clock.now)
	l.throttled(project("paused"), &Error{RetryAfter: time.Hour})
	for i := range 10_000 {
		clock.advance(100 * time.Millisecond)
		if _, _, err := l.reserve(t.Context(), fair.Tenant{}, project(string(rune(i)))); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.budgets) > 1100 {
		t.Errorf("%d budgets are kept", len(l.budgets))
	}
	if _, _, err := l.reserve(t.Context(), fair.Tenant{}, project("paused")); !IsThrottled(err) {
		t.Errorf("the pause was forgotten: %v", err)
	}
}

// However calls come, no span of time sees more than its share and the burst.
func TestLimiterProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := newClock()
		perSecond := rapid.Float64Range(0.5, 50).Draw(t, "perSecond")
		l := newLimiter(nil, perSecond/aQuota.perSecond, clock.now)
		var calls []time.Time
		for range rapid.IntRange(1, 200).Draw(t, "calls") {
			clock.advance(time.Duration(rapid.IntRange(0, 200).Draw(t, "pause")) * time.Millisecond)
			if _, delay, err := l.reserve(context.Background(), fair.Tenant{}, project("p")); err == nil {
				calls = append(calls, clock.Add(delay))
			}
		}
		burst := int(perSecond) + 1
		for i := burst + 1; i < len(calls); i++ {
			span := calls[i].Sub(calls[i-burst-1])
			if least := time.Duration(float64(time.Second) / perSecond); span < least-time.Millisecond {
				t.Fatalf("%d calls within %v at %v a second", burst+2, span, perSecond)
			}
		}
	})
}

// TestANamedQuotaProjectIsShared by all accounts; without one, each account has the quota of its own project.
func TestANamedQuotaProjectIsShared(t *testing.T) {
	method := kind.Method{Service: kind.ServiceIAM, Step: kind.StepObserve, Scope: kind.ScopeQuotaProject}
	for named, want := range map[string][]string{"": {"", "shop"}, "ops": {"ops", "ops"}} {
		l := newLimiter(nil, 1, time.Now)
		l.quotaProject = named
		var got []string
		for _, account := range []string{"", "ann@shop.iam.gserviceaccount.com"} {
			for _, s := range l.scopes(call{service: kind.ServiceIAM, account: account}, method) {
				got = append(got, s.name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q is named (-want +got):\n%s", named, diff)
		}
	}
	if got := newLimiter(nil, 1, time.Now).scopes(call{project: "shop"}, kind.Method{Scope: kind.ScopeProject}); got[0].name != "shop" {
		t.Errorf("of a resource's project: %v", got)
	}
}
