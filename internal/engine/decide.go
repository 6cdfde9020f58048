package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

// facts are all that a decision depends on.
type facts struct {
	spec    v1alpha1.CommonSpec
	traits  Traits
	changes diff.Changes
	// exists says whether the resource is there; the following three mean nothing where it is not.
	exists bool
	// held says whether the object holds this very resource already.
	held bool
	// mark says whose marks it carries, and owner describes them if they are another installation's.
	mark  mark
	owner string
	// granting says that the changes take nothing over that was there before: they only grant. sharing says that the manifest as a
	// whole does no more than that.
	granting bool
	sharing  bool
	// idle says that none of the changes can be written now.
	idle bool
	// unwritable says why none of the changes can be written, and what to do about it; empty if some can be.
	unwritable string
	// policyHold says why a change of the IAM policy must be approved first; empty if it need not.
	policyHold string
	// waits says which references are waited for; empty for none.
	waits string
	// wrongProject says that the resource belongs to another project than the object is bound to.
	wrongProject bool
	// recorded says that the object held a resource of this name before.
	recorded bool
	// glassOpen says that nothing may be written.
	glassOpen bool
	// approved says that exactly these changes were approved.
	approved bool
}

type action int

const (
	actionNone   action = iota // nothing to write: report the reason
	actionHold                 // a plan waits for approval
	actionCreate               // write
	actionUpdate               // write
)

// decision is what to do, and what to say if nothing is written.
type decision struct {
	action  action
	reason  string
	message string
}

// decide chooses. It is the whole policy of management, adoption and approval.
func decide(f facts) decision {
	switch {
	case !f.exists:
		return decideAbsent(f)
	case f.wrongProject:
		return decision{actionNone, v1alpha1.ReasonConflict, fmt.Sprintf(
			"the name of this %s is taken by another Google Cloud project; choose another spec.resourceID in a new object", f.traits.Name)}
	case f.spec.Management == v1alpha1.ManagementObserve:
		return decideObserved(f)
	case f.mark == markForeign:
		return decision{actionNone, v1alpha1.ReasonConflict, fmt.Sprintf(
			"another owner holds this %s: %s. Remove that manifest there (its deletionPolicy Orphan removes the label), or remove the label %s by hand",
			f.traits.Name, f.owner, v1alpha1.OwnerLabel)}
	case !f.held && !f.sharing && f.spec.Adoption == v1alpha1.AdoptionNever:
		return decision{actionNone, v1alpha1.ReasonConflict, fmt.Sprintf(
			"this %s %s and spec.adoption is Never; to take it over set spec.adoption to IfMatches or Always", f.traits.Name, wasThere(f))}
	case f.unwritable != "" && !f.glassOpen:
		return decision{actionNone, v1alpha1.ReasonInvalid, f.unwritable}
	case f.waits != "" && (f.idle || len(f.changes) == 0):
		return decision{actionNone, v1alpha1.ReasonAwaitingReference, "all else is done, and this is waited for: " + f.waits}
	case len(f.changes) == 0:
		return decision{actionNone, v1alpha1.ReasonUpToDate, upToDate}
	}
	if message := immutableChanges(f); message != "" {
		return decision{actionNone, v1alpha1.ReasonImmutable, message}
	}
	return decideWrite(f, actionUpdate)
}

// upToDate is what is said of an object that there is nothing to do for.
const upToDate = "Google Cloud is as the manifest says"

func decideAbsent(f facts) decision {
	if f.spec.Management == v1alpha1.ManagementObserve {
		return decision{actionNone, v1alpha1.ReasonNotFound, fmt.Sprintf(
			"this %s does not exist, and spec.management is Observe", f.traits.Name)}
	}
	return decideWrite(f, actionCreate)
}

func decideObserved(f facts) decision {
	if len(f.changes) == 0 && f.waits != "" {
		return decision{actionNone, v1alpha1.ReasonAwaitingReference, "spec.management is Observe, and nobody knows yet who is meant: " + f.waits}
	}
	if len(f.changes) == 0 {
		return decision{actionNone, v1alpha1.ReasonUpToDate, upToDate + " (spec.management is Observe)"}
	}
	return decision{actionNone, v1alpha1.ReasonDiffers, "Google Cloud differs in " + list(f.changes.Paths()) + ", and spec.management is Observe"}
}

// decideWrite weighs a write that is possible: the glass, then what must be approved first.
func decideWrite(f facts, write action) decision {
	switch why, reason := holds(f); {
	case f.glassOpen:
		return decision{actionNone, v1alpha1.ReasonBreakGlass, "the glass is broken: held back are " + list(f.changes.Paths())}
	case why != "" && !f.approved:
		return decision{actionHold, reason, why}
	}
	return decision{action: write}
}

// holds says why a write must be approved first; empty if it need not.
func holds(f facts) (why, reason string) {
	if f.exists && !f.held && f.spec.Adoption != v1alpha1.AdoptionAlways && !f.granting {
		return fmt.Sprintf("this %s %s and differs in %s", f.traits.Name, wasThere(f), list(f.changes.Paths())), v1alpha1.ReasonAwaitingAdoption
	}
	if f.spec.Management == v1alpha1.ManagementApprove {
		return "spec.management is Approve", v1alpha1.ReasonAwaitingApproval
	}
	if f.exists {
		for _, c := range f.changes {
			if why := f.traits.Fields.Hold(c); why != "" {
				return why, v1alpha1.ReasonAwaitingApproval
			}
		}
	}
	if f.policyHold != "" {
		return f.policyHold, v1alpha1.ReasonAwaitingApproval
	}
	return "", ""
}

func wasThere(f facts) string {
	if f.recorded {
		return "was deleted and made anew by somebody else"
	}
	return "was there before the manifest"
}

// immutableChanges names the changes that Google cannot carry out; empty if it can do them all.
func immutableChanges(f facts) string {
	var said []string
	for _, c := range f.changes {
		if why := f.traits.Fields.Immutable(c.Path); why != "" {
			said = append(said, fmt.Sprintf("%s is %s and cannot become %s: %s", c.Path, orNothing(c.From), orNothing(c.To), why))
		}
	}
	return strings.Join(said, "; ")
}

func orNothing(json string) string {
	if json == "" {
		return "unset"
	}
	return json
}

// list names a few paths and counts the rest.
func list(paths []string) string {
	const most = 5
	if len(paths) <= most {
		return strings.Join(paths, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(paths[:most], ", "), len(paths)-most)
}

// wholeResource is the path of the change that a create or a delete as such is.
const wholeResource = "resource"

// creation is the plan of making a resource: the resource itself, then its fields.
func creation(name string, fields diff.Changes) diff.Changes {
	return slices.Concat(diff.Changes{{Path: wholeResource, To: quoted(name)}}, fields)
}

// undeletion is the plan of bringing a deleted resource back. What differs then is planned when it is there.
func undeletion(name, uid string) diff.Changes {
	return diff.Changes{{Path: wholeResource, From: quoted("deleted"), To: quoted(fmt.Sprintf("%s, undeleted (%s)", name, uid))}}
}

// deletion is the plan of deleting a resource.
func deletion(name string) diff.Changes {
	return diff.Changes{{Path: wholeResource, From: quoted(name)}}
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }
