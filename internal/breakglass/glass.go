// Package breakglass decides from annotations whether break-glass is active. It is pure; the admission policies decide who may set
// which annotation.
package breakglass

import (
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// How much of annotations, which may be much longer, is copied to status, events and conditions, in bytes.
const (
	longestReason = 512
	longestName   = 256
)

// Glass is what the annotations of an object and its Namespace say. The zero value is closed.
type Glass struct {
	// Scope says where the glass was broken; empty when closed.
	Scope v1alpha1.BreakGlassScope
	// Reason is the annotation's value, at most 512 bytes of it.
	Reason string
	// By is who broke the glass, as stamped, at most 256 bytes of it; empty if it was not stamped.
	By string
	// Until is when the glass expires; zero for never.
	Until time.Time
}

// Open says whether break-glass is active.
func (g Glass) Open() bool { return g.Scope != "" }

// Read reads the annotations of an object and of its Namespace. Both may have an open glass; the object's own is returned. A time
// that cannot be parsed does not close the glass.
func Read(object, namespace map[string]string, now time.Time) Glass {
	if g := read(object, v1alpha1.BreakGlassOnObject, now); g.Open() {
		return g
	}
	return read(namespace, v1alpha1.BreakGlassOnNamespace, now)
}

func read(annotations map[string]string, scope v1alpha1.BreakGlassScope, now time.Time) Glass {
	g, there := parse(annotations, scope)
	if !there || !g.Until.IsZero() && !g.Until.After(now) {
		return Glass{}
	}
	return g
}

// parse reads the glass in the annotations, expired or not.
func parse(annotations map[string]string, scope v1alpha1.BreakGlassScope) (g Glass, there bool) {
	reason, there := annotations[v1alpha1.BreakGlassAnnotation]
	if !there {
		return Glass{}, false
	}
	g = Glass{Scope: scope, Reason: text.Cut(reason, longestReason), By: text.Cut(annotations[v1alpha1.BreakGlassByAnnotation], longestName)}
	if until, err := time.Parse(time.RFC3339, annotations[v1alpha1.BreakGlassUntilAnnotation]); err == nil {
		g.Until = until.Truncate(time.Second) // as in status
	}
	return g, true
}
