package breaker

import (
	"cmp"
	"slices"
	"time"
)

// Limits are how much may be destroyed within a window without a person.
type Limits struct {
	// Window is how long what was let through counts.
	Window time.Duration
	// Namespace is what one namespace bears, and Fleet what all of them do.
	Namespace, Fleet Limit
	// Whole is how many resources a namespace has at least for all of them not to go, however few they are.
	Whole int
}

// Limit is the larger of a number of resources and a share of them.
type Limit struct{ Resources, Percent int }

// DefaultLimits are those that the operator comes with.
func DefaultLimits() Limits {
	return Limits{Window: time.Hour, Namespace: Limit{5, 10}, Fleet: Limit{20, 2}, Whole: 2}
}

// of is what the limit comes to, of so many resources.
func (l Limit) of(had int) int { return max(l.Resources, had*l.Percent/100) }

// namespace says whether a namespace that had so many resources does not bear that so many are touched, so many of them for good.
func (l Limits) namespace(had, touched, ended int) bool {
	return touched > l.Namespace.of(had) || had >= l.Whole && ended >= had
}

// spared is the part of the fleet's limit that has to be exceeded outside of the two namespaces that have most: one in so many.
const spared = 4

// fleet says whether the fleet that had so many resources does not bear that so many are touched, by namespace. It takes three namespaces: those
// besides the two that have most have a quarter of what the fleet bears, so that nobody with two namespaces stops all others.
func (l Limits) fleet(had int, touched []int) bool {
	limit := l.Fleet.of(had)
	most := slices.SortedFunc(slices.Values(touched), func(a, b int) int { return cmp.Compare(b, a) })
	rest := sum(most[min(2, len(most)):])
	return sum(most) > limit && rest > 0 && rest >= limit/spared
}

func sum(all []int) (total int) {
	for _, n := range all {
		total += n
	}
	return total
}
