package traffic

import (
	"net/http"
	"slices"
	"time"
)

// Fault is something that goes wrong with the calls that match.
//
// When several faults match a call their latencies add up, and the first one
// that refuses, cuts or loses decides the rest. Several faults with Times
// therefore follow each other: the first is used up, then the second.
type Fault struct {
	// Match says which calls; empty fields match anything.
	Match Call
	// Times is how many calls it hits; 0 means until it is removed.
	Times int
	// Latency is waited for before anything else.
	Latency time.Duration
	// Status is the HTTP status to refuse with, such as 429, 503 or 403; 0
	// does not refuse. gRPC answers carry the code that belongs to it.
	Status int
	// Reason and Message replace the ones that Google would send with
	// Status.
	Reason  string
	Message string
	// Details are sent with Status; nil for none.
	Details *Details
	// RetryAfter is sent with a refusal: as Retry-After over HTTP (in whole
	// seconds, rounded up), as google.rpc.RetryInfo over gRPC.
	RetryAfter time.Duration
	// LoseReply carries the call out and never answers: the connection is
	// cut, or Unavailable returned over gRPC.
	LoseReply bool
	// Outage cuts the connection before the call is carried out or counted,
	// as if nothing were listening.
	Outage bool
}

// Injected is a fault in force.
type Injected struct {
	ID string
	Fault
	// Left is how many more calls it hits, if it has Times.
	Left int
}

// decides reports whether the fault does more than delay.
func (f Fault) decides() bool { return f.Status != 0 || f.LoseReply || f.Outage }

// verdict is who makes a call, and what is to happen to it, in the order of the
// fields.
type verdict struct {
	principal  Principal
	latency    time.Duration
	outage     bool
	refusal    *Refusal
	breakpoint *Breakpoint
	loseReply  bool
	// seq is the call's number in the journal, and began when it arrived.
	seq   int64
	began time.Time
}

// arrival is a call as it comes in.
type arrival struct {
	Call
	// userProject is the project that the caller names for its quota.
	userProject string
	// httpMethod is empty for a gRPC call.
	httpMethod, path string
	// token is the access token that the caller has; empty for none.
	token string
	// userAgent is what the caller calls itself.
	userAgent string
	// reason is why the caller says that it calls.
	reason string
}

// arrive counts and records a call and decides what happens to it.
func (c *Control) arrive(a arrival) verdict {
	principal, unauthorized := c.ask(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	v := verdict{principal: principal, began: time.Now()}
	call, consumer := a.Call, c.consumer(a.Call, a.userProject)
	fault := c.strike(call, &v.latency)
	if fault != nil && fault.Outage {
		v.outage = true
		return v
	}
	c.counts[call]++
	v.seq = c.journal.begin(a, consumer, c.now())
	switch {
	case fault != nil && fault.Status != 0:
		v.refusal = &Refusal{
			Call: call, Status: fault.Status, Reason: fault.Reason, Message: fault.Message,
			RetryAfter: fault.RetryAfter, Details: fault.Details,
		}
		return v
	case fault != nil:
		v.loseReply = fault.LoseReply
	}
	if limit, exceeded := c.quotas.takeAll(call, consumer, c.now()); exceeded {
		v.refusal = &Refusal{
			Call: call, Status: http.StatusTooManyRequests,
			Quota: &Quota{PerMinute: limit, ProjectNumber: c.number(consumer)},
		}
		return v
	}
	if v.refusal = unauthorized; v.refusal != nil {
		return v
	}
	v.breakpoint = c.hold(call)
	return v
}

// strike adds up the latencies of the faults that match, returns the one that
// decides, and forgets those that are used up. The caller holds c.mu.
func (c *Control) strike(call Call, latency *time.Duration) *Fault {
	var deciding *Fault
	for _, f := range c.faults {
		if !call.Matches(f.Match) || (f.decides() && deciding != nil) {
			continue
		}
		*latency += f.Latency
		if f.decides() {
			fault := f.Fault
			deciding = &fault
		}
		f.Left--
	}
	c.faults = slices.DeleteFunc(c.faults, func(f *Injected) bool { return f.Times > 0 && f.Left <= 0 })
	return deciding
}
