package plan

import (
	"cmp"
	"fmt"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// untouched is what is said of a manifest that goes without a write.
const untouched = "nothing in Google Cloud was touched"

// The rules for a manifest that is being deleted: the first of them decide before anybody looks at Google Cloud.
var unobservedDeletionRules = []rule{
	{"deletion: another manifest takes the grants over first", ruleDeletionHandsOver},
	{"deletion: an unreachable project is not written to", ruleDeletionUnbound},
	{"deletion: the resource stays with the manifest that owns it", ruleDeletionRival},
	{"deletion: Observe touches nothing", ruleDeletionObserved},
	{"deletion: what nothing was ever written for has nothing anywhere", ruleDeletionUnwritten},
}

var deletionRules = []rule{
	{"deletion: a project that is shut down lets its manifests go", ruleDeletionShutDown},
	{"deletion: what has nothing anywhere need not see anything", ruleDeletionNothing},
	{"deletion: an orphan need not be reachable", ruleDeletionUnreachable},
	{"deletion: what Google says of a resource that is new, or was just there, may change", ruleDeletionNotYet},
	{"deletion: the resource must be readable", ruleUnreadable},
	{"deletion: break-glass puts it on hold", ruleDeletionGlass},
	{"deletion: it is gone already", ruleDeletionAbsent},
	{"deletion: another project's resource is none of our business", ruleDeletionForeign},
	{"deletion: the policy must be readable", rulePolicyUnreadable},
	{"deletion: of a shared policy what the manifest granted goes, or stays", ruleDeletionGrants},
	{"deletion: what was never owned is not touched", ruleDeletionNotOwned},
	{"deletion: Orphan leaves it", ruleDeletionOrphan},
	{"deletion: another manifest declares it", ruleDeletionDeclared},
	{"deletion: another resource of that name stays", ruleDeletionAnother},
	{"deletion: Holdfast is not locked out", ruleDeletionOwnAccount},
	{"deletion: the definition goes, nobody asked for the resource", ruleDeletionDefinition},
	{"deletion: what was asked for while break-glass was active waits for a person", ruleDeletionInIncident},
	{"deletion: management: Approve waits for a person", ruleDeletionApprove},
	{"deletion: what was only adopted waits for a person", ruleDeletionAdopted},
	{"deletion: it is deleted", ruleDelete},
}

func ruleDeletionUnbound(s subject) *Verdict {
	refusal := s.env.Refusal
	switch {
	case refusal == nil:
		return nil
	case s.env.Glass.Open():
		return blind(v1alpha1.ReasonBreakGlass, s.heldBy()+deletionOnHold)
	case !s.record.Bound() || s.management() == v1alpha1.ManagementObserve:
		return release(Release, "Released", untouched)
	case Orphans(s.Object):
		return s.releaseMarked(refusal.Message)
	default:
		return blind(refusal.Reason, "deletion is waiting: "+s.refusal()+". "+LettingGo(s.Manifest))
	}
}

func ruleDeletionRival(s subject) *Verdict {
	if s.env.Glass.Open() || s.winner() == nil {
		return nil
	}
	return release(Release, "Released", "another manifest declares the resource; "+untouched)
}

func ruleDeletionObserved(s subject) *Verdict {
	if s.env.Glass.Open() || s.management() != v1alpha1.ManagementObserve {
		return nil
	}
	return release(Release, "Released", untouched)
}

// ruleDeletionUnwritten lets a manifest go as if it had no finalizer yet, which it may have from the beginning.
func ruleDeletionUnwritten(s subject) *Verdict {
	if !s.env.Unwritten || s.heldBy() != "" {
		return nil
	}
	return release(Release, "Released", untouched)
}

func ruleDeletionUnreachable(s subject) *Verdict {
	err := s.seen.Fields.Err
	if err == nil || err.Class != kind.Denied || s.env.Glass.Open() || !Orphans(s.Object) {
		return nil
	}
	return s.releaseMarked(err.Message)
}

func ruleDeletionNotYet(s subject) *Verdict {
	if s.heldBy() != "" || Orphans(s.Object) {
		return nil
	}
	return ruleNotYet(s)
}

// ruleDeletionGlass holds also where nothing would be written: the finalizer stays until a person has closed the glass.
func ruleDeletionGlass(s subject) *Verdict {
	held := s.heldBy()
	if held == "" {
		return nil
	}
	return leave(v1alpha1.ReasonBreakGlass, held+deletionOnHold)
}

const deletionOnHold = "; on hold: the deletion"

// ruleDeletionInIncident: closing the glass must not destroy, all at once, what was deleted meanwhile by whoever did not know of the incident.
func ruleDeletionInIncident(s subject) *Verdict {
	if !s.deletedInIncident() {
		return nil
	}
	return s.hold(v1alpha1.ReasonAwaitingApproval, "the manifest was deleted while break-glass was active, and this deletes the "+s.name())
}

func ruleDeletionAbsent(s subject) *Verdict {
	if s.exists() && ruleNoProject(s) == nil {
		return nil
	}
	return release(Release, "Released", s.externalName()+" does not exist any more")
}

func ruleDeletionForeign(s subject) *Verdict {
	if !s.seen.Fields.Foreign {
		return nil
	}
	return release(Release, "Released", untouched)
}

// ruleDeletionGrants is for a policy that several manifests share: what the manifest granted goes, and nothing else.
func ruleDeletionGrants(s subject) *Verdict {
	p := s.so.Policy
	switch {
	case !s.Kind.Shared():
		return nil
	case p == nil:
		return release(Release, "Orphaned", "left the grants on "+s.externalName()+" as they are")
	case s.env.DefinitionGoes:
		return release(Release, "Orphaned", "left the grants as they are, because the CustomResourceDefinition is being deleted")
	}
	if p.Writes() {
		const revokes = ", and this revokes what the manifest granted"
		var why string
		switch {
		case s.deletedInIncident():
			why = "the manifest was deleted while break-glass was active" + revokes
		case s.management() == v1alpha1.ManagementApprove:
			why = s.managementIs() + revokes
		default:
			why = cmp.Or(s.revokesTooMany(), p.Plan.RemovesOwners())
		}
		if v := s.hold(v1alpha1.ReasonAwaitingApproval, why); v != nil {
			return v
		}
	}
	return release(Revoke, "Deleted", fmt.Sprintf("revoked what the manifest granted on %s: %d changes", s.externalName(), len(s.so.Changes)))
}

func ruleDeletionNotOwned(s subject) *Verdict {
	if s.record.Identity != "" || s.so.Owned {
		return nil
	}
	return release(Release, "Released", "the resource was never adopted and was not touched")
}

func ruleDeletionOrphan(s subject) *Verdict {
	if !Orphans(s.Object) {
		return nil
	}
	return s.orphan("as spec.deletionPolicy says")
}

func ruleDeletionDeclared(s subject) *Verdict {
	if !s.declaredElsewhere() {
		return nil
	}
	return s.orphan("because another manifest declares it")
}

func ruleDeletionAnother(s subject) *Verdict {
	if isRecorded(s.record.Identity, s.identity(), s.marks()) {
		return nil
	}
	return leave(v1alpha1.ReasonConflict, fmt.Sprintf(
		"this %s is not the one that was recorded, so it is not deleted; delete it yourself, or set spec.deletionPolicy to Orphan", s.name()))
}

func ruleDeletionDefinition(s subject) *Verdict {
	if !s.env.DefinitionGoes {
		return nil
	}
	return s.orphan("because its CustomResourceDefinition is being deleted")
}

func ruleDeletionApprove(s subject) *Verdict {
	if s.management() != v1alpha1.ManagementApprove {
		return nil
	}
	return s.hold(v1alpha1.ReasonAwaitingApproval, s.managementIs()+", and this deletes the "+s.name())
}

func ruleDelete(s subject) *Verdict {
	return release(Delete, "Deleted", "deleted "+s.externalName())
}

// freeing are the changes that let go of contents which could not be deleted before.
func (s subject) freeing() diff.Changes {
	if s.so.Fields == nil || !s.exists() || Orphans(s.Object) {
		return nil
	}
	return s.Kind.FieldTraits.Frees(s.so.Fields.Changes, s.seen.Fields.Live.Object)
}

// orphan leaves the resource, without the labels of its owner. Where writing needs approval the labels stay: they hinder nobody in this
// installation.
func (s subject) orphan(why string) *Verdict {
	action := Release
	if readMark(s.identity().Labels, s.marks()) == markOwn && s.management() == v1alpha1.ManagementManage {
		action = Unmark
	}
	return release(action, "Orphaned", "left "+s.externalName()+" in Google Cloud, "+why)
}

// releaseMarked lets a manifest go whose resource cannot be reached to take the labels off.
func (s subject) releaseMarked(why string) *Verdict {
	left := "left " + s.record.ExternalName + " in Google Cloud"
	if s.Kind.Labels {
		left += " with its ownership labels"
	}
	return release(Release, "Orphaned", left+": "+why)
}

// Orphans says whether deleting the manifest leaves the resource.
func Orphans(obj v1alpha1.Object) bool {
	policy := obj.GetCommonSpec().DeletionPolicy
	return policy == v1alpha1.DeletionOrphan || policy == ""
}

// Empties says whether deleting the manifest deletes what is in the resource.
func Empties(m Manifest) bool {
	return m.Kind.Fields != nil && m.Kind.Fields.Contents != nil && m.Object.GetCommonSpec().DeletionPolicy == v1alpha1.DeletionDeleteWithContents
}
