package engine

import (
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/sweep"
)

// lastRefused is the longest pause between two tries of what Google refuses, or accepts and does not do.
const lastRefused = time.Hour

// pauseRefused lets the pauses between such tries grow: as long again as it has been so for. The condition remembers since when, so that a
// process that begins goes on where the last one was. What people do, and what comes to be that the manifest names, is looked at immediately.
func (p *pass) pauseRefused(out outcome) outcome {
	refused := out.reason == v1alpha1.ReasonInvalid || out.reason == v1alpha1.ReasonNotApplied && p.gatePassed
	was := readyCondition(p.stored)
	if !refused || out.after > 0 || was == nil || was.Reason != out.reason || was.ObservedGeneration != p.obj.GetGeneration() {
		return out
	}
	if lasts := min(p.now().Sub(was.LastTransitionTime.Time), lastRefused); lasts > max(p.sweep.Interval, lastRetry) {
		out.err, out.after = nil, sweep.Schedule{Interval: lasts}.Next()
		p.background = true
	}
	return out
}
