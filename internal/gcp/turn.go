package gcp

import (
	"context"
	"slices"
	"time"

	"github.com/holdfast-dev/holdfast/internal/fair"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Turn is a place in the line for each of some calls. It keeps until it is released, whether its time has come or not.
type Turn interface {
	// With returns a context whose calls use the turn's places, each once, and wait no more. Calls that it has no place for wait, or are
	// refused, as without a turn.
	With(ctx context.Context) context.Context
	// Wait says how long it takes until the calls may be made, if nobody else comes: others may, in between. Of those that Google counts one by
	// one, it is the first that is waited for.
	Wait() time.Duration
	// Cover takes a place for each call that the turn has none for, and says how long it takes then, as Wait does.
	Cover(methods []kind.Method) time.Duration
	// Release gives back what was not used.
	Release()
}

// Reserve takes places in a tenant's line for calls about a resource (by the names that a kind.Ref has), and says how long it takes until they
// may be made, as Turn.Wait does. Those that are only likely get a place if they could not be made at once; otherwise they need none,
// and nobody waits for a call that is not made after all. Pauses that Google has asked for are not waited out.
func (c *Clients) Reserve(of fair.Tenant, impersonate, id string, certain, likely []kind.Method) (turn Turn, wait time.Duration) {
	scopesOf := func(methods []kind.Method) [][]scope {
		var calls [][]scope
		for _, m := range methods {
			account := c.opts.endpoint(m.Service).account(impersonate)
			if scopes := c.limiter.scopes(call{service: m.Service, account: account, project: of.Project, bucket: id}, m); len(scopes) > 0 {
				calls = append(calls, scopes)
			}
		}
		return calls
	}
	t, wait := c.limiter.turn(of, scopesOf(certain), scopesOf(likely))
	t.scopesOf = scopesOf
	return t, wait
}

// endpoint is where a service is.
func (o Options) endpoint(service kind.Service) Endpoint {
	return map[kind.Service]Endpoint{
		kind.ServiceStorage: o.Storage, kind.ServicePubSub: o.PubSub, kind.ServiceIAM: o.IAM, kind.ServiceResourceManager: o.ResourceManager,
		kind.ServiceAsset: o.Asset,
	}[service]
}

// turn has the places of calls that were not made yet.
type turn struct {
	limiter *limiter
	of      fair.Tenant
	// scopesOf are what calls of methods count against.
	scopesOf func([]kind.Method) [][]scope
	places   []place // guarded by the limiter's mutex
}

// turn takes places for calls, each of which counts against some scopes.
func (l *limiter) turn(of fair.Tenant, certain, likely [][]scope) (*turn, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	claimed := map[*budget]bool{}
	places, wait := l.line(of, certain, claimed, now)
	more, longer := l.line(of, likely, claimed, now)
	if longer == 0 {
		for _, p := range slices.Backward(more) {
			p.cancel(now)
		}
		more = nil
	}
	places = slices.Concat(places, more)
	for _, p := range places {
		if delay := p.delay(now); delay > 0 && delay == max(wait, longer) {
			l.metrics.keptBack(p.scopes[0].service, delay)
			break
		}
	}
	return &turn{limiter: l, of: of, places: places}, max(wait, longer)
}

// line takes a place for each of some calls, and says how long it takes until they may begin.
func (l *limiter) line(of fair.Tenant, calls [][]scope, claimed map[*budget]bool, now time.Time) (places []place, wait time.Duration) {
	for _, scopes := range calls {
		p := l.place(of, scopes, now)
		places = append(places, p)
		wait = max(wait, p.begins(claimed, now))
	}
	return places, wait
}

type turnKey struct{}

// With implements Turn.
func (t *turn) With(ctx context.Context) context.Context { return context.WithValue(ctx, turnKey{}, t) }

func turnFrom(ctx context.Context) *turn {
	t, _ := ctx.Value(turnKey{}).(*turn)
	return t
}

// Wait implements Turn.
func (t *turn) Wait() time.Duration {
	t.limiter.mu.Lock()
	defer t.limiter.mu.Unlock()
	return t.wait(t.limiter.now())
}

func (t *turn) wait(now time.Time) (wait time.Duration) {
	claimed := map[*budget]bool{}
	for _, p := range t.places {
		wait = max(wait, p.begins(claimed, now))
	}
	return wait
}

// Cover implements Turn.
func (t *turn) Cover(methods []kind.Method) time.Duration {
	t.limiter.mu.Lock()
	defer t.limiter.mu.Unlock()
	now, has := t.limiter.now(), slices.Clone(t.places)
	for _, scopes := range t.scopesOf(methods) {
		if i := indexOf(has, scopes); i >= 0 {
			has = slices.Delete(has, i, i+1)
			continue
		}
		t.places = append(t.places, t.limiter.place(t.of, scopes, now))
	}
	return t.wait(now)
}

// Release implements Turn.
func (t *turn) Release() {
	t.limiter.mu.Lock()
	defer t.limiter.mu.Unlock()
	now := t.limiter.now()
	for _, p := range slices.Backward(t.places) { // the last first: what is behind it is not given back
		p.cancel(now)
	}
	t.places = nil
}

// take takes a place out that is good for a call: one in the same scopes.
func (t *turn) take(scopes []scope) (p place, ok bool) {
	if t == nil {
		return place{}, false
	}
	i := indexOf(t.places, scopes)
	if i < 0 {
		return place{}, false
	}
	p = t.places[i]
	t.places = slices.Delete(t.places, i, i+1)
	return p, true
}

// indexOf is the first place that is good for a call; -1 if none is.
func indexOf(places []place, scopes []scope) int {
	return slices.IndexFunc(places, func(p place) bool { return slices.Equal(p.scopes, scopes) })
}

// place is a call's place in the line of each scope that it counts against.
type place struct {
	scopes  []scope
	tickets []*ticket // one for each
}

// place takes a place in a tenant's line of each scope.
func (l *limiter) place(of fair.Tenant, scopes []scope, now time.Time) place {
	p := place{scopes: scopes}
	for _, s := range scopes {
		p.tickets = append(p.tickets, l.budget(s, now).take(of, now))
	}
	return p
}

// delay is how long it takes until the call may be made.
func (p place) delay(now time.Time) time.Duration {
	var longest time.Duration
	for _, t := range p.tickets {
		longest = max(longest, t.delay(now))
	}
	return longest
}

// begins is the same for the calls of a turn. Where Google counts single calls they cannot all be made at once, whenever that is: the first is
// waited for, which claims the budget for the turn, and the others follow it, each when it may.
func (p place) begins(claimed map[*budget]bool, now time.Time) time.Duration {
	var longest time.Duration
	for _, t := range p.tickets {
		if claimed[t.budget] {
			continue
		}
		claimed[t.budget] = t.budget.single()
		longest = max(longest, t.delay(now))
	}
	return longest
}

// made notes that the call is let go.
func (p place) made(now time.Time) {
	for _, t := range p.tickets {
		t.made(now)
	}
}

// slowest is the scope that the call waits for.
func (p place) slowest(now time.Time) scope {
	slowest := 0
	for i, t := range p.tickets {
		if t.delay(now) > p.tickets[slowest].delay(now) {
			slowest = i
		}
	}
	return p.scopes[slowest]
}

// cancel gives back what was taken, as far as nobody has got a later place for it.
func (p place) cancel(now time.Time) {
	for _, t := range slices.Backward(p.tickets) {
		t.cancel(now)
	}
}
