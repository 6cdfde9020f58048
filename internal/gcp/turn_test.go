package gcp

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/fair"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func calls(scopes ...[]scope) [][]scope { return scopes }

// impatient is a context in which no call waits.
func impatient(t *testing.T, clock *clock) context.Context {
	t.Helper()
	ctx, cancel := context.WithDeadline(t.Context(), clock.Time)
	t.Cleanup(cancel)
	return ctx
}

func TestTurnsKeepTheirPlaces(t *testing.T) {
	clock := newClock()
	l := newLimiter(nil, 1, clock.now) // two a second
	var waits []time.Duration
	var turns []*turn
	for range 4 {
		turn, wait := l.turn(fair.Tenant{}, calls(project("p"), project("p")), nil)
		turns, waits = append(turns, turn), append(waits, wait)
	}
	if diff := cmp.Diff([]time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second}, waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	if _, wait := l.turn(fair.Tenant{}, calls(project("other")), nil); wait != 0 {
		t.Errorf("another project waits %v", wait)
	}
	if _, _, err := l.reserve(impatient(t, clock), fair.Tenant{}, project("p")); !IsThrottled(err) || !Classify(err).Ours {
		t.Errorf("a call without a turn: %v", err)
	}
	clock.advance(3 * time.Second)
	for i, turn := range turns { // late, and then not all at once
		clock.advance(time.Second)
		ctx := turn.With(impatient(t, clock))
		for range 2 {
			if _, delay, err := l.reserve(ctx, fair.Tenant{}, project("p")); delay != 0 || err != nil {
				t.Errorf("turn %d: waits %v (%v)", i, delay, err)
			}
		}
		if _, _, err := l.reserve(ctx, fair.Tenant{}, project("p")); !IsThrottled(err) {
			t.Errorf("turn %d: a third call: %v", i, err)
		}
	}
}

// A place is good for one call in the same scopes.
func TestTurnsAreForTheirScopes(t *testing.T) {
	clock := newClock()
	l := newLimiter(nil, 1, clock.now)
	turn, _ := l.turn(fair.Tenant{}, calls(project("p"), updateOf("b")), nil)
	for name, tc := range map[string]struct {
		scopes []scope
		want   int
	}{
		"the same":       {project("p"), 1},
		"again":          {updateOf("b"), 1},
		"another bucket": {updateOf("c"), 0},
		"another":        {project("q"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(turn.places)
			if _, ok := turn.take(tc.scopes); ok != (tc.want > 0) || before-len(turn.places) != tc.want {
				t.Errorf("taken: %v, %d places are left of %d", ok, len(turn.places), before)
			}
		})
	}
}

// What is only likely waits in the line where there is one, and takes nothing where there is none.
func TestTurnsForLikelyCalls(t *testing.T) {
	clock := newClock()
	l := newLimiter(nil, 1, clock.now)
	for range 10 {
		if turn, wait := l.turn(fair.Tenant{}, nil, calls(project("p"), project("p"))); wait != 0 || len(turn.places) != 0 {
			t.Fatalf("waits %v for %d places, though nobody is in the line", wait, len(turn.places))
		}
	}
	l.turn(fair.Tenant{}, calls(project("p"), project("p")), nil)
	turn, wait := l.turn(fair.Tenant{}, calls(project("q")), calls(project("p")))
	if wait != time.Second/2 || len(turn.places) != 2 {
		t.Errorf("waits %v for %d places", wait, len(turn.places))
	}
}

func TestReleasedTurns(t *testing.T) {
	clock := newClock()
	l := newLimiter(nil, 1, clock.now)
	l.turn(fair.Tenant{}, calls(project("p"), project("p")), nil)
	for range 10 { // each as if the one before had not been
		turn, wait := l.turn(fair.Tenant{}, calls(project("p"), project("p"), project("p")), nil)
		if wait != 1500*time.Millisecond {
			t.Fatalf("waits %v", wait)
		}
		turn.Release()
	}
}

// A pause that Google asked for holds for those whose turn it is, too, and they keep their places.
func TestTurnsArePaused(t *testing.T) {
	clock := newClock()
	l := newLimiter(nil, 1, clock.now)
	turn, wait := l.turn(fair.Tenant{}, calls(project("p")), nil)
	l.throttled(project("p"), &Error{RetryAfter: 7 * time.Second, Message: "Slow down."})
	_, _, err := l.reserve(turn.With(t.Context()), fair.Tenant{}, project("p"))
	want := &Error{Class: kind.Throttled, RetryAfter: 7 * time.Second, Message: "Slow down. (storage calls for project p are paused)"}
	if diff := cmp.Diff(want, Classify(err)); diff != "" || wait != 0 || len(turn.places) != 1 {
		t.Errorf("the wait was %v, %d places are left (-want +got):\n%s", wait, len(turn.places), diff)
	}
}

// Reserve counts calls as the transports do.
func TestReserve(t *testing.T) {
	opts := allInsecure(t, "127.0.0.1:1")
	opts.PubSub, opts.IAM, opts.credentials = Endpoint{}, Endpoint{}, staticToken("t", nil)
	clients := newClients(t, opts)
	reserved, wait := clients.Reserve(fair.Tenant{Project: "p"}, tenant, "b", testMethods, nil)
	var got []string
	for _, p := range reserved.(*turn).places {
		got = append(got, p.scopes[len(p.scopes)-1].String())
	}
	want := []string{
		"storage reads of buckets for project p",
		"storage creations and deletions of buckets for project p",
		"storage updates for bucket b",
		"storage creations and deletions of buckets for project p",
		"pubsub administrator operations for project p",
		"pubsub administrator operations for project p",
		"iam reads for quota project tenant",
		"iam writes for quota project tenant",
		"resourcemanager writes for the quota project of Holdfast's own credentials", // whose endpoint takes no credentials
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	if wait != 0 {
		t.Errorf("waits %v, though the first call of each scope may be made", wait)
	}
}

// TestAPlaceUsedLateKeepsTheNextOneAway where Google counts single calls: those that are used one after another are as far apart as its quota says.
func TestAPlaceUsedLateKeepsTheNextOneAway(t *testing.T) {
	for name, tc := range map[string]struct {
		quota quota
		apart time.Duration
	}{
		"one in two seconds": {bucketCreates, 2222222223},
		"one a second":       {bucketUpdates, 1111111112},
		"many a minute":      {iamWrites, 0},
		"many at a time":     {bucketReads, 0},
	} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			l := newLimiter(nil, DefaultQuotaShare, clock.now)
			scopes := []scope{{service: kind.ServiceStorage, name: "p", quota: tc.quota}}
			first, _ := l.turn(fair.Tenant{}, calls(scopes), nil)
			second, _ := l.turn(fair.Tenant{}, calls(scopes), nil)
			clock.advance(10 * time.Second) // both have had their time
			use := func(turn *turn) (time.Duration, error) {
				_, delay, err := l.reserve(turn.With(t.Context()), fair.Tenant{}, scopes)
				return delay, err
			}
			if delay, err := use(first); delay != 0 || err != nil {
				t.Errorf("the first waits %v (%v)", delay, err)
			}
			if wait := second.Wait(); wait != tc.apart {
				t.Errorf("the second waits %v, want %v", wait, tc.apart)
			}
			clock.advance(tc.apart)
			if delay, err := use(second); delay != 0 || err != nil {
				t.Errorf("the second waits %v (%v)", delay, err)
			}
		})
	}
}

// TestManyPlacesUsedLateAreWithinTheQuota: whatever waited in the line for too long, no minute has more calls than Google grants.
func TestManyPlacesUsedLateAreWithinTheQuota(t *testing.T) {
	for name, quota := range map[string]quota{"writes of IAM": iamWrites, "reads of projects": projectReads, "reads of buckets": bucketReads} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			l := newLimiter(nil, DefaultQuotaShare, clock.now)
			scopes := []scope{{service: kind.ServiceIAM, name: "p", quota: quota}}
			waiting, _ := l.turn(fair.Tenant{}, slices.Repeat(calls(scopes), 2*int(60*quota.perSecond)), nil)
			clock.advance(2 * time.Minute) // by then all have been granted
			made, end := 0, clock.Add(time.Minute)
			for clock.Before(end) {
				_, delay, err := l.reserve(waiting.With(t.Context()), fair.Tenant{}, scopes)
				if err != nil || delay > 0 {
					clock.advance(max(delay, time.Millisecond))
					continue
				}
				made++
			}
			if most := int(60 * quota.perSecond); made > most || made < most*8/10 {
				t.Errorf("%d calls in a minute, Google grants %d", made, most)
			}
		})
	}
}

// TestOfSeveralThatAreLateOneIsNext where Google counts single calls: the others know it before they are about to make theirs.
func TestOfSeveralThatAreLateOneIsNext(t *testing.T) {
	clock := newClock()
	l := newLimiter(nil, DefaultQuotaShare, clock.now)
	scopes := []scope{{service: kind.ServiceStorage, name: "p", quota: bucketCreates}}
	first, _ := l.turn(fair.Tenant{}, calls(scopes), nil)
	second, _ := l.turn(fair.Tenant{}, calls(scopes), nil)
	clock.advance(10 * time.Second)
	apart := 2222222223 * time.Nanosecond
	if diff := cmp.Diff([]time.Duration{0, apart, 0}, []time.Duration{first.Wait(), second.Wait(), first.Wait()}); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	first.Release()
	if wait := second.Wait(); wait != 0 {
		t.Errorf("the second waits %v for one that is not made", wait)
	}
}

// TestCover takes places for what is found out to be needed, and none twice.
func TestCover(t *testing.T) {
	clock := newClock()
	opts := allInsecure(t, "127.0.0.1:1")
	clients := newClients(t, opts)
	clients.limiter.now = clock.now
	var creating kind.Method
	for _, m := range testMethods {
		if m.Step == kind.StepCreate && m.Service == kind.ServiceStorage {
			creating = m
		}
	}
	of := fair.Tenant{Project: "p"}
	var waits []time.Duration
	for range 3 {
		turn, _ := clients.Reserve(of, "", "b", nil, []kind.Method{creating})
		waits = append(waits, turn.Cover([]kind.Method{creating}), turn.Cover([]kind.Method{creating}))
	}
	second := 2500 * time.Millisecond
	if diff := cmp.Diff([]time.Duration{0, 0, second, second, 2 * second, 2 * second}, waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

// TestATurnWaitsForTheFirstOfSeveral where Google counts single calls: all at once they cannot be made, whenever that is.
func TestATurnWaitsForTheFirstOfSeveral(t *testing.T) {
	const apart = 1111111112 // nanoseconds
	clock := newClock()
	l := newLimiter(nil, DefaultQuotaShare, clock.now)
	scopes := []scope{{service: kind.ServiceStorage, name: "b", quota: bucketUpdates}}
	for name, take := range map[string]func() (*turn, time.Duration){
		"certain":             func() (*turn, time.Duration) { return l.turn(fair.Tenant{}, calls(scopes, scopes), nil) },
		"likely":              func() (*turn, time.Duration) { return l.turn(fair.Tenant{}, nil, calls(scopes, scopes)) },
		"one certain":         func() (*turn, time.Duration) { return l.turn(fair.Tenant{}, calls(scopes), calls(scopes)) },
		"found out meanwhile": func() (*turn, time.Duration) { return l.turn(fair.Tenant{}, nil, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			clock.advance(time.Minute)
			turn, wait := take()
			turn.scopesOf = func([]kind.Method) [][]scope { return calls(scopes, scopes) }
			if cover := turn.Cover(nil); wait != 0 || cover != 0 || turn.Wait() != 0 {
				t.Errorf("waits %v, then %v, then %v", wait, cover, turn.Wait())
			}
			use := func() bool {
				_, delay, err := l.reserve(turn.With(t.Context()), fair.Tenant{}, scopes)
				return delay == 0 && err == nil
			}
			if !use() || use() {
				t.Error("of two one is made at once")
			}
			turn.Release()
			clock.advance(apart)
			if turn, wait := l.turn(fair.Tenant{}, calls(scopes), nil); wait > time.Second {
				t.Errorf("the second waits %v", wait)
			} else {
				turn.Release()
			}
		})
	}
}
