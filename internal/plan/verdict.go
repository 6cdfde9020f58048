package plan

import (
	"time"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Action is what is to be done to a resource.
type Action string

// The actions.
const (
	// Leave: nothing is to be written; the reason says why.
	Leave Action = "Leave"
	// Hold: the plan waits for somebody's approval.
	Hold Action = "Hold"
	// Create and Update: the plan is to be written.
	Create Action = "Create"
	Update Action = "Update"
	// Release: the manifest goes, and the resource is not touched.
	Release Action = "Release"
	// Unmark: the manifest goes once its ownership labels are taken off the resource.
	Unmark Action = "Unmark"
	// Delete: the manifest goes once the resource is deleted.
	Delete Action = "Delete"
	// Revoke: the manifest goes once what it granted is revoked.
	Revoke Action = "Revoke"
)

// Writes says whether the action writes a manifest's fields or policy.
func (a Action) Writes() bool { return a == Create || a == Update }

// Verdict is what is to be done, and why.
type Verdict struct {
	// Rule is the name of the rule that decided.
	Rule string
	// Action is what is to be done.
	Action Action
	// Reason is one of the API's reasons of Ready, and Message says what is so and what a person can do about it; both empty where
	// the action is to be carried out.
	Reason, Message string
	// Err is the look that failed, and Doing what it was about; nil if none did.
	Err   *kind.Error
	Doing string
	// Doubtful says that the look that failed may be stale, so that what was said before is not taken back because of it.
	Doubtful bool
	// Blind says that what was seen, if anything was, says nothing of the resource.
	Blind bool
	// After is when to look again; 0 for the usual time.
	After time.Duration
	// Deed is what is told once the manifest has gone; empty unless it goes.
	Deed Deed
}

// Deed is what an event tells of.
type Deed struct {
	// Reason is the event's, such as Deleted.
	Reason string
	// Message says what was done to which resource.
	Message string
}

// rule decides something, or says nothing.
type rule struct {
	name   string
	decide func(s subject) *Verdict
}

// first is the verdict of the first rule that has one.
func first(rules []rule, s subject) *Verdict {
	for _, r := range rules {
		if v := r.decide(s); v != nil {
			v.Rule = r.name
			return v
		}
	}
	return nil
}

// leave is the verdict that nothing is to be written.
func leave(reason, message string) *Verdict {
	return &Verdict{Action: Leave, Reason: reason, Message: message}
}

// blind is the verdict that nothing is to be written, whatever the resource is like.
func blind(reason, message string) *Verdict {
	return &Verdict{Action: Leave, Reason: reason, Message: message, Blind: true}
}

// release is the verdict that the manifest goes.
func release(action Action, reason, message string) *Verdict {
	return &Verdict{Action: action, Deed: Deed{reason, message}}
}
