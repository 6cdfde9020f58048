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
)

// failed makes an outcome of an error that a call to Google Cloud, or to the API server, ended with.
func failed(doing string, err error) outcome {
	var (
		broken *glassBroken
		next   *continued
	)
	switch {
	case errors.Is(err, errStale):
		return outcome{after: pauseStale}
	case errors.As(err, &next):
		return outcome{reason: v1alpha1.ReasonProgressing, message: next.message, after: pauseStale}
	case errors.As(err, &broken):
		return outcome{reason: v1alpha1.ReasonBreakGlass, message: broken.Error()}
	}
	e := gcp.Classify(err)
	switch e.Class {
	case kind.Throttled:
		message := fmt.Sprintf("%s: %s", doing, throttled(e))
		return outcome{reason: v1alpha1.ReasonThrottled, message: message, after: cmp.Or(e.RetryAfter, pauseThrottled)}
	case kind.QuotaExceeded:
		return outcome{reason: v1alpha1.ReasonQuotaExceeded, after: pauseDenied, message: fmt.Sprintf(
			"%s: the quota is used up: %s Delete what is not needed, or ask Google for a higher quota", doing, e.Message)}
	case kind.Denied:
		return outcome{reason: v1alpha1.ReasonDenied, message: denied(doing, e), after: pauseDenied}
	case kind.Invalid:
		return outcome{reason: v1alpha1.ReasonInvalid, message: fmt.Sprintf("%s: Google rejected the manifest: %s", doing, e.Message)}
	case kind.NotEmpty:
		return outcome{reason: v1alpha1.ReasonNotEmpty, message: fmt.Sprintf("%s: %s Empty it, or set spec.deletionPolicy to DeleteWithContents or Orphan", doing, e.Message)}
	case kind.Conflict, kind.AlreadyExists, kind.NotFound:
		message := fmt.Sprintf("%s: it changed in the meantime; checking again: %s", doing, e.Message)
		return outcome{reason: v1alpha1.ReasonUnavailable, message: message, err: err}
	default:
		return outcome{reason: v1alpha1.ReasonUnavailable, message: fmt.Sprintf("%s: %s; retrying", doing, e.Message), err: err}
	}
}

// throttled says who asks to slow down: Google, or Holdfast itself, to keep within its own limits.
func throttled(e *kind.Error) string {
	if e.Ours {
		return e.Message
	}
	return "Google asked to slow down: " + e.Message
}

func denied(doing string, e *kind.Error) string {
	if e.Permission == "" {
		return fmt.Sprintf("%s: %s", doing, e.Message)
	}
	return fmt.Sprintf("%s: permission %s is missing on %s. Grant a role that has it to Holdfast's service account. Google says: %s",
		doing, e.Permission, cmp.Or(e.Resource, "the resource or its project"), e.Message)
}

// combine makes one outcome of those of a resource's fields and of its IAM policy: the worse of them, with what the other has to say, and
// tried again as soon as either wants to be. A pass that was stale says nothing, whatever else came of it.
func combine(fields, policy outcome) outcome {
	if fields.reason == "" || policy.reason == "" {
		return outcome{after: pauseStale, done: fields.done}
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
