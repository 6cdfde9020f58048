package rig

import (
	"errors"
	"slices"
)

// Undo is what is to be done once what was started is not needed any more. The zero value is nothing. Not for concurrent use.
type Undo struct{ steps []func() error }

// Later has something done at the end, before all that was said earlier.
func (u *Undo) Later(do func() error) { u.steps = append(u.steps, do) }

// All does it all, the last first, whatever fails, and once.
func (u *Undo) All() error {
	var errs []error
	for _, do := range slices.Backward(u.steps) {
		errs = append(errs, do())
	}
	u.steps = nil
	return errors.Join(errs...)
}
