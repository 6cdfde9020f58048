package plan

import (
	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// ReadSteps are the steps that look at a resource.
func ReadSteps(m Manifest, r Record) []kind.Step {
	var steps []kind.Step
	if m.Kind.Fields != nil {
		steps = append(steps, kind.StepObserve)
	}
	if MentionsPolicy(m, r) {
		steps = append(steps, kind.StepGetPolicy)
	}
	return steps
}

// LikelyWrites are the steps that will write something as far as that can be told without a look. decided says that somebody has looked
// since the manifest was last edited, and that nothing was left to be written: it is expected to be so still.
func LikelyWrites(m Manifest, r Record, e Environment, decided bool) []kind.Step {
	deleting := !m.Object.GetDeletionTimestamp().IsZero()
	if e.Limits.Management(m.Object.GetCommonSpec().Management) == v1alpha1.ManagementObserve || decided && !deleting {
		return nil
	}
	var steps []kind.Step
	switch owned := r.Identity != ""; {
	case m.Kind.Fields == nil:
	case !deleting && !owned:
		steps = append(steps, kind.StepCreate)
	case !deleting, owned && Orphans(m.Object) && m.Kind.Labels: // which are taken off
		steps = append(steps, kind.StepUpdate)
	case owned && !Orphans(m.Object) && !Empties(m): // who has a lot to delete before keeps no place for the last call
		steps = append(steps, kind.StepDelete)
	}
	if MentionsPolicy(m, r) {
		steps = append(steps, kind.StepSetPolicy)
	}
	return steps
}

// Writes are the steps that will carry out the verdict; none if nothing is to be written.
func (a Assessment) Writes() []kind.Step {
	var steps []kind.Step
	switch a.Verdict.Action {
	case Create:
		if a.Undelete != "" {
			return []kind.Step{kind.StepUndelete} // what differs then is another plan
		}
		steps = append(steps, kind.StepCreate)
	case Update:
		if a.Fields != nil && len(a.Fields.Changes) > 0 {
			steps = append(steps, kind.StepUpdate)
		}
	case Unmark:
		return []kind.Step{kind.StepUpdate}
	case Delete:
		if len(a.Freeing) > 0 {
			steps = append(steps, kind.StepUpdate)
		}
		return append(steps, kind.StepDelete)
	case Revoke:
	default:
		return nil
	}
	if a.Policy.Writes() {
		steps = append(steps, kind.StepSetPolicy)
	}
	return steps
}
