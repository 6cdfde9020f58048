package engine

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// call is what a call to Google Cloud was for: the same answer means different things.
type call int

const (
	reading call = iota
	creating
	updating
	deleting
)

// meaning is what an answer means.
type meaning struct {
	// reason is one of the API's reasons of Ready.
	reason string
	// says comes before Google's own words, advice after them; empty for nothing.
	says, advice string
	// retries says that the pass is tried again with growing pauses.
	retries bool
}

// What answers mean that mean something else for each call.
var (
	changed  = meaning{reason: v1alpha1.ReasonUnavailable, says: "it changed in the meantime; checking again", retries: true}
	rejected = meaning{reason: v1alpha1.ReasonInvalid, says: "Google rejected the request"}
	unfit    = meaning{reason: v1alpha1.ReasonInvalid, says: "Google rejected the manifest"}
	// What is not there may come to be without the manifest being changed.
	missing = meaning{reason: v1alpha1.ReasonInvalid, says: "Google does not find something that the manifest names", retries: true}

	// What was read a moment ago is there.
	unseen = meaning{reason: v1alpha1.ReasonProgressing, says: "Google does not find now what it showed a moment ago; trying again", retries: true}

	meanings = map[kind.Class]map[call]meaning{
		kind.NotFound: {
			reading:  {reason: v1alpha1.ReasonUnavailable, says: "Google does not find the resource now; checking again", retries: true},
			creating: missing,
			updating: missing,
			deleting: {reason: v1alpha1.ReasonUnavailable, says: "it is gone already; checking again", retries: true},
		},
		kind.AlreadyExists: {
			reading:  changed,
			creating: {reason: v1alpha1.ReasonUnavailable, says: "something has that name already; checking what", retries: true},
			updating: {reason: v1alpha1.ReasonInvalid, says: "something that the manifest adds exists already", retries: true},
			deleting: changed,
		},
		kind.Conflict: {
			reading:  changed,
			creating: {reason: v1alpha1.ReasonUnavailable, says: "somebody else is changing something of that name; checking again", retries: true},
			updating: changed,
			deleting: changed,
		},
		kind.Invalid: {reading: rejected, creating: unfit, updating: unfit, deleting: rejected},
		kind.Retained: {
			reading: rejected, creating: unfit, updating: unfit,
			deleting: {reason: v1alpha1.ReasonNotEmpty, says: "a hold or a retention keeps it", retries: true},
		},
		kind.NotEmpty: {
			reading: rejected, creating: unfit, updating: unfit,
			deleting: {reason: v1alpha1.ReasonNotEmpty, advice: "Empty it, or set spec.deletionPolicy to DeleteWithContents or Orphan"},
		},
	}
)

// outcome makes the outcome of an answer that means this.
func (m meaning) outcome(doing string, e *kind.Error, err error) outcome {
	message := doing + ": "
	if m.says != "" {
		message += m.says + ": "
	}
	message += e.Message
	if m.advice != "" {
		message += " " + m.advice
	}
	out := outcome{reason: m.reason, message: message}
	if m.retries {
		out.err = err
	}
	return out
}

// writing is what is being done when a plan is carried out, for errors.
const writing = "writing to Google Cloud"

// answered makes an outcome of an error that a call about the pass's own resource ended with. Google may answer a call about a resource that
// is new as if it were not there or somebody else's; and where reads may be stale, writes may be too.
func (p *pass) answered(what call, doing string, err error) outcome {
	e := gcp.Classify(err)
	if what == creating { // there is nothing yet that could be new
		return p.failed(what, doing, err)
	}
	if v := p.record.Settles(p.kind, doing, e, p.now()); v != nil {
		return outcome{reason: v.Reason, message: v.Message, after: v.After}
	}
	if e.Class == kind.NotFound && p.kind.StaleReads > 0 {
		return unseen.outcome(doing, e, err)
	}
	out := p.failed(what, doing, err)
	if p.deleting() && e.Class == kind.Denied { // perhaps because it is gone: the reply to a deletion may have been lost
		out.after, out.err = 0, err
	}
	return out
}

// failed makes an outcome of an error that a call to Google Cloud, or to the API server, ended with.
func failed(what call, doing string, err error) outcome {
	var (
		broken *glassBroken
		next   *continued
		gather *gathering
		held   *onHold
	)
	switch {
	case errors.Is(err, errStale):
		return outcome{after: pauseStale}
	case isTooLarge(err):
		return tooLarge()
	case errors.As(err, &next):
		return outcome{reason: v1alpha1.ReasonProgressing, message: next.message, err: err}
	case errors.As(err, &broken):
		return outcome{reason: v1alpha1.ReasonBreakGlass, message: broken.Error()}
	case errors.As(err, &gather):
		out := *limited(gather.left)
		out.outOfLine = true
		return out
	case errors.As(err, &held):
		return outcome{reason: v1alpha1.ReasonDestructionOnHold, message: "on hold: " + held.Error()}
	}
	e := gcp.Classify(err)
	if m, ok := meanings[e.Class][what]; ok {
		return m.outcome(doing, e, err)
	}
	switch e.Class {
	case kind.Throttled:
		if e.Ours {
			return *limited(e.RetryAfter)
		}
		message := fmt.Sprintf("%s: Google asked to slow down: %s", doing, e.Message)
		return outcome{reason: v1alpha1.ReasonThrottled, message: message, after: cmp.Or(e.RetryAfter, pauseThrottled)}
	case kind.QuotaExceeded:
		return outcome{reason: v1alpha1.ReasonQuotaExceeded, after: pauseDenied, message: fmt.Sprintf(
			"%s: the quota is used up: %s Delete what is not needed, or ask Google for a higher quota", doing, e.Message)}
	case kind.Denied:
		return outcome{reason: v1alpha1.ReasonDenied, message: doing + ": " + e.Explain("", ""), after: pauseDenied}
	default:
		return outcome{reason: v1alpha1.ReasonUnavailable, message: fmt.Sprintf("%s: %s; retrying", doing, e.Message), err: err}
	}
}

// failed makes an outcome of an error that a call about the resource ended with: a denial says in which project, and who is denied.
func (p *pass) failed(what call, doing string, err error) outcome {
	out := failed(what, doing, err)
	switch {
	case p.env.ProjectShutDown && (out.reason == v1alpha1.ReasonDenied || out.reason == v1alpha1.ReasonInvalid):
		return outcome{reason: v1alpha1.ReasonDenied, message: doing + ": " + plan.ShutDown(p.env.Ref.Project), after: pauseDenied}
	case out.reason == v1alpha1.ReasonQuotaExceeded:
		out.after = p.pauseFull()
	case out.reason == v1alpha1.ReasonDenied:
		out.message = doing + ": " + gcp.Classify(err).Explain(p.env.Ref.Project, p.env.Ref.Impersonate)
	}
	return out
}

// combine makes one outcome of those of a resource's fields and of its IAM policy: the worse of them, with what the other has to say, and
// tried again as soon as either wants to be. A pass that has nothing to say of one says nothing, whatever else came of it.
func combine(fields, policy outcome) outcome {
	for _, part := range []outcome{fields, policy} {
		if part.reason == "" {
			return outcome{silent: part.silent, after: part.after, done: fields.done}
		}
	}
	worse, other := fields, policy
	if rank(policy.reason) > rank(fields.reason) {
		worse, other = policy, fields
	}
	out := worse
	if other.reason != v1alpha1.ReasonUpToDate {
		out.message = worse.message + "; besides, " + other.message
	}
	out.err = errors.Join(fields.err, policy.err)
	out.after = soonest(fields.after, policy.after)
	out.looked = fields.looked || policy.looked
	out.plan = cmp.Or(fields.plan, policy.plan)
	out.drift, out.done, out.written = fields.drift, cmp.Or(fields.done, policy.done), slices.Concat(fields.written, policy.written)
	out.unknown = cmp.Or(fields.unknown, policy.unknown)
	return out
}

// soonest is the shorter of two pauses, of which 0 is none.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
