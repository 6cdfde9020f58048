package metrics

import (
	"strconv"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// edit follows one generation of an object from when it was first seen until it is applied.
type edit struct {
	generation int64
	// open says that it is not applied yet. A generation that the previous process had seen and not applied is not followed: it
	// may have been applied before that.
	open bool
	// held says that it was on hold until a person acted.
	held bool
}

// pass updates the edit with a pass, and returns how long the edit took if the pass applied it.
func (e *edit) pass(p Pass) (took time.Duration, applied bool) {
	if generation := p.Object.GetGeneration(); e.generation != generation {
		*e = edit{generation: generation, open: p.Was.ObservedGeneration < generation}
	}
	switch p.Reason {
	case v1alpha1.ReasonAwaitingApproval, v1alpha1.ReasonAwaitingAdoption, v1alpha1.ReasonDataLoss, v1alpha1.ReasonDestructionOnHold,
		v1alpha1.ReasonBreakGlass:
		e.held = true
	}
	if !e.open || !isApplied(p.Object.GetCommonStatus(), e.generation) {
		return 0, false
	}
	e.open = false
	return max(0, p.Ended.Sub(p.Edited)), !p.Edited.IsZero()
}

func (e *edit) heldText() string { return strconv.FormatBool(e.held) }
