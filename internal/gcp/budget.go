package gcp

import (
	"math"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/holdfast-dev/holdfast/internal/fair"
)

// budget is how many calls a scope has left, and the lines in which tenants wait for more. What there is goes to them in turn, those of a second
// at the most to each, at the time that it comes to be there, whoever looks when.
type budget struct {
	limiter *rate.Limiter
	waiting fair.Turns[*ticket]
	// perSecond is the rate that is configured, share how much of it Google has been found to grant, from leastShare to 1; and lowered when that
	// was last found to be less.
	perSecond, share float64
	lowered, grown   time.Time
	// pace is what Google grants of calls that are made, whenever they were granted here: places in the line may be used late, and many of them
	// at once then.
	pace *rate.Limiter
	// claims are the granted calls that somebody is about to make, where Google counts single ones: one after the other.
	claims []claim
	// at is until when the lines were served: while nobody waits until now, and else until the last one that was served.
	at time.Time
}

// ticket is one call's place in the line of a budget.
type ticket struct {
	budget *budget
	of     fair.Tenant
	// granted is the call that was taken from the budget; nil while the ticket waits.
	granted *rate.Reservation
}

// claim is a granted call that somebody is about to make.
type claim struct {
	of *ticket
	// due is when it may be made, as its owner was told last.
	due time.Time
}

// claimLasts is how long after its time a call that was not made keeps others from making theirs.
const claimLasts = 15 * time.Second

// newBudget returns the budget of a share of a quota.
func newBudget(share, quota float64, now time.Time) *budget {
	perSecond := share * quota
	burst := int(math.Ceil(perSecond))
	return &budget{
		limiter: rate.NewLimiter(rate.Limit(perSecond), burst), pace: rate.NewLimiter(rate.Limit(pace(perSecond, quota)), burst),
		waiting: fair.Turns[*ticket]{Together: burst}, perSecond: perSecond, share: 1, grown: now, at: now,
	}
}

// pace is how many calls a second are let go in the long run at most: a tenth less than Google grants, because some may be let go at once, and
// none arrives exactly as long after another one as it was sent after it.
func pace(perSecond, quota float64) float64 { return max(0.9*quota, perSecond) }

// How a rate adapts to a quota that is smaller than it: it falls by a factor each time that Google throttles a call, and grows back by the same
// amount in each minute. What is throttled within a second counts once: those calls were made at one and the same rate.
const (
	fall         = 0.7
	leastShare   = 0.05
	growsBackIn  = 10 * time.Minute // from nothing
	countsAsOnce = time.Second
)

// lower takes in that Google has throttled a call.
func (b *budget) lower(now time.Time) {
	b.serve(now)
	if now.Sub(b.lowered) < countsAsOnce {
		return
	}
	b.lowered = now
	b.adapt(max(b.share*fall, leastShare))
}

// grow lets the rate grow back by what it does until now.
func (b *budget) grow(now time.Time) {
	elapsed := now.Sub(b.grown)
	b.grown = now
	if b.share < 1 && elapsed > 0 {
		b.adapt(min(b.share+float64(elapsed)/float64(growsBackIn), 1))
	}
}

// adapt sets the rate, from when the lines were served last.
func (b *budget) adapt(share float64) {
	b.share = share
	second := int(math.Ceil(share * b.perSecond))
	b.limiter.SetLimitAt(b.at, rate.Limit(share*b.perSecond))
	b.limiter.SetBurstAt(b.at, second)
	b.waiting.Together = second
}

// take takes a place at the end of a tenant's line.
func (b *budget) take(of fair.Tenant, now time.Time) *ticket {
	b.serve(now)
	t := &ticket{budget: b, of: of}
	b.waiting.Push(of, t)
	b.serve(now)
	return t
}

// idle says that a budget is as good as new.
func (b *budget) idle(now time.Time) bool {
	b.serve(now)
	return b.share == 1 && b.waiting.Len() == 0 && len(b.claims) == 0 && b.limiter.TokensAt(now) >= float64(b.limiter.Burst())
}

// serve grants what has come to be there until now.
func (b *budget) serve(now time.Time) {
	b.grow(now)
	for b.waiting.Len() > 0 {
		at := b.at.Add(b.until(1))
		if at.After(now) {
			return
		}
		b.at = at
		next, _, _ := b.waiting.Next(func(fair.Tenant) bool { return true })
		next.granted = b.limiter.ReserveN(at, 1)
	}
	b.at = now
}

// until is how long after the lines were served last there will be so many calls.
func (b *budget) until(calls int) time.Duration { return until(b.limiter, calls, b.at) }

// until is how long after a time a limiter will have so many calls.
func until(limiter *rate.Limiter, calls int, at time.Time) time.Duration {
	missing := float64(calls) - limiter.TokensAt(at)
	if missing < 1e-6 { // a rounding error
		return 0
	}
	return time.Duration(math.Ceil(missing / float64(limiter.Limit()) * float64(time.Second)))
}

// delay is how long it takes until the ticket is granted and may be used, if nobody else comes.
func (t *ticket) delay(now time.Time) time.Duration {
	b := t.budget
	b.serve(now)
	if t.granted != nil {
		return t.claim(now)
	}
	return b.at.Add(b.until(b.waiting.Ahead(t.of, t) + 1)).Sub(now)
}

// single says that Google counts single calls of the scope, one after the other.
func (b *budget) single() bool { return b.limiter.Burst() == 1 }

// claim is how long it takes until a granted call may be made: where Google counts single ones, after those that others are about to make, unless
// their time has long passed.
func (t *ticket) claim(now time.Time) time.Duration {
	b := t.budget
	if !b.single() {
		return until(b.pace, 1, now)
	}
	b.claims = slices.DeleteFunc(b.claims, func(c claim) bool { return c.of != t && now.Sub(c.due) > claimLasts })
	others := slices.IndexFunc(b.claims, func(c claim) bool { return c.of == t })
	if others < 0 {
		b.claims = append(b.claims, claim{of: t})
		others = len(b.claims) - 1
	}
	wait := until(b.pace, others+1, now)
	b.claims[others].due = now.Add(wait)
	return wait
}

// unclaim notes that the call is made, or will not be.
func (t *ticket) unclaim() {
	t.budget.claims = slices.DeleteFunc(t.budget.claims, func(c claim) bool { return c.of == t })
}

// made notes that the call is let go.
func (t *ticket) made(now time.Time) {
	t.unclaim()
	t.budget.pace.AllowN(now, 1)
}

// cancel gives the place back.
func (t *ticket) cancel(now time.Time) {
	t.unclaim()
	if t.granted != nil {
		t.granted.CancelAt(now)
		return
	}
	t.budget.waiting.Remove(t.of, t)
}
