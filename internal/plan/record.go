package plan

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Record is what Holdfast remembers about a resource between two looks. It is a value: the functions that change it return another.
//
//	Pending    before a write: what live cannot prove later is recorded as about to be written (ProvesItself says for which that is nothing)
//	Applied    after it: what was pending is the manifest's own
//	NotSent    the gate refused the write: nothing happened, so nothing of it is remembered
//	(nothing)  no answer came: what is pending stays so, and is held against live by the next look
//	Released   the manifest owns nothing any more
type Record struct {
	// Project is the project that the resource is in, or was last looked for; ExternalName is the resource's full name. The manifest is bound
	// to that project once it has something there, see BoundTo.
	Project, ExternalName string
	// Identity tells the resource from a namesake; empty until the manifest owns one.
	Identity string
	// CreatedIdentity is that of the resource that the manifest has created; empty if it has none, or adopted the one that it owns.
	CreatedIdentity string
	// Unrestorable says that the resource that Identity tells was deleted and cannot be brought back, so that it is to be created again.
	Unrestorable bool
	// CreateTime is when the resource was last created, or about to be.
	CreateTime *metav1.Time
	// AppliedFields are the paths that were applied; Pending those that were about to be.
	AppliedFields []string
	Pending       []v1alpha1.PendingChange
	// Approved is the plan that was approved and has begun; nil for none.
	Approved *v1alpha1.ApprovedPlan
	// PlanSequence counts the applied plans.
	PlanSequence int64
	// Policy is what is remembered of the IAM policy.
	Policy PolicyRecord
	// Requested is the value of the annotation holdfast.dev/reconcile-requested-at that was handled last.
	Requested string
}

// PolicyRecord is what Holdfast remembers about an IAM policy. The zero value is nothing.
type PolicyRecord struct {
	// Known says that there is something to remember, be it that nothing was granted.
	Known bool
	// Mode is the mode that was last applied, and RevokedMode the one that a plan was last applied in that revoked something: somebody has
	// approved the first.
	Mode, RevokedMode v1alpha1.IAMMode
	// Grants are the manifest's own; Pending were about to be made.
	Grants, Pending []iampolicy.Grant
	// AuditServices are those whose audit configs the manifest has set.
	AuditServices []string
	// Refused are members that Google refused.
	Refused []v1alpha1.IAMRefusal
	// StoredAs are members that Google stores under another name.
	StoredAs StoredAs
	// TakenOver are the UIDs of those other manifests of the resource whose records are part of this one, and which have nothing any more.
	TakenOver []string
	// Lost says that an earlier record was lost, and with it which of the live grants the manifest has made.
	Lost bool
}

// RecordOf reads the record that a status keeps.
func RecordOf(status *v1alpha1.CommonStatus) Record {
	r := Record{
		Project: status.Project, ExternalName: status.ExternalName, Identity: status.Identity,
		CreatedIdentity: status.CreatedIdentity, Unrestorable: status.Unrestorable,
		CreateTime:    status.LastCreateAttemptTime.DeepCopy(),
		AppliedFields: slices.Clone(status.AppliedFields), Pending: slices.Clone(status.Pending), Approved: status.Approved.DeepCopy(),
		PlanSequence: status.PlanSequence, Requested: status.LastHandledReconcileAt,
	}
	if iam := status.IAM; iam != nil {
		r.Policy = PolicyRecord{
			Known: true, Mode: iam.Mode, RevokedMode: iam.RevokedMode, Grants: grantsOf(iam.Grants), Pending: grantsOf(iam.Pending),
			AuditServices: slices.Clone(iam.AuditServices), Refused: slices.Clone(iam.Refused), StoredAs: storedAsOf(iam.StoredAs),
			TakenOver: slices.Clone(iam.TakenOver), Lost: iam.RecordLost,
		}
	}
	return r
}

// Store writes the record into a status. What a status shows beside it stays.
func (r Record) Store(status *v1alpha1.CommonStatus) {
	status.Project, status.ExternalName = r.Project, r.ExternalName
	status.Identity, status.CreatedIdentity = r.Identity, r.CreatedIdentity
	status.Unrestorable, status.LastCreateAttemptTime = r.Unrestorable, r.CreateTime
	status.AppliedFields, status.Pending, status.Approved, status.PlanSequence = r.AppliedFields, r.Pending, r.Approved, r.PlanSequence
	status.LastHandledReconcileAt = r.Requested
	if !r.Policy.Known {
		status.IAM = nil
		return
	}
	if status.IAM == nil {
		status.IAM = &v1alpha1.IAMStatus{}
	}
	iam := status.IAM
	iam.RevokedMode = r.Policy.RevokedMode
	iam.Mode, iam.Grants, iam.Pending = r.Policy.Mode, statusGrants(r.Policy.Grants), statusGrants(r.Policy.Pending)
	iam.StoredAs, iam.TakenOver, iam.RecordLost = r.Policy.StoredAs.status(), r.Policy.TakenOver, r.Policy.Lost
	iam.AuditServices, iam.Refused = r.Policy.AuditServices, r.Policy.Refused[:min(len(r.Policy.Refused), mostChanges)]
}

// BoundTo is the project that a manifest is bound to by what its status remembers: where it owns a resource, or may own one because the answer
// to a write was lost. Empty while it has nothing anywhere, so that a mistyped project is no more than that.
func BoundTo(status *v1alpha1.CommonStatus) string {
	if !RecordOf(status).Bound() {
		return ""
	}
	return status.Project
}

// Bound says whether the manifest owns something, or may own it because the answer to a write was lost.
func (r Record) Bound() bool {
	p := r.Policy
	return r.Identity != "" || r.CreateTime != nil || len(r.Pending)+len(r.AppliedFields)+len(p.Grants)+len(p.Pending)+len(p.AuditServices) > 0
}

// Has says whether a manifest has something in Google Cloud by what its status says. It is for many: it copies nothing.
func Has(k kind.Kind, obj v1alpha1.Object) bool {
	status := obj.GetCommonStatus()
	granted := k.Shared() && status.IAM != nil && len(status.IAM.Grants) > 0
	return guarded(obj) && obj.GetCommonSpec().Management != v1alpha1.ManagementObserve && (status.Identity != "" || granted)
}

// Proves says whether a live resource is the very one that was recorded, by an identity that names its project: that it belongs to the record's
// project was proven then, and stays so, since no ID of a project is ever used for another one.
func (r Record) Proves(live kind.Identity) bool { return live.UID != "" && r.Identity == live.UID }

// In is the record of a manifest whose resource is to be in a project. Nothing counts that was recorded about another one, where the manifest
// has nothing; least of all an approval.
func (r Record) In(project string) Record {
	if r.Project == "" || r.Project == project {
		return r
	}
	return Record{PlanSequence: r.PlanSequence + 1, Requested: r.Requested}
}

// appliedIn lists the fields that are known to be the manifest's own: those recorded, and those that were about to be written when
// the record was made and are live with that very value.
func (r Record) appliedIn(live v1alpha1.Object) []string {
	out := slices.Clone(r.AppliedFields)
	for _, p := range r.Pending {
		if value := diff.Lookup(live, p.Path); (diff.Change{To: value}).Digest() == p.Digest && !slices.Contains(out, p.Path) {
			out = append(out, p.Path)
		}
	}
	slices.Sort(out)
	return out
}

// AboutToWrite is the record to store before the assessed plan is written: which project the manifest is bound to, which fields and
// grants are newly taken on, which plan was approved, and that the resource is about to be created.
func (r Record) AboutToWrite(m Manifest, e Environment, a Assessment) Record {
	before := r
	r = r.begins(m, a)
	if a.Verdict.Action == Update {
		r = r.adopts(a)
	}
	r.Project, r.ExternalName = e.Ref.Project, m.Kind.ExternalName(e.Ref)
	if a.Fields != nil {
		r.AppliedFields = a.Fields.Applied // with what was pending and is live: the next line forgets it
		if fresh := a.Fields.newlyManaged(); len(fresh) > 0 {
			r.Pending = fresh
		}
	}
	r = r.AboutToGrant(m, a)
	// That there was a try binds the manifest to the project. Without labels its time proves, too, that what is there is our own. With them it
	// says no more than for how long Google's answers are not to be relied on, which is not worth storing the record of each further try for.
	if a.Verdict.Action == Create && (r.CreateTime == nil || !m.Kind.Labels || !equality.Semantic.DeepEqual(r, before)) {
		r = r.Created(e)
	}
	return r
}

// adopts is the record of a manifest that may be about to own a resource which it did not own before: it has not created this one.
func (r Record) adopts(a Assessment) Record {
	if !a.Owned {
		r.CreateTime = nil
	}
	return r
}

// Created is the record of a resource that is created now.
func (r Record) Created(e Environment) Record {
	r.CreateTime = &metav1.Time{Time: e.Now.Truncate(time.Second)}
	return r
}

// CreatedBy is the record of a manifest of which it is known whether it has created the resource.
func (r Record) CreatedBy(a Assessment, o Observation) Record {
	if a.Created {
		r.CreatedIdentity = o.Fields.Live.Identity.UID
	}
	return r
}

// begins is the record of an assessed plan that begins: if it was approved, what of it is left needs no other approval.
func (r Record) begins(m Manifest, a Assessment) Record {
	if given := approval(m.Object, a.Hash, a.Plan, m.Kind.FieldTraits); given != nil {
		r.Approved = given
	}
	return r
}

// AboutToGrant is the record to store before the assessed policy is written. What it revokes stays recorded until it is gone.
func (r Record) AboutToGrant(m Manifest, a Assessment) Record {
	p := a.Policy
	if p == nil {
		return r
	}
	r = r.Looked(m, p)
	r.Policy.Grants, r.Policy.Pending = p.Plan.Had, p.Plan.Add
	r.Policy.AuditServices = union(r.Policy.AuditServices, p.Plan.OwnServices) // those that leave stay recorded until they are reset
	return r
}

// NotSent is the record after a pass in which no write of the fields, or of the policy, was sent: what was recorded as pending for it since
// the record before is forgotten. If nothing at all was sent the plan has not begun either.
func (r Record) NotSent(before Record, fields, policy bool) Record {
	if fields {
		r.CreateTime, r.Pending, r.AppliedFields = before.CreateTime, before.Pending, before.AppliedFields
	}
	if policy {
		r.Policy.Grants, r.Policy.Pending, r.Policy.AuditServices = before.Policy.Grants, before.Policy.Pending, before.Policy.AuditServices
		r.Policy.Known = before.Policy.Known || len(r.Policy.Refused) > 0
	}
	if fields && policy && r.Approved != nil { // which an incident may have ended meanwhile
		r.Approved = before.Approved
	}
	return r
}

// NotWritten is the record after a create, or the first write of an adoption, that is known to have failed: nothing of the fields is there
// that was not before.
func (r Record) NotWritten(before Record) Record { return r.NotSent(before, true, false) }

// NotUndeletable is the record of a resource that Google will not bring back. Which one it was is forgotten only once another has taken its
// place: should it be there all the same, it is still the manifest's own.
func (r Record) NotUndeletable() Record {
	r.Unrestorable, r.CreateTime = true, nil
	return r
}

// Identified is the record after a write of the fields was answered, whatever follows: the resource is the manifest's own.
func (r Record) Identified(e Environment, live kind.Live) Record {
	if identity := identityOf(live.Identity, e.Ref.Ownership); identity != identityUnmarked || r.Identity == "" {
		r.Identity = identity
	}
	r.Unrestorable = false
	return r
}

// NotGranted is the record after a write of the policy that is known to have failed, which the record before knew nothing of.
func (r Record) NotGranted(before Record) Record {
	r.Policy.Pending, r.Policy.AuditServices = before.Policy.Pending, before.Policy.AuditServices
	return r
}

// Granted is the record after a policy was written as planned, and stored by Google as the answer shows. Grants that Google stores under
// another name are recorded by that name, so that they are revoked when they leave the manifest; those that were revoked and that Google shows
// all the same stay recorded.
func (r Record) Granted(m Manifest, p *PolicyPlan, answer iampolicy.Policy) Record {
	stored := listsOf(answer)
	became := storedOtherwise(listsOf(p.Plan.Next), stored, p.members()).since(m.Object.GetGeneration())
	r.Policy.Grants, r.Policy.Pending = p.ownAs(became, stored), nil
	if len(p.Plan.Revoke) > 0 && p.In.Managed && p.In.Mode != v1alpha1.IAMAdditive {
		r.Policy.RevokedMode = p.In.Mode
	}
	if len(became) > 0 {
		all := maps.Clone(became)
		maps.Copy(all, p.storedAs)
		r.Policy.StoredAs = all
	}
	return r
}

// Owns is the record of a manifest that owns the resource, with these fields applied and nothing pending.
func (r Record) Owns(m Manifest, e Environment, o Observation, applied []string) Record {
	r = r.Identified(e, o.Fields.Live)
	r.Project, r.ExternalName = e.Ref.Project, m.Kind.ExternalName(e.Ref)
	r.AppliedFields, r.Pending, r.Approved = applied, nil, nil
	return r
}

// OwnsGrants is the record after a look at the policy, or a write of it: what the manifest has granted, and, if nothing of the plan is
// left to write, that it is applied.
func (r Record) OwnsGrants(m Manifest, p *PolicyPlan) Record {
	if p == nil {
		return r
	}
	r = r.Looked(m, p)
	if p.Plan.Writes || p.Plan.Refusal != "" { // it turned out that it may not, or cannot, be written
		r.Policy.Grants, r.Policy.Pending = p.Plan.Had, nil
		return r
	}
	mode := v1alpha1.IAMMode("")
	switch {
	case p.In.Managed && p.In.Unresolved: // what the mode would revoke nobody has seen yet
		mode = r.Policy.Mode
	case p.In.Managed:
		mode = p.In.Mode
	}
	r.Policy.Grants, r.Policy.Pending, r.Policy.Mode, r.Policy.AuditServices = p.Plan.Own, nil, mode, p.Plan.OwnServices
	if r.Policy.RevokedMode != mode { // one that is returned to asks again
		r.Policy.RevokedMode = ""
	}
	if !p.In.Managed && len(r.Policy.Grants) == 0 {
		r.Policy = PolicyRecord{Known: len(r.Policy.TakenOver) > 0, TakenOver: r.Policy.TakenOver}
	}
	return r
}

// PlanApplied is the record after a plan was applied: no hash is good twice.
func (r Record) PlanApplied() Record {
	r.PlanSequence++
	return r
}

// Looked is the record after a look at the policy: a refusal is forgotten once it is of an older manifest, or nothing is left to be granted
// to the member.
func (r Record) Looked(m Manifest, p *PolicyPlan) Record {
	if p == nil {
		return r
	}
	r.Policy.Known = true
	r.Policy.StoredAs, r.Policy.Lost = p.storedAs, p.lost
	r.Policy.Refused = slices.DeleteFunc(slices.Clone(r.Policy.Refused), func(refusal v1alpha1.IAMRefusal) bool {
		return refusal.Generation != m.Object.GetGeneration() || !slices.Contains(p.In.Refused, refusal.Member) && !p.adds(refusal.Member)
	})
	return r
}

// Asked is the record of a manifest for which a reconcile was requested that was not handled yet: all members are tried again.
func (r Record) Asked(obj v1alpha1.Object) Record {
	if obj.GetAnnotations()[v1alpha1.ReconcileRequestedAtAnnotation] != r.Requested {
		r.Policy.Refused, r.Policy.StoredAs = nil, nil
	}
	return r
}
