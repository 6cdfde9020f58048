package breaker

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Waiting is what waits in a namespace, and what there is.
type Waiting struct {
	// Asks are those that can be let through now. Others wait as well, and count: they have yet to ask again, or are on hold. Unseen go and count,
	// but nobody has looked at them yet: they may turn out to destroy nothing, or to wait for somebody.
	Asks, Others, Unseen []Intent
	// Had is how many resources the namespace had before anything was let through that still counts.
	Had int
	// Allowed says that an administrator lets everything through.
	Allowed bool
}

func (w Waiting) all() []Intent { return slices.Concat(w.Asks, w.Others, w.Unseen) }

// Decide says which of those that ask are let through, given what waits in all namespaces and how many resources the fleet had before; and what is
// to be on record before they are. Whatever waits at the same time is let through together or not at all. What is on hold stays so while anything
// waits, unless it is allowed or was presumed to be.
func (r Record) Decide(limits Limits, waiting map[string]Waiting, had int, now time.Time) (next Record, let map[types.UID]bool) {
	next, let = r.Within(limits, now), map[types.UID]bool{}
	var touched []int
	involved := 0
	for _, name := range namesIn(next, waiting) {
		space, is := next.Namespaces[name], waiting[name]
		space.Trip = limits.trip(space, is, now)
		put(next.Namespaces, name, space)
		counts := is.all()
		if is.Allowed || space.Trip != nil { // what is on hold already stops nobody else
			counts = nil
		}
		if n, _ := space.count(counts); n > 0 {
			touched = append(touched, n)
		}
		if len(counts) > 0 {
			involved++
		}
	}
	next.Fleet = limits.tripFleet(next.Fleet, touched, involved, had, now)
	for name, is := range waiting {
		trip, _ := next.Trip(name)
		if trip != nil && !is.Allowed {
			continue
		}
		for _, intent := range is.Asks {
			let[intent.UID] = true
			if !is.Allowed {
				next.Namespaces[name] = next.Namespaces[name].let(intent, now)
			}
		}
	}
	return next, let
}

func namesIn(r Record, waiting map[string]Waiting) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(r.Namespaces)), maps.Keys(waiting))
	slices.Sort(all)
	return slices.Compact(all)
}

// trip is why a namespace is on hold; nil if it is not.
func (l Limits) trip(space Space, is Waiting, now time.Time) *Trip {
	all, was := is.all(), space.Trip
	if is.Allowed || len(all) == 0 {
		return nil
	}
	if was != nil && !was.Presumed {
		return was
	}
	touched, ended := space.count(all)
	if !l.namespace(is.Had, touched, ended) {
		return nil
	}
	trip := &Trip{Since: now, Touched: touched, Had: is.Had, Namespaces: 1}
	touched, ended = space.count(slices.Concat(is.Asks, is.Others))
	trip.Presumed = !l.namespace(is.Had, touched, ended)
	if was != nil {
		trip.Since = was.Since
	}
	return trip
}

// leastNamespaces are so many that the fleet stays on hold while that many wait.
const leastNamespaces = 3

// tripFleet is why everything is on hold; nil if it is not. touched are how many resources count, by namespace, and involved is in how many of
// these something waits.
func (l Limits) tripFleet(was *Trip, touched []int, involved, had int, now time.Time) *Trip {
	switch {
	case was != nil && involved >= leastNamespaces:
		return was
	case involved == 0 || !l.fleet(had, touched):
		return nil
	case was != nil:
		return was
	default:
		return &Trip{Since: now, Touched: sum(touched), Had: had, Namespaces: len(touched)}
	}
}
