package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// Bounds of what status shows of contents that cannot be deleted.
const (
	mostReasons = 8
	mostNames   = 5
	longestName = 256
)

// leftovers are contents that cannot be deleted now, counted by why.
type leftovers []leftover

// leftover are those of one sort and reason.
type leftover struct {
	kind.Kept

	// of is the name of the contents.
	of    string
	count int64
	// names are the first few.
	names []string
	// err is what the first was refused with; nil where nobody tried.
	err error
}

// refusals are what Google's answers mean that are about one piece, and say nothing of others.
var refusals = map[kind.Class]kind.Kept{
	kind.Retained: {Why: "that Google refuses to delete because of a hold or a retention"},
	kind.NotEmpty: {Why: "that Google does not find empty"},
	kind.Invalid:  {Why: "that Google refuses to delete"},
	kind.Denied:   {Why: "that Holdfast may not delete"},
}

// refused returns them with one more that Google has refused to delete.
func (l leftovers) refused(of, name string, err error) leftovers {
	e := gcp.Classify(err)
	kept := refusals[e.Class]
	kept.Advice = "Google says: " + e.Message
	l = l.with(of, name, kept)
	for i := range l {
		if l[i].Why == kept.Why && l[i].err == nil {
			l[i].err = err
		}
	}
	return l
}

// with returns them with one more.
func (l leftovers) with(of, name string, kept kind.Kept) leftovers {
	return l.and(leftovers{{Kept: kept, of: of, count: 1, names: []string{text.Cut(name, longestName)}}})
}

// and returns them with others.
func (l leftovers) and(others leftovers) leftovers {
	for _, other := range others {
		i := slices.IndexFunc(l, func(mine leftover) bool { return mine.of == other.of && mine.Why == other.Why })
		if i < 0 {
			l = append(l, other)
			continue
		}
		mine := &l[i]
		mine.count += other.count
		mine.names = append(mine.names, other.names[:min(len(other.names), mostNames-len(mine.names))]...)
		mine.Until = earliest(mine.Until, other.Until)
	}
	return l
}

// earliest is the earlier of two times, of which zero is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// until is when the first of them can be deleted; zero if nobody knows.
func (l leftovers) until() time.Time {
	var first time.Time
	for _, left := range l {
		first = earliest(first, left.Until)
	}
	return first
}

// leaving says whether Google deletes all of them in its own time.
func (l leftovers) leaving() bool {
	return !slices.ContainsFunc(l, func(left leftover) bool { return !left.Leaving })
}

// again says whether some may be deletable as soon as others are gone.
func (l leftovers) again() bool {
	return slices.ContainsFunc(l, func(left leftover) bool { return gcp.IsNotEmpty(left.err) })
}

// denied is what the first was refused with that a permission is missing for; nil if none was.
func (l leftovers) denied() error {
	for _, left := range l {
		if gcp.IsDenied(left.err) {
			return left.err
		}
	}
	return nil
}

// String tells of each: how many, which, until when, and what frees them.
func (l leftovers) String() string {
	var parts []string
	for _, left := range l {
		part := fmt.Sprintf("%d %s %s (%s", left.count, left.of, left.Why, strings.Join(left.names, ", "))
		if more := left.count - int64(len(left.names)); more > 0 {
			part += fmt.Sprintf(" and %d more", more)
		}
		part += ")"
		if !left.Until.IsZero() {
			part += ", the first until " + inUTC(left.Until)
		}
		if left.Advice != "" {
			part += ". " + left.Advice
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

// status is how status shows them.
func (l leftovers) status() []v1alpha1.RemainingContents {
	var out []v1alpha1.RemainingContents
	for _, left := range l[:min(len(l), mostReasons)] {
		shown := v1alpha1.RemainingContents{Why: left.of + " " + left.Why, Count: left.count, Names: left.names, Advice: left.Advice}
		if !left.Until.IsZero() {
			shown.Until = &metav1.Time{Time: left.Until}
		}
		out = append(out, shown)
	}
	return out
}
