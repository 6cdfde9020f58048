package sweep

import (
	"math/rand/v2"
	"time"
)

// Schedule spreads the checks over time.
type Schedule struct {
	// Interval is the time between two checks.
	Interval time.Duration
}

// Next returns the time until the next check: the interval ±10 %, so that what was checked together does not stay together.
func (s Schedule) Next() time.Duration {
	tenth := int64(s.Interval / 10)
	if tenth == 0 {
		return s.Interval
	}
	return s.Interval - time.Duration(tenth) + time.Duration(rand.Int64N(2*tenth+1))
}

// First returns the time until the first check of what is there already when a process begins: anything up to the interval, so that all of it
// is checked within one, and evenly.
func (s Schedule) First() time.Duration {
	if s.Interval <= 0 {
		return 0
	}
	return time.Duration(rand.Int64N(int64(s.Interval)))
}
