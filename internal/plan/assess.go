package plan

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// Manifest is the Kubernetes object: what people want. Its spec and metadata are read, and of its status the history of the glass; for all
// else see Record.
type Manifest struct {
	Kind   kind.Kind
	Object v1alpha1.Object
}

// Observation is what one look at Google Cloud showed of each part. The zero value is that nobody has looked.
type Observation struct {
	Fields FieldsSeen
	Policy PolicySeen
	// MissingSince is since when Google has said, at each look, that the resource or its policy does not exist; zero if it does not say so,
	// or if nobody keeps account of it.
	MissingSince time.Time
	// Misses is at how many looks on end it has said so.
	Misses int
}

// missingUntil is until when Google's answer that something does not exist may be stale, by all that was seen of it.
func (o Observation) missingUntil(k kind.Kind, now time.Time) time.Time {
	until := o.MissingSince.Add(k.StaleReads)
	if few := !o.MissingSince.IsZero() && o.Misses <= k.StaleLooks; few && !now.Before(until) {
		return now.Add(firstPause)
	}
	return until
}

// FieldsSeen is what was seen of a resource's fields, and so of the resource as such.
type FieldsSeen struct {
	// Looked says that the resource was read, whether it is there or not.
	Looked bool
	// Err says why it could not be.
	Err *kind.Error
	// Missing is Google's answer that it does not exist; nil if it does, or if nobody has looked.
	Missing *kind.Error
	// Exists says that it is there, as Live has it.
	Exists bool
	Live   kind.Live
	// Foreign says that it belongs to another project than the one that the manifest is bound to.
	Foreign bool
}

// PolicySeen is what was seen of an IAM policy.
type PolicySeen struct {
	// Looked says that it was read.
	Looked bool
	// Err says why it could not be.
	Err *kind.Error
	// Policy is what is live.
	Policy iampolicy.Policy
	// Written says that it is what a write of this very plan has answered.
	Written bool
	// Unseen are members that Google refused though they were created a moment ago: not all of Google knows them yet.
	Unseen []string
}

// Environment is what else an assessment depends on.
type Environment struct {
	// Now is the time. Since is when manifests began to be looked at without interruption; zero for ever.
	Now, Since time.Time
	// Binding is where the resource is and as whom it is reached. Refusal says why the Namespace allows none; nil if it does.
	Binding tenancy.Binding
	Refusal *tenancy.Refusal
	// Limits are what the Namespace limits its objects to.
	Limits tenancy.Limits
	// Ref says which resource.
	Ref kind.Ref
	// Glass is the manifest's own and its Namespace's.
	Glass breakglass.Glass
	// Rivals are the other manifests of the same resource.
	Rivals []Rival
	// References are what the manifest's references lead to.
	References References
	// Appeared is when the service accounts became ready that are members of the policy and that Google refused, by the member; without
	// those that no manifest stands for.
	Appeared map[string]time.Time
	// Self is whom Google knows us as.
	Self iampolicy.Self
	// ProjectShutDown says that the project's deletion was requested, or that Google knows no such project. It is asked for only where that
	// may explain what was seen, see MayBeShutDown.
	ProjectShutDown bool
	// Unwritten says that nothing can have been written for the manifest yet, by whatever process.
	Unwritten bool
	// DefinitionGoes says that the kind's CustomResourceDefinition is being deleted.
	DefinitionGoes bool
}

// Rival is another manifest of the same resource.
type Rival struct {
	Object     v1alpha1.Object
	References References
	// Barred says that it may not act on the resource now: its Namespace does not allow the project any more, or it is released.
	Barred bool
	// Glass is its own and its Namespace's. One that is broken holds the resource, unless the manifest is barred.
	Glass breakglass.Glass
}

// References are what references lead to.
type References map[kind.Reference]Resolved

// Resolved is what a reference leads to.
type Resolved struct {
	// Value stands for what is referred to, such as an e-mail; empty if there is nothing yet.
	Value string
	// Missing says why there is no value yet.
	Missing string
	// NotAllowed says why the reference must not be followed, and what would allow it.
	NotAllowed string
	// Fresh is when what is referred to was created, if that is so short a time ago that other services may not know it; zero otherwise.
	Fresh time.Time
}

// Target is what a plan was made for. The gate lets no write pass once the object is another.
type Target struct {
	UID             types.UID
	Generation      int64
	ResourceVersion string
	Binding         tenancy.Binding
	Limits          tenancy.Limits
}

// Assessment is what follows from manifest, record, observation and environment.
type Assessment struct {
	Target

	// Verdict is what to do.
	Verdict Verdict
	// Changes are how Google Cloud differs, in all parts, sorted by path.
	Changes diff.Changes
	// Plan is what would be written: the changes, or the deletion of the resource and what frees it.
	Plan diff.Changes
	// Freeing are those of the changes that are made though the manifest is being deleted, since its contents cannot be deleted without them.
	Freeing diff.Changes
	// Hash names the plan: what a person copies to approve it.
	Hash string
	// Approved says that somebody has approved exactly these changes, or more of which these are what is left.
	Approved bool
	// Fields is the plan of the fields; nil where the kind has none or they could not be observed.
	Fields *FieldsPlan
	// Policy is the plan of the IAM policy; nil where the manifest does not mention it or it could not be observed.
	Policy *PolicyPlan
	// Owned says that the manifest owns this very resource already.
	Owned bool
	// Created says that the manifest has created this very resource.
	Created bool
	// Granting says that what differs is the IAM policy in Additive mode, and nothing else: granting is not adopting.
	Granting bool
	// Applied says that all that can be applied of what was seen is.
	Applied bool
	// Record is what would be remembered: before the write, if there is something to write; nothing, if the manifest goes.
	Record Record
	// Losses are what the plan loses of the resource's data.
	Losses []Loss
	// Destructive is what carrying out the verdict destroys.
	Destructive Destructive
	// Undelete is the identity of the deleted resource that can perhaps be brought back; empty for none.
	Undelete string
	// restricted says what management is, where somebody who reads that all is well may not expect it.
	restricted string
}

// Assess says what is to be done about a resource.
func Assess(m Manifest, r Record, o Observation, e Environment) Assessment {
	obj := m.Object
	a := Assessment{Target: Target{obj.GetUID(), obj.GetGeneration(), obj.GetResourceVersion(), e.Binding, e.Limits}}
	s := subject{m, r, o, e, &a}
	a.restricted = s.restricted()
	if verdict := first(unobservedRules(s), s); verdict != nil {
		a.Verdict = *verdict
		a.Record = s.follows()
		return a
	}
	if s.createdByLabel() {
		s.record = s.provenCreated()
	}
	a.Owned, a.Created = s.owns(), s.created()
	if !s.exists() && s.canUndelete() {
		a.Undelete = r.Identity
	}
	a.Fields, a.Policy = s.fieldsPlan(), s.policyPlan()
	a.Granting = s.granting()
	a.Changes = s.changes()
	a.Plan = a.Changes
	if s.deleting() && !m.Kind.Shared() {
		a.Freeing = s.freeing()
		a.Plan = slices.Concat(deletion(s.externalName()), a.Freeing)
	}
	a.Losses = s.losses()
	a.Hash = planHash(obj, r.PlanSequence, a.Plan)
	a.Approved = m.isApproved(r, a.Hash, a.Plan)
	a.Verdict = *first(s.rules(), s)
	a.Destructive = s.destructive()
	a.Applied = s.applied()
	a.Record = s.follows()
	return a
}

// AssessUnobserved says what is decided without looking at Google Cloud; nil if it has to be looked at.
func AssessUnobserved(m Manifest, r Record, e Environment) *Verdict {
	s := subject{m, r, Observation{}, e, &Assessment{}}
	return first(unobservedRules(s), s)
}

// subject is all that a rule may look at.
type subject struct {
	Manifest
	record Record
	seen   Observation
	env    Environment
	// so far, what has been assessed.
	so *Assessment
}

func (s subject) spec() *v1alpha1.CommonSpec { return s.Object.GetCommonSpec() }
func (s subject) deleting() bool             { return !s.Object.GetDeletionTimestamp().IsZero() }
func (s subject) name() string               { return s.Kind.Name }
func (s subject) externalName() string       { return s.Kind.ExternalName(s.env.Ref) }

// applied says whether all that can be applied is: nothing differs, or what does waits for somebody else.
func (s subject) applied() bool {
	v, policy := s.so.Verdict, s.so.Policy
	unseen := policy != nil && policy.In.Unresolved && !policy.granting() // what an authoritative mode would revoke
	switch {
	case unseen && !s.so.Owned:
		return false
	case v.Action != Leave || v.Blind || s.deleting() || s.management() == v1alpha1.ManagementObserve:
		return false
	case v.Err != nil: // the policy cannot be read: the fields were compared, and match
		return s.so.Owned && len(s.so.Changes) == 0
	}
	switch v.Reason {
	case v1alpha1.ReasonUpToDate, v1alpha1.ReasonAwaitingReference, v1alpha1.ReasonReferenceNotAllowed, v1alpha1.ReasonNotApplied:
		return true
	default:
		return false
	}
}

// follows is the record that follows from the verdict.
func (s subject) follows() Record {
	switch action := s.so.Verdict.Action; {
	case action.Writes():
		return s.record.CreatedBy(*s.so, s.seen).AboutToWrite(s.Manifest, s.env, *s.so)
	case action == Revoke:
		return s.record.begins(s.Manifest, *s.so).AboutToGrant(s.Manifest, *s.so)
	case action == Delete && len(s.so.Freeing) > 0:
		return s.record.begins(s.Manifest, *s.so)
	case action == Release, action == Unmark, action == Delete:
		return Record{}
	case !s.so.Applied:
		return s.record
	}
	var managed []string
	if s.so.Fields != nil {
		managed = s.so.Fields.Managed
	}
	record := s.record.CreatedBy(*s.so, s.seen).adopts(*s.so).Owns(s.Manifest, s.env, s.seen, managed).OwnsGrants(s.Manifest, s.so.Policy)
	switch begun := s.record.Approved; {
	case s.so.Verdict.Err != nil: // what is left of the plan nobody knows
		record.Approved = begun
	case begun != nil: // the plan was applied, though its reply was lost
		record = record.PlanApplied()
	}
	return record
}

// exists says whether the resource is there. One without fields of its own exists without Holdfast.
func (s subject) exists() bool { return s.Kind.Fields == nil || s.seen.Fields.Exists }

// identity is which resource was seen.
func (s subject) identity() kind.Identity { return s.seen.Fields.Live.Identity }

// marks are the ownership labels that the resource should carry; nil for a kind that has no labels.
func (s subject) marks() map[string]string { return s.env.Ref.Ownership }

// owns says whether the manifest owns this very resource already.
func (s subject) owns() bool {
	return s.exists() && !s.seen.Fields.Foreign &&
		(isOwned(s.record.Identity, s.identity(), s.marks()) || s.createdUnrecorded())
}

// canUndelete says whether the resource that the manifest owned can perhaps be brought back.
func (s subject) canUndelete() bool {
	return s.Kind.Fields != nil && s.Kind.Fields.Undelete != nil && s.record.Identity != "" && !s.record.Unrestorable
}

// changes are what would be written, of all parts.
func (s subject) changes() diff.Changes {
	var changes diff.Changes
	if s.so.Fields != nil {
		changes = s.so.Fields.Changes
	}
	if of := s.so.Policy.Changes(); len(of) > 0 {
		changes = slices.Concat(changes, of)
		slices.SortFunc(changes, func(a, b diff.Change) int { return strings.Compare(a.Path, b.Path) })
	}
	switch {
	case s.Kind.Fields != nil && !s.seen.Fields.Looked:
		return nil
	case s.exists():
		return changes
	case s.so.Undelete != "":
		return undeletion(s.externalName(), s.so.Undelete)
	default:
		return creation(s.externalName(), changes)
	}
}

// WholeResource is the path of the change that a create or a delete as such is.
const WholeResource = "resource"

// creation is the plan of creating a resource: the resource itself, then its fields.
func creation(name string, fields diff.Changes) diff.Changes {
	return slices.Concat(diff.Changes{{Path: WholeResource, To: quoted(name)}}, fields)
}

// undeletion is the plan of bringing a deleted resource back. What differs then is planned when it is there.
func undeletion(name, uid string) diff.Changes {
	return diff.Changes{{Path: WholeResource, From: quoted("deleted"), To: quoted(name + ", undeleted (" + uid + ")")}}
}

// deletion is the plan of deleting a resource.
func deletion(name string) diff.Changes {
	return diff.Changes{{Path: WholeResource, From: quoted(name)}}
}
