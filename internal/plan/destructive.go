package plan

import "fmt"

// Destructive is what a plan destroys that no later plan brings back by itself: data and what protects it, grants, service.
type Destructive struct {
	// Whys say what it is, for people; none for a plan that destroys nothing.
	Whys []string
	// Ends says that the resource goes, or data of it, or all that the manifest has granted.
	Ends bool
}

// Any says whether anything is.
func (d Destructive) Any() bool { return len(d.Whys) > 0 }

// destructive is what the plan destroys that the verdict carries out. What it is of the fields is the kind's to say; of the policy it is what is
// taken away.
func (s subject) destructive() (d Destructive) {
	action := s.so.Verdict.Action
	if action != Update && action != Delete && action != Revoke {
		return d
	}
	for _, loss := range s.so.Losses {
		d.Whys, d.Ends = append(d.Whys, loss.Why), true
	}
	if action == Delete {
		return d
	}
	if s.so.Fields != nil {
		for _, c := range s.so.Fields.Changes {
			if why := s.Kind.FieldTraits.Stops(c); why != "" {
				d.Whys = append(d.Whys, why)
			}
		}
	}
	removed := 0
	for _, c := range s.so.Policy.Changes() {
		if c.To == "" && s.so.Policy.Writes() {
			removed++
		}
	}
	if removed > 0 {
		d.Whys, d.Ends = append(d.Whys, fmt.Sprintf("%d entries of the IAM policy are removed", removed)), d.Ends || action == Revoke
	}
	return d
}
