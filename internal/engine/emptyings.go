package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// emptyings are the passes that empty resources of a kind. There are fewer than workers: the rest is for everybody else. Those who wait for
// a place get one in the order in which they came.
type emptyings struct {
	mu     sync.Mutex
	places int
	taken  int
	// waiting are those who found no place, the first of them first.
	waiting []waiter
	// of is how far the emptying of each resource has come, in this process.
	of map[types.NamespacedName]*emptying
}

// waiter is who found no place, and when it comes back.
type waiter struct {
	name types.NamespacedName
	due  time.Time
}

// newEmptyings are those that so many workers leave: a quarter, or one.
func newEmptyings(workers int) *emptyings {
	return &emptyings{places: max(1, workers/4), of: map[types.NamespacedName]*emptying{}}
}

// A waiter stays away for as long as those before it are likely to take, and longestStay at most. One that is late by more than lateness
// keeps nobody waiting any more.
const (
	longestStay = time.Minute
	lateness    = emptyTime
)

// take takes a place for an object; nil if there is none, or if others came before it, and then how long to stay away.
func (s *emptyings) take(name types.NamespacedName, uid types.UID, now time.Time) (*emptying, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(w waiter) bool { return w.name != name && now.After(w.due.Add(lateness)) })
	at := slices.IndexFunc(s.waiting, func(w waiter) bool { return w.name == name })
	if at < 0 {
		at = len(s.waiting)
		s.waiting = append(s.waiting, waiter{name: name})
	}
	if s.taken+at >= s.places {
		wait := min(time.Duration(1+at/s.places)*emptyTime, longestStay)
		s.waiting[at].due = now.Add(wait)
		return nil, wait
	}
	s.waiting = slices.Delete(s.waiting, at, at+1)
	s.taken++
	if s.of[name] == nil || s.of[name].uid != uid {
		s.of[name] = &emptying{uid: uid}
	}
	return s.of[name], 0
}

// leave gives a place back, and says whether somebody waits for one.
func (s *emptyings) leave() (wanted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	return len(s.waiting) > 0
}

// drop forgets the emptying of what is gone.
func (s *emptyings) drop(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, name)
	s.waiting = slices.DeleteFunc(s.waiting, func(w waiter) bool { return w.name == name })
}

// waitForPlace ends a pass that is to empty a resource while enough others do, before its first call. An object whose glass is broken does
// not wait: people wait for that to be acknowledged.
func (p *pass) waitForPlace(context.Context) *outcome {
	if !p.deleting() || !plan.Empties(p.manifest()) || p.glassMatters() {
		return nil
	}
	return p.takePlace()
}

// takePlace takes a place unless the pass has one.
func (p *pass) takePlace() *outcome {
	if p.emptying != nil {
		return nil
	}
	p.background = true
	var wait time.Duration
	if p.emptying, wait = p.emptyings.take(p.name(), p.obj.GetUID(), p.now()); p.emptying == nil {
		return silently(wait)
	}
	return nil
}

// leavePlace gives the pass's place back. Whoever waits for it comes before the pass that follows this one, which is put off until then.
func (p *pass) leavePlace(after time.Duration) time.Duration {
	if p.emptying == nil {
		return after
	}
	p.emptying = nil
	if wanted := p.emptyings.leave(); wanted && after > 0 {
		return max(after, 2*emptyTime)
	}
	return after
}

// silently is the outcome of a pass that has nothing to say, and whose writes need no place in the line for Google's quotas.
func silently(after time.Duration) *outcome {
	return &outcome{silent: metrics.Limited, outOfLine: true, after: after}
}
