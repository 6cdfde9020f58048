package plan

import (
	"cmp"
	"fmt"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// accessSettles is how long a change of who may do what can take to be in effect everywhere in Google Cloud. Until then a resource may be
// denied to the one who has just created it. https://cloud.google.com/iam/docs/access-change-propagation
const accessSettles = 7 * time.Minute

// The pauses between two looks at what is waited for double from the first to the last.
const (
	firstPause = 500 * time.Millisecond
	lastPause  = time.Minute
)

// pauseSince is the pause before the next look at something that has been waited for since then. It follows from the time alone, so that
// a restart does not begin with short pauses again.
func pauseSince(since, now time.Time) time.Duration {
	return min(max(now.Sub(since), firstPause), lastPause)
}

// settlesUntil says until when an answer is no more than what Google says for a while about a resource that was just created; zero if it is not.
func (r Record) settlesUntil(k kind.Kind, answer *kind.Error) time.Time {
	switch {
	case r.CreateTime == nil:
		return time.Time{}
	case answer.Class == kind.NotFound:
		return r.CreateTime.Add(k.Settles)
	// Any other denial has a reason that time does not change.
	case answer.Class == kind.Denied && answer.Permission != "" && answer.Denial == (kind.Denial{}):
		return r.CreateTime.Add(accessSettles)
	default:
		return time.Time{}
	}
}

// Settles is the verdict that an answer may be given only because the resource was created a moment ago, so that it is waited for another;
// nil if it is to be taken as it is. Doing is what the call was for.
func (r Record) Settles(k kind.Kind, doing string, answer *kind.Error, now time.Time) *Verdict {
	until := r.settlesUntil(k, answer)
	if !now.Before(until) {
		return nil
	}
	v := leave(v1alpha1.ReasonProgressing, fmt.Sprintf("%s: the %s was created a moment ago, and for a while Google may answer so about a new one; "+
		"retrying until %s%s. Google says: %s", doing, k.Name, clock(until), ifItLasts(answer), answer.Message))
	v.After, v.Err, v.Doing = min(pauseSince(r.CreateTime.Time, now), until.Sub(now)), answer, doing
	return v
}

// ifItLasts says what is wrong should the answer stay the same.
func ifItLasts(answer *kind.Error) string {
	if answer.Class != kind.Denied {
		return ""
	}
	return fmt.Sprintf(". If it lasts, grant permission %s on %s", answer.Permission, cmp.Or(answer.Resource, "the resource or its project"))
}

// notYet is the verdict that an answer says nothing of the resource yet: because the resource was created a moment ago, or because one that
// was there is not found by an API whose reads may be stale. It is nil if the answer is to be taken as it is.
func (s subject) notYet(doing string, answer *kind.Error) *Verdict {
	if answer == nil {
		return nil
	}
	v, missing := s.record.Settles(s.Kind, doing, answer, s.env.Now), s.seen.MissingSince
	until := s.seen.missingUntil(s.Kind, s.env.Now)
	if answer.Class != kind.NotFound || s.record.Identity == "" || missing.IsZero() || !s.env.Now.Before(until) {
		return v
	}
	if v == nil {
		v = leave(v1alpha1.ReasonProgressing, fmt.Sprintf("%s: it is not found any more, and Google may answer so about one that is there; "+
			"looking again until %s. Google says: %s", doing, clock(until), answer.Message))
		v.Err, v.Doing = answer, doing
	}
	v.After, v.Doubtful = min(pauseSince(missing, s.env.Now), until.Sub(s.env.Now)), true
	return v
}

// clock is a time of day, to the second that is not over before it.
func clock(t time.Time) string {
	return t.UTC().Add(time.Second - 1).Truncate(time.Second).Format("15:04:05 UTC")
}
