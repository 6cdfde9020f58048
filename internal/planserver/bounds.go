package planserver

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
	"k8s.io/utils/lru"

	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
)

// bounds are how much the server does at most. All of it is for a fleet's pull requests, and little beside what the operator does.
type bounds struct {
	// read is how long a request may take to come, and most how long a plan may take.
	read, most time.Duration
	// pace is how often a caller may ask, ahead how many requests he may make at once, and together how many may be under way.
	pace     time.Duration
	ahead    int
	together int
	// callers are how many callers are remembered.
	callers int
	// bytes are how much of all requests' bodies may be in memory, and leastBytes what the smallest counts: it takes memory to plan.
	bytes, leastBytes int64
	// connections are how many there may be, of whomever.
	connections int
}

// usual are the bounds of the operator.
var usual = bounds{
	read: 30 * time.Second, most: time.Minute,
	pace: 3 * time.Second, ahead: 10, together: 2,
	callers: 10_000,
	bytes:   2 * protocol.MostBytes, leastBytes: protocol.MostBytes / 4,
	connections: 512,
}

// admissions are who has asked for plans of late, and how much is under way.
type admissions struct {
	bounds

	memory *semaphore.Weighted
	now    func() time.Time

	mu      sync.Mutex
	callers *lru.Cache // of name to *caller
}

// caller is one who has asked.
type caller struct {
	limiter  *rate.Limiter
	underWay int // guarded by the mutex of admissions
}

func newAdmissions(b bounds) *admissions {
	return &admissions{bounds: b, memory: semaphore.NewWeighted(b.bytes), now: time.Now, callers: lru.New(b.callers)}
}

// admit lets a caller ask once, or says when to come again. What it lets in is over once done is called.
func (a *admissions) admit(name string) (done func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	is, known := a.callers.Get(name)
	if !known {
		is = &caller{limiter: rate.NewLimiter(rate.Every(a.pace), a.ahead)}
		a.callers.Add(name, is)
	}
	c := is.(*caller)
	if c.underWay >= a.together {
		return nil, &busy{"you have as many requests under way as you may", pauseBusy}
	}
	now := a.now()
	if turn := c.limiter.ReserveN(now, 1); turn.DelayFrom(now) > 0 {
		after := turn.DelayFrom(now)
		turn.CancelAt(now)
		return nil, &busy{"you ask too often", after}
	}
	c.underWay++
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		c.underWay--
	}, nil
}

// take takes memory for a request of a length, until done is called.
func (a *admissions) take(length int64) (done func(), err error) {
	switch {
	case length < 0:
		return nil, &refusal{http.StatusLengthRequired, "the request has no Content-Length"}
	case length > protocol.MostBytes:
		return nil, tooLarge()
	}
	weight := max(length, a.leastBytes)
	if !a.memory.TryAcquire(weight) {
		return nil, &busy{"too many plans are under way", pauseBusy}
	}
	return func() { a.memory.Release(weight) }, nil
}
