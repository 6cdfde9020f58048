package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// policyView is what a pass knows of a resource's IAM policy.
type policyView struct {
	in   iampolicy.Input
	plan iampolicy.Plan
	// waits says which references are waited for; empty for none.
	waits string
	// fresh are members of accounts that were made a moment ago; unseen are those of them that Google does not know everywhere
	// yet: they are tried again soon.
	fresh, unseen []string
}

// changes are how the policy differs; nil where the manifest says nothing of it.
func (p *policyView) changes() diff.Changes {
	if p == nil {
		return nil
	}
	return p.plan.Changes
}

// writes says whether there is something to write that can be written.
func (p *policyView) writes() bool { return p != nil && p.plan.Writes }

// unwritable says what of the changes cannot be written, and what to do about it; empty if all can be.
func (p *policyView) unwritable() string {
	switch {
	case p == nil:
		return ""
	case p.plan.Refusal != "":
		return p.plan.Refusal
	}
	refused := slices.DeleteFunc(slices.Clone(p.in.Refused), func(member string) bool { return slices.Contains(p.unseen, member) })
	if len(refused) == 0 {
		return ""
	}
	return fmt.Sprintf("Google does not accept %s (status.iam.refused has its words); all else is granted. Correct or remove it; once it exists, ask for "+
		"another try with the annotation %s", list(refused), v1alpha1.ReconcileRequestedAtAnnotation)
}

// awaits says what is waited for; empty for nothing.
func (p *policyView) awaits() string {
	switch {
	case p == nil:
		return ""
	case len(p.unseen) == 0:
		return p.waits
	}
	unseen := list(p.unseen) + " was created a moment ago, and not all of Google knows it yet"
	if p.waits == "" {
		return unseen
	}
	return p.waits + "; " + unseen
}

// replan plans anew after the input has changed.
func (p *policyView) replan(change func(in *iampolicy.Input)) *policyView {
	next := *p
	change(&next.in)
	next.plan = iampolicy.Make(next.in)
	return &next
}

// seePolicy reads the IAM policy and plans what to change, if the manifest speaks of it or has granted something. others are
// the other manifests of the resource.
func (r *Reconciler[T, L]) seePolicy(ctx context.Context, obj T, v view[T, L], others rivals[T]) (view[T, L], error) {
	kind, ok := any(r.kind).(Policied[T])
	if !ok || v.wrongProject {
		return v, nil
	}
	p, err := r.policyInput(ctx, kind, obj, v, others)
	if p == nil || err != nil {
		return v, err
	}
	p.in.Live = unborn
	if v.exists {
		if p.in.Live, err = kind.GetPolicy(ctx, v.ref); err != nil {
			return v, err
		}
	}
	p.plan = iampolicy.Make(p.in)
	v.policy = p
	return v, nil
}

// unborn is the policy of a resource that is yet to be made: what shall be granted is shown, and nothing is written.
var unborn = iampolicy.Policy{Etag: []byte("none yet")}

// policyInput gathers what a plan is made from, but for the live policy; nil if there is nothing to plan.
func (r *Reconciler[T, L]) policyInput(ctx context.Context, kind Policied[T], obj T, v view[T, L], others rivals[T]) (*policyView, error) {
	spec, audit := kind.Policy(obj)
	status := obj.GetCommonStatus().IAM
	if deleting := !obj.GetDeletionTimestamp().IsZero(); deleting {
		if !r.kind.Traits().PolicyOnly || orphans(obj) {
			return nil, nil // the policy goes, or stays, with the resource
		}
		spec, audit = nil, nil
	}
	if spec == nil && status == nil {
		return nil, nil
	}
	in := iampolicy.Input{
		Prefix: "spec.iam", Mode: v1alpha1.IAMAdditive, MaxRemovals: iampolicy.DefaultMaxRemovals,
		AuditConfigs: wantedAudit(audit), Self: r.self(ctx, v.ref.Impersonate),
	}
	if r.kind.Traits().PolicyOnly {
		in.Prefix = "spec"
	}
	if status != nil {
		in.Recorded, in.Pending = grantsOf(status.Grants), grantsOf(status.Pending)
		in.AuditServices, in.Refused = status.AuditServices, stillRefused(obj)
	}
	p := &policyView{}
	if spec != nil {
		in.Managed, in.Mode, in.DeletedPrincipals = true, cmp.Or(spec.Mode, v1alpha1.IAMAdditive), spec.DeletedPrincipals
		in.First = status == nil || status.Mode != in.Mode
		if spec.Safety != nil && spec.Safety.MaxRemovals != nil {
			in.MaxRemovals = int(*spec.Safety.MaxRemovals)
		}
		wanted, err := r.wanted(ctx, obj.GetNamespace(), spec.Bindings)
		if err != nil {
			return nil, err
		}
		in.Wanted, in.Unresolved, p.waits, p.fresh = wanted.grants, len(wanted.missing) > 0, strings.Join(wanted.missing, "; "), wanted.fresh
	}
	if err := r.sharers(ctx, kind, obj, others, &in); err != nil {
		return nil, err
	}
	p.in = in
	return p, nil
}

// self is the e-mail that Google knows us by; empty if that cannot be found out, which the planner is careful with.
func (r *Reconciler[T, L]) self(ctx context.Context, impersonate string) string {
	email, err := r.identities.Identity(ctx, impersonate)
	if err != nil {
		log.FromContext(ctx).V(1).Info("who we are is unknown", "error", err.Error())
	}
	return email
}

// sharers adds what the other manifests of a shared policy say and have done. One that clashes is carried out instead of the
// object, or not at all.
func (r *Reconciler[T, L]) sharers(ctx context.Context, kind Policied[T], obj T, others rivals[T], in *iampolicy.Input) error {
	if !r.kind.Traits().PolicyOnly {
		return nil
	}
	mine := claimOf(kind.Policy(obj))
	for _, other := range others {
		if other.GetCommonSpec().Management == v1alpha1.ManagementObserve || mine.clashes(claimOf(kind.Policy(other))) {
			continue
		}
		recorded := []iampolicy.Grant(nil)
		if status := other.GetCommonStatus().IAM; status != nil {
			recorded = grantsOf(status.Grants)
		}
		in.Shared = append(in.Shared, recorded...)
		spec, audit := kind.Policy(other)
		if spec == nil || !other.GetDeletionTimestamp().IsZero() {
			continue
		}
		for _, config := range audit {
			in.DeclaredServices = append(in.DeclaredServices, config.Service)
		}
		declared, err := r.wanted(ctx, other.GetNamespace(), spec.Bindings)
		if err != nil {
			return err
		}
		if in.Declared = append(in.Declared, declared.grants...); len(declared.missing) > 0 { // then its record alone says whom it means
			in.Declared = append(in.Declared, recorded...)
		}
	}
	return nil
}

// granting says that what differs is the IAM policy in Additive mode, and nothing else: granting is not taking over.
func (v *view[T, L]) granting() bool {
	return len(v.diff.Changes) == 0 && v.policy != nil && v.policy.in.Mode == v1alpha1.IAMAdditive
}

// stillRefused are the members that Google refused for this very manifest, unless another try was asked for.
func stillRefused(obj v1alpha1.Object) []string {
	status := obj.GetCommonStatus()
	if obj.GetAnnotations()[v1alpha1.ReconcileRequestedAtAnnotation] != status.LastHandledReconcileAt {
		return nil
	}
	var members []string
	for _, refusal := range status.IAM.Refused {
		if refusal.Generation == obj.GetGeneration() {
			members = append(members, refusal.Member)
		}
	}
	return members
}

// showPolicy puts into the status what was seen of the policy.
func showPolicy(obj v1alpha1.Object, p *policyView) {
	if p == nil {
		return
	}
	status := obj.GetCommonStatus()
	if status.IAM == nil {
		status.IAM = &v1alpha1.IAMStatus{}
	}
	iam := status.IAM
	iam.Members, iam.Groups, iam.Kept = int64(p.plan.Members), int64(p.plan.Groups), nil
	for _, kept := range p.plan.Kept {
		iam.Kept = append(iam.Kept, v1alpha1.IAMKept{Role: kept.Role, Member: kept.Member, Why: kept.Why})
	}
	for _, gone := range p.plan.Deleted {
		iam.Kept = append(iam.Kept, v1alpha1.IAMKept{Role: gone.Role, Member: gone.Member,
			Why: "the principal was deleted; to remove it set " + p.in.Prefix + ".deletedPrincipals to Remove"})
	}
	iam.Kept = iam.Kept[:min(len(iam.Kept), mostChanges)]
	iam.Refused = slices.DeleteFunc(iam.Refused, func(refusal v1alpha1.IAMRefusal) bool {
		return refusal.Generation != obj.GetGeneration() || !slices.Contains(p.in.Refused, refusal.Member)
	})
}

// holdPolicy records what the manifest has granted, and that it is carried out if nothing of the plan is left to write.
func holdPolicy(obj v1alpha1.Object, p *policyView) {
	if p == nil {
		return
	}
	showPolicy(obj, p)
	iam := obj.GetCommonStatus().IAM
	if p.plan.Writes || p.plan.Refusal != "" { // it turned out that it may not, or cannot, be written
		iam.Grants, iam.Pending = statusGrants(p.plan.Had), nil
		return
	}
	iam.Grants, iam.Pending, iam.Mode, iam.AuditServices = statusGrants(p.plan.Own), nil, "", nil
	if p.in.Managed {
		iam.Mode = p.in.Mode
	}
	for _, audit := range p.in.AuditConfigs {
		iam.AuditServices = append(iam.AuditServices, audit.Service)
	}
	if !p.in.Managed && len(iam.Grants) == 0 {
		obj.GetCommonStatus().IAM = nil
	}
}

// pendPolicy records, before a write, what it is about to grant; what it revokes stays recorded until it is gone.
func pendPolicy(obj v1alpha1.Object, p *policyView) {
	if p == nil {
		return
	}
	showPolicy(obj, p)
	iam := obj.GetCommonStatus().IAM
	iam.Grants, iam.Pending = statusGrants(p.plan.Had), statusGrants(p.plan.Add)
	for _, audit := range p.in.AuditConfigs { // those that leave stay recorded until they are reset
		if !slices.Contains(iam.AuditServices, audit.Service) {
			iam.AuditServices = append(iam.AuditServices, audit.Service)
		}
	}
}

// refuse notes a member that Google does not accept, and plans without it; ok is false if the error names none that was to be
// granted.
func refuse(obj v1alpha1.Object, p *policyView, err error) (without *policyView, ok bool) {
	named, ok := gcp.RefusedMember(err)
	if !ok {
		return p, false
	}
	var refused []string
	for _, g := range p.plan.Add {
		if gcp.IsMember(g.Member, named) && !slices.Contains(refused, g.Member) {
			refused = append(refused, g.Member)
		}
	}
	if len(refused) == 0 {
		return p, false
	}
	iam, next := obj.GetCommonStatus().IAM, *p
	for _, member := range refused {
		if slices.Contains(p.fresh, member) {
			next.unseen = append(slices.Clone(next.unseen), member)
			continue
		}
		if len(iam.Refused) == mostChanges { // one that status has no room for is tried again with each look
			continue
		}
		refusal := v1alpha1.IAMRefusal{Member: member, Message: cut(gcp.Classify(err).Message), Generation: obj.GetGeneration()}
		iam.Refused = append(iam.Refused, refusal)
	}
	return next.replan(func(in *iampolicy.Input) { in.Refused = append(slices.Clone(in.Refused), refused...) }), true
}
