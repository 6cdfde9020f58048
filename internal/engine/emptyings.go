package engine

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// emptyings are the passes that empty resources of a kind. There are fewer than workers: the rest is for everybody else.
type emptyings struct {
	mu   sync.Mutex
	free int
	// refused counts those who found none since one was taken.
	refused int
	// of is how far the emptying of each resource has come, in this process.
	of map[types.NamespacedName]*emptying
}

// newEmptyings are those that so many workers leave: a quarter, or one.
func newEmptyings(workers int) *emptyings {
	return &emptyings{free: max(1, workers/4), of: map[types.NamespacedName]*emptying{}}
}

// take takes a place for an object; nil if there is none, and then how long to stay away. Those who stay away the longest are those who
// came when most others had.
func (s *emptyings) take(name types.NamespacedName, uid types.UID) (*emptying, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free == 0 {
		s.refused++
		return nil, min(time.Duration(s.refused)*emptyTime, longestStay)
	}
	s.free, s.refused = s.free-1, 0
	if s.of[name] == nil || s.of[name].uid != uid {
		s.of[name] = &emptying{uid: uid}
	}
	return s.of[name], 0
}

// longestStay is how long who found no place stays away at most.
const longestStay = time.Minute

// leave gives a place back, and says whether somebody came for one meanwhile.
func (s *emptyings) leave() (wanted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
	return s.refused > 0
}

// drop forgets the emptying of what is gone.
func (s *emptyings) drop(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, name)
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
	if p.emptying, wait = p.emptyings.take(p.name(), p.obj.GetUID()); p.emptying == nil {
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
