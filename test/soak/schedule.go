package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// step is something that happens.
type step struct {
	// at is when, after the beginning.
	at time.Duration
	// what says it for a person.
	what string
	// do does it, and returns once it is over.
	do func(context.Context, *world) error
}

// lane is what happens one after the other.
type lane struct {
	name string
	// least and most are how long nothing of the lane happens after a step.
	least, most time.Duration
	// deeds are what can happen; all are as likely.
	deeds []deed
}

// deed draws a step: what happens, how long it lasts, and how it is done.
type deed func(r *rand.Rand, all time.Duration) (what string, lasts time.Duration, do func(context.Context, *world) error)

// quiet is the part of the time at its end in which nothing begins, so that what lasts is over.
const quiet = 10

// schedule draws what happens in a time, lane by lane. It depends on the seed and the time alone.
func schedule(seed uint64, duration time.Duration) map[string][]step {
	all := map[string][]step{}
	for i, l := range lanes {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		end := duration - duration/quiet
		for at := between(r, 0, l.most); at < end; at += between(r, l.least, l.most) {
			what, lasts, do := l.deeds[r.IntN(len(l.deeds))](r, duration)
			all[l.name] = append(all[l.name], step{at: at, what: what, do: do})
			at += lasts
		}
	}
	return all
}

// between draws a time.
func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)+1)).Truncate(time.Millisecond)
}
