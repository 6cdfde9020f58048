// Package sweep schedules the periodic drift check. For now that is object by object; listing a project's resources at once comes in
// at the same place.
package sweep

import (
	"math/rand/v2"
	"time"
)

// Schedule spreads the checks over time.
type Schedule struct {
	// Interval is the time between two checks of an object.
	Interval time.Duration
}

// Next returns the time until an object's next check: the interval ±10 %, so that objects that were applied together do not stay
// together.
func (s Schedule) Next() time.Duration {
	tenth := int64(s.Interval / 10)
	if tenth == 0 {
		return s.Interval
	}
	return s.Interval - time.Duration(tenth) + time.Duration(rand.Int64N(2*tenth+1))
}
