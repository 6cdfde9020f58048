package plan

import (
	"fmt"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Loss is a change by which data is lost, or loses its protection.
type Loss struct {
	// Path is the change's: WholeResource for the deletion of the resource.
	Path string
	// Why says what is lost, or can be.
	Why string
}

// losses are all that a plan loses. What counts of the fields is the kind's to say (diff.Field.Loses): resets count like other changes, and what
// the spec has no field for counts where it narrows such a field. Deleting the resource counts whatever the kind. A create loses nothing, nor
// does a change of the IAM policy.
func (s subject) losses() []Loss {
	switch {
	case !s.exists() || s.Kind.Shared():
		return nil
	case s.deleting() && Orphans(s.Object):
		return nil
	case s.deleting() && Empties(s.Manifest):
		return []Loss{{WholeResource, fmt.Sprintf("the %s and everything in it are deleted", s.name())}}
	case s.deleting():
		return []Loss{{WholeResource, fmt.Sprintf("the %s is deleted", s.name())}}
	case s.so.Fields == nil:
		return nil
	}
	var losses []Loss
	for _, c := range s.so.Fields.Changes {
		if why := s.Kind.FieldTraits.Loses(c); why != "" {
			losses = append(losses, Loss{c.Path, why})
		}
	}
	for _, lost := range s.so.Fields.Lost {
		if field, _, _ := strings.Cut(lost.Path, "["); s.Kind.FieldTraits[field].Loses != nil {
			losses = append(losses, Loss{lost.Path, "what the spec has no field for is removed"})
		}
	}
	return losses
}

// ruleDataLoss: neither a bad merge nor an editor who knows better loses data before somebody has seen the plan.
func ruleDataLoss(s subject) *Verdict {
	if len(s.so.Losses) == 0 || s.mayLoseData() {
		return nil
	}
	var says []string
	for _, loss := range s.so.Losses {
		says = append(says, loss.Path+" ("+loss.Why+")")
	}
	return s.hold(v1alpha1.ReasonDataLoss, "this can lose data: "+List(says)+s.allowingLoss())
}

// ruleDeletionAdopted: what a manifest has adopted was made by somebody else, who may not know of the manifest. That something was written to
// it since is no reason to destroy it.
func ruleDeletionAdopted(s subject) *Verdict {
	created := s.record.CreateTime != nil
	if s.Kind.Fields.Undelete != nil { // to bring back what somebody else made is not to create it
		created = s.so.Created
	}
	if created || s.mayLoseData() {
		return nil
	}
	var whys []string
	for _, loss := range s.so.Losses {
		whys = append(whys, loss.Why)
	}
	return s.hold(v1alpha1.ReasonDataLoss, fmt.Sprintf("the manifest has adopted the %s and has not created it, and %s%s",
		s.name(), strings.Join(whys, "; "), s.allowingLoss()))
}

func (s subject) mayLoseData() bool { return s.env.Binding.Allow(v1alpha1.AllowDataLoss) }

// allowingLoss says how a namespace goes without these approvals.
func (s subject) allowingLoss() string {
	return fmt.Sprintf(". An administrator can let the whole namespace do so without approval: %s",
		s.env.Binding.With(s.Object.GetNamespace(), v1alpha1.AllowDataLoss))
}
