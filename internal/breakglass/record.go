package breakglass

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// Bounds of the record in status.
const (
	mostRecords = 5
	mostEdits   = 16
	mostSeen    = 64
)

// Reasons of the events about a glass.
const (
	EventOpened   = "BreakGlassOpened"
	EventExtended = "BreakGlassExtended"
	EventChanged  = "BreakGlassChanged"
	EventClosed   = "BreakGlassClosed"
	EventExpired  = "BreakGlassExpired"
)

// Event is what happened to a glass between two passes.
type Event struct {
	// Reason is one of the reasons above.
	Reason string
	// Message is the text for people and for the audit log.
	Message string
}

// Seen is what a pass over an object found that matters for the record of its glass.
type Seen struct {
	// Glass is what the annotations say now.
	Glass Glass
	// Verified says that the admission policies are in force.
	Verified bool
	// Expired says that the annotations still contain a glass that has expired.
	Expired bool
	// ClosedBy is who closed the glass, as stamped on the object or its Namespace.
	ClosedBy string
	// LastWrite describes a write that had passed the gate when the glass was broken; empty for none.
	LastWrite string
	// Deleted is when the manifest was deleted; nil if it was not. OpenedAt is when the glass was broken, as far as that is known of one
	// that is seen for the first time.
	Deleted  *metav1.Time
	OpenedAt time.Time
	// Now is the time of the pass.
	Now time.Time
}

// Advance updates the record in a status with what a pass saw, and returns what happened since the last one. It is idempotent: the
// same again changes nothing and returns no events.
func Advance(status *v1alpha1.CommonStatus, seen Seen) []Event {
	open := status.BreakGlass
	switch {
	case open == nil && !seen.Glass.Open():
		return nil
	case open == nil:
		return begin(status, seen)
	case !seen.Glass.Open():
		return end(status, seen)
	case open.Scope == v1alpha1.BreakGlassOnNamespace && seen.Glass.Scope == v1alpha1.BreakGlassOnObject:
		file(status, v1alpha1.BreakGlassEpisode{BreakGlass: *open, Ending: v1alpha1.BreakGlassSuperseded, ClosedAt: atSecond(seen.Now)})
		return begin(status, seen)
	case open.Scope != seen.Glass.Scope: // the Namespace's is still open
		events := end(status, seen)
		if resume(status, seen.Glass) {
			return append(events, edit(status.BreakGlass, seen)...)
		}
		return append(events, begin(status, seen)...)
	default:
		return edit(open, seen)
	}
}

// IsRecorded says whether a status has a glass on record as it is: that there is none, too.
func IsRecorded(status *v1alpha1.CommonStatus, glass Glass) bool {
	open := status.BreakGlass
	if open == nil || !glass.Open() {
		return open == nil && !glass.Open()
	}
	return open.Scope == glass.Scope && open.Reason == glass.Reason && open.By == glass.By && open.Until.Equal(optional(glass.Until))
}

// Note adds the differences that a pass found to those that were seen while the glass was open.
func Note(status *v1alpha1.CommonStatus, drift []v1alpha1.Change) {
	open := status.BreakGlass
	if open == nil {
		return
	}
	for _, change := range drift {
		at := slices.IndexFunc(open.Seen, func(c v1alpha1.Change) bool { return c.Path == change.Path })
		switch {
		case at >= 0:
			open.Seen[at] = change
		case len(open.Seen) < mostSeen:
			open.Seen = append(open.Seen, change)
		}
	}
}

func begin(status *v1alpha1.CommonStatus, seen Seen) []Event {
	status.BreakGlass = &v1alpha1.BreakGlass{
		Scope: seen.Glass.Scope, Reason: seen.Glass.Reason, By: seen.Glass.By, Verified: seen.Verified,
		Since: atSecond(seen.Now), Until: optional(seen.Glass.Until), LastWrite: seen.LastWrite,
	}
	noteDeletion(status.BreakGlass, seen.Deleted, seen.OpenedAt)
	return tell(EventOpened, "%s broke the glass on the %s%s: %s",
		person(seen.Glass.By), seen.Glass.Scope, ending(seen.Glass.Until), seen.Glass.Reason)
}

// resume continues the record of a glass that another one superseded.
func resume(status *v1alpha1.CommonStatus, glass Glass) bool {
	at := slices.IndexFunc(status.BreakGlassHistory, func(r v1alpha1.BreakGlassEpisode) bool {
		superseded := r.Manifest == nil && r.Ending == v1alpha1.BreakGlassSuperseded
		return superseded && r.Scope == glass.Scope && r.Reason == glass.Reason && r.By == glass.By
	})
	if at < 0 {
		return false
	}
	status.BreakGlass = new(status.BreakGlassHistory[at].BreakGlass)
	status.BreakGlassHistory = slices.Delete(status.BreakGlassHistory, at, at+1)
	return true
}

func end(status *v1alpha1.CommonStatus, seen Seen) []Event {
	if seen.Deleted != nil && seen.Deleted.Time.Before(seen.Now.Truncate(time.Second)) { // or it may have been after the closing
		noteDeletion(status.BreakGlass, seen.Deleted, status.BreakGlass.Since.Time)
	}
	record := v1alpha1.BreakGlassEpisode{
		BreakGlass: *status.BreakGlass, Ending: v1alpha1.BreakGlassClosed,
		ClosedAt: atSecond(seen.Now), ClosedBy: text.Cut(seen.ClosedBy, longestName),
	}
	overdue := record.Until != nil && !record.Until.After(seen.Now)
	status.BreakGlass = nil
	if seen.Expired || seen.ClosedBy == v1alpha1.ClosedByExpiry || overdue && seen.ClosedBy == "" {
		record.Ending, record.ClosedBy = v1alpha1.BreakGlassExpired, ""
		file(status, record)
		return tell(EventExpired, "the glass that %s broke has expired: %s", person(record.By), record.Reason)
	}
	file(status, record)
	return tell(EventClosed, "%s closed the glass that %s broke: %s", person(seen.ClosedBy), person(record.By), record.Reason)
}

// file adds a record before the existing ones.
func file(status *v1alpha1.CommonStatus, record v1alpha1.BreakGlassEpisode) {
	status.BreakGlassHistory = slices.Insert(status.BreakGlassHistory, 0, record)
	if len(status.BreakGlassHistory) > mostRecords {
		status.BreakGlassHistory = status.BreakGlassHistory[:mostRecords]
	}
}

// edit records another reason, time or person for a glass that stays open.
func edit(open *v1alpha1.BreakGlass, seen Seen) []Event {
	glass, until := seen.Glass, optional(seen.Glass.Until)
	open.Verified = open.Verified && seen.Verified
	noteDeletion(open, seen.Deleted, open.Since.Time)
	sameTime := open.Until.Equal(until)
	if sameTime && open.Reason == glass.Reason && open.By == glass.By {
		return nil
	}
	edit := v1alpha1.BreakGlassEdit{Time: atSecond(seen.Now), By: glass.By, Reason: glass.Reason, Until: until}
	if open.Edits = append(open.Edits, edit); len(open.Edits) > mostEdits {
		open.Edits = open.Edits[len(open.Edits)-mostEdits:]
	}
	was := open.Reason
	open.Reason, open.By, open.Until = glass.Reason, glass.By, until
	if sameTime {
		return tell(EventChanged, "%s changed the reason for breaking the glass to %q; it was %q", person(glass.By), glass.Reason, was)
	}
	return tell(EventExtended, "%s keeps the glass open%s: %s", person(glass.By), ending(glass.Until), glass.Reason)
}

// noteDeletion remembers that the manifest was deleted while the glass was open, which it was from a time on. In doubt, within the second, it was.
func noteDeletion(open *v1alpha1.BreakGlass, deleted *metav1.Time, from time.Time) {
	if deleted != nil && open.DeletionTime == nil && !deleted.Time.Before(from.Truncate(time.Second)) {
		open.DeletionTime = deleted
	}
}

// tell returns the one event of a transition.
func tell(reason, format string, args ...any) []Event {
	return []Event{{reason, fmt.Sprintf(format, args...)}}
}

func person(by string) string {
	if by == "" {
		return "somebody who is not recorded"
	}
	return by
}

func ending(t time.Time) string {
	if t.IsZero() {
		return " until somebody closes it"
	}
	return " until " + t.UTC().Format(time.RFC3339)
}

// atSecond is a time with the API's precision.
func atSecond(t time.Time) metav1.Time { return metav1.NewTime(t.Truncate(time.Second)) }

func optional(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return new(atSecond(t))
}
