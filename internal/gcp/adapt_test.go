package gcp

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/holdfast-dev/holdfast/internal/fair"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// rateOf is the rate of a scope at present.
func rateOf(l *limiter, s scope) float64 {
	b := l.budget(s, l.now())
	b.serve(l.now())
	return float64(b.limiter.Limit())
}

// TestRatesAdapt: each throttled call lowers the rate of what it counted against, and of nothing else, and it grows back.
func TestRatesAdapt(t *testing.T) {
	reads := scope{kind.ScopeQuotaProject, kind.ServiceIAM, iamReads, "ops"}
	writes := scope{kind.ScopeQuotaProject, kind.ServiceIAM, iamWrites, "ops"}
	others := []scope{
		writes, {kind.ScopeQuotaProject, kind.ServiceIAM, iamReads, "other"}, {kind.ScopeQuotaProject, kind.ServiceResourceManager, projectReads, "ops"},
		{kind.ScopeProject, kind.ServiceStorage, bucketReads, "ops"},
	}
	clock := newClock()
	l := newLimiter(nil, 1, clock.now)
	expect := func(what string, want float64) {
		t.Helper()
		if got := rateOf(l, reads); math.Abs(got-want) > .01 {
			t.Errorf("%s: %.2f a second, want %.2f", what, got, want)
		}
		for _, s := range others {
			if got := rateOf(l, s); got != s.quota.perSecond {
				t.Errorf("%s: %s are limited to %.2f a second", what, s, got)
			}
		}
	}
	throttle := func() { l.throttled([]scope{reads}, &Error{Class: kind.Throttled, Message: "Quota exceeded."}) }
	expect("at first", 100)
	throttle()
	expect("throttled", 70)
	throttle()
	expect("throttled again at once, which says nothing new", 70)
	clock.advance(time.Minute)
	expect("a minute later", 80)
	throttle()
	expect("throttled again", 56)
	for range 40 {
		clock.advance(time.Second)
		throttle()
	}
	expect("throttled every second", 5)
	clock.advance(5 * time.Minute)
	expect("five minutes later", 55)
	clock.advance(time.Hour)
	expect("an hour later", 100)
}

// TestASmallerQuotaIsFound: calls that are made as fast as the limit lets are refused seldom where Google grants half of it, and most of
// what it grants is used.
func TestASmallerQuotaIsFound(t *testing.T) {
	clock := newClock()
	l := newLimiter(nil, 1, clock.now)
	s := []scope{{kind.ScopeProject, kind.ServicePubSub, pubSubOperations, "p"}}
	const granted = 3000 // a minute, of 6,000
	const minutes = 60
	made, refused, end := 0, 0, clock.Add(minutes*time.Minute)
	for minute, used := clock.Time, 0; clock.Before(end); clock.advance(time.Millisecond) {
		_, delay, err := l.reserve(t.Context(), fair.Tenant{}, s)
		if err != nil {
			clock.advance(Classify(err).RetryAfter)
			continue
		}
		clock.advance(delay)
		if clock.Sub(minute) >= time.Minute {
			minute, used = clock.Time, 0
		}
		if used >= granted {
			refused++
			l.throttled(s, &Error{Class: kind.Throttled, Message: "Quota exceeded."})
			continue
		}
		used++
		made++
	}
	t.Logf("in an hour %d calls were made, %d refused", made, refused)
	if refused > 6*minutes || made < minutes*granted*6/10 {
		t.Errorf("in an hour %d calls were made of %d that are granted, and %d refused", made, minutes*granted, refused)
	}
}

func TestTheLowestRateIsTold(t *testing.T) {
	clock := newClock()
	l := newLimiter(nil, 1, clock.now)
	registry := prometheus.NewPedanticRegistry()
	if err := shares(registry, l); err != nil {
		t.Fatal(err)
	}
	l.throttled(project("a"), &Error{Class: kind.Throttled, Message: "Quota exceeded."})
	clock.advance(time.Second)
	l.throttled(project("b"), &Error{Class: kind.Throttled, Message: "Quota exceeded."})
	clock.advance(time.Second)
	l.throttled(project("b"), &Error{Class: kind.Throttled, Message: "Quota exceeded."})
	got := map[string]float64{}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range families[0].GetMetric() {
		got[m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
	}
	if len(got) != 4 || math.Abs(got["storage"]-.49) > .01 || got["iam"] != 1 {
		t.Errorf("shares: %v", got)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// TestAPauseIsOfWhatWasThrottled: reads go on while writes of the same quota project are paused.
func TestAPauseIsOfWhatWasThrottled(t *testing.T) {
	clock := newClock()
	l := newLimiter(nil, 1, clock.now)
	of := func(q quota) []scope { return []scope{{kind.ScopeQuotaProject, kind.ServiceIAM, q, "ops"}} }
	l.throttled(of(iamWrites), &Error{Class: kind.Throttled, RetryAfter: time.Minute, Message: "Quota exceeded."})
	if _, _, err := l.reserve(t.Context(), fair.Tenant{}, of(iamWrites)); !IsThrottled(err) {
		t.Errorf("the pause is not honoured: %v", err)
	}
	if _, delay, err := l.reserve(t.Context(), fair.Tenant{}, of(iamReads)); err != nil || delay > 0 {
		t.Errorf("reads wait %v: %v", delay, err)
	}
}
