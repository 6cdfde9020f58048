package engine

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"
)

// How many events are told of what an object's status says as well. Each is a write to the API server: of a mass change they would be as many as
// all others. A few hundred objects, or one that changes to and fro for some minutes, have all of theirs.
const (
	eventsAtOnce     = 200
	eventsPerSecond  = 1
	eventsOfOne      = 20
	eventsOfOneAgain = time.Minute // from one to the next, once those are used up
)

// eventLimits limit the events of all objects together, and those of each, so that one alone does not use up what there is for all.
type eventLimits struct {
	mu  sync.Mutex
	all *rate.Limiter
	of  map[types.UID]*rate.Limiter
	// crowded is the number of objects at which those are forgotten that have told nothing for long.
	crowded int
}

func newEventLimits() *eventLimits {
	return &eventLimits{all: rate.NewLimiter(eventsPerSecond, eventsAtOnce), of: map[types.UID]*rate.Limiter{}, crowded: 1024}
}

// allow says whether an event of an object is told.
func (l *eventLimits) allow(uid types.UID, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, known := l.of[uid]
	if !known {
		l.makeRoom(now)
		one = rate.NewLimiter(rate.Every(eventsOfOneAgain), eventsOfOne)
		l.of[uid] = one
	}
	return one.AllowN(now, 1) && l.all.AllowN(now, 1)
}

// makeRoom forgets, now and then, objects that may tell as much as one that nobody knows.
func (l *eventLimits) makeRoom(now time.Time) {
	if len(l.of) < l.crowded {
		return
	}
	for uid, one := range l.of {
		if one.TokensAt(now) >= eventsOfOne {
			delete(l.of, uid)
		}
	}
	l.crowded = max(l.crowded, 2*len(l.of))
}
