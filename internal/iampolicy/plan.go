package iampolicy

import (
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

// DefaultMaxRemovals is how many members a plan may remove from their roles unless the manifest says otherwise.
const DefaultMaxRemovals = 10

// Input is what a plan is made from.
type Input struct {
	// Live is the policy as it was read.
	Live Policy
	// Prefix is where the policy stands in the manifest: spec, or spec.iam.
	Prefix string
	// Mode is how much of the policy the manifest owns.
	Mode v1alpha1.IAMMode
	// Managed says that the manifest manages the policy. If it does not, or no longer, and wants nothing, its recorded grants are
	// revoked, whatever the mode.
	Managed bool
	// Wanted are the grants of the manifest, references resolved.
	Wanted []Grant
	// Unresolved says that references are missing from Wanted. Nothing is removed then.
	Unresolved bool
	// AuditConfigs are those of the manifest. Services that are not among them are unmanaged.
	AuditConfigs []AuditConfig
	// AuditServices are the services that this manifest set before, or was about to. One that left it is reset to no logging.
	AuditServices []string
	// SharedServices are the services that other manifests of the same resource recorded as set by them. Those that are set here too are
	// owned by both, and stay until both have dropped them.
	SharedServices []string
	// DeclaredServices are the services whose audit configs other manifests of the same resource set now. They are not reset.
	DeclaredServices []string
	// Recorded are the grants that this manifest made, by its status.
	Recorded []Grant
	// Pending are the grants that were recorded before the last write and are not confirmed.
	Pending []Grant
	// Declared are the grants that other manifests of the same resource want now. They are never revoked. Own ones among them
	// stay recorded, so that a grant which both manifests drop at once is not left behind.
	Declared []Grant
	// Shared are the grants that other manifests of the same resource recorded as theirs. Those that are wanted here too are
	// owned by both, and stay until both have dropped them.
	Shared []Grant
	// OwnExisting makes the grants and audit configs that are wanted this manifest's own, also those that others made.
	OwnExisting bool
	// DeletedPrincipals says what happens to grants whose principal was deleted. Empty: Keep.
	DeletedPrincipals v1alpha1.IAMDeletedPrincipals
	// MaxRemovals is how many members may be removed from their roles without approval.
	MaxRemovals int
	// LimitedBy is who says that; empty for the manifest, in its safety.maxRemovals.
	LimitedBy string
	// First says that no plan that revokes anything has been applied yet in this mode.
	First bool
	// Self is whom Google Cloud knows this installation as.
	Self Self
	// OfSelf says that the policy is that of an account that the installation acts as, so that it says by whom.
	OfSelf bool
	// Refused are members that Google rejected. They are not added, and still count as a difference.
	Refused []string
}

// Plan is what should happen to a policy.
type Plan struct {
	// Changes are what differs from the manifest, refused members included.
	Changes diff.Changes
	// Writes says whether there is something to write and it can be written.
	Writes bool
	// Next is the policy to write: the live one with the changes. It is the live one if there is nothing to write.
	Next Policy
	// Add and Revoke are the grants by which Next differs from the live policy.
	Add, Revoke []Grant
	// Own are the grants to record as this manifest's once the plan is applied, also if there is nothing to write.
	Own []Grant
	// Had are the grants that are this manifest's until the plan is applied. They are to be recorded before it is written, with Add
	// as pending.
	Had []Grant
	// OwnServices are the services of the manifest whose audit configs are to be recorded as its own before the plan is written, and still are
	// once it is applied: what was set like this by others is not its own.
	OwnServices []string
	// NotOwned are wanted grants that are live and not this manifest's own: they stay once they leave the manifest.
	NotOwned []Grant
	// Kept are the grants that the manifest would remove and the plan does not.
	Kept []Kept
	// Deleted are grants of deleted principals that stay, in the roles that the manifest lists or has granted.
	Deleted []Grant
	// Hold is why a person must approve the plan first. Empty: nobody needs to.
	Hold string
	// Refusal is why the changes cannot be written at all. Empty: they can, or there are none.
	Refusal string
	// Members and Groups count those of the live policy as Google does for its limits.
	Members, Groups int
}

// Kept is a grant that is not removed.
type Kept struct {
	Grant

	// Why says why it is not removed, and how a person can remove it.
	Why string
}

// Make plans the change. It does not modify the input; what does not change is shared with it.
func Make(in Input) Plan {
	s := lookAt(in)
	missing, add := s.additions()
	revoke, kept := s.interlock(s.removals(), add)
	audit, auditChanges, ownServices := planAudit(in)

	is, had := measure(in.Live), s.ownIf(nil, nil)
	plan := Plan{
		Changes: grantChanges(in.Prefix, missing, revoke, auditChanges), Next: in.Live, Own: had, Had: had,
		OwnServices: ownServices, NotOwned: s.notOwned(), Kept: kept, Deleted: s.deletedAfter(nil), Members: is.members, Groups: is.groups,
	}
	if len(add)+len(revoke)+len(auditChanges) == 0 {
		return plan
	}
	next := Policy{Bindings: s.next(add, revoke), AuditConfigs: audit, Etag: in.Live.Etag, Source: in.Live.Source}
	if plan.Refusal = s.refusal(is, next, add, revoke); plan.Refusal != "" {
		return plan
	}
	plan.Writes, plan.Next, plan.Add, plan.Revoke = true, next, add, revoke
	plan.Own, plan.Deleted, plan.Hold = s.ownIf(add, revoke), s.deletedAfter(revoke), s.hold(revoke)
	return plan
}

func grantChanges(prefix string, missing, revoke []Grant, others diff.Changes) diff.Changes {
	changes := slices.Grow(others, len(missing)+len(revoke))
	for _, g := range missing {
		changes = append(changes, diff.Change{Path: g.path(prefix), To: jsonOf(g.Member)})
	}
	for _, g := range revoke {
		changes = append(changes, diff.Change{Path: g.path(prefix), From: jsonOf(g.Member)})
	}
	slices.SortFunc(changes, func(a, b diff.Change) int { return strings.Compare(a.Path, b.Path) })
	return changes
}

// additions are the wanted grants that are not live, and those among them that Google has not rejected.
func (s *survey) additions() (missing, add []Grant) {
	for g := range s.wanted {
		if !s.live.grants.has(g) {
			missing = append(missing, g)
		}
	}
	slices.SortFunc(missing, compareGrants)
	return missing, matching(missing, func(g Grant) bool { return !s.refused[g.Member] })
}

// ownIf are the grants that are this manifest's once add and revoke are applied: of those that it wants, what it granted or would
// grant again, and what it claims of others; and what it granted and no longer wants, as long as that is live.
func (s *survey) ownIf(add, revoke []Grant) []Grant {
	gone, own := setOf(revoke), make([]Grant, 0, len(s.owned)+len(add))
	for _, g := range s.owned {
		if s.wanted.has(g) || s.staysLive(g, gone) {
			own = append(own, g)
		}
	}
	for _, g := range add {
		if !s.own.has(g) {
			own = append(own, g)
		}
	}
	for g := range s.wanted {
		if s.live.grants.has(g) && !s.own.has(g) && s.claims(g) {
			own = append(own, g)
		}
	}
	slices.SortFunc(own, compareGrants)
	return own
}

// claims says whether a live grant that is wanted becomes the manifest's own, though it has not made it: if another manifest owns it too, or if
// all are to.
func (s *survey) claims(g Grant) bool { return s.OwnExisting || s.shared.has(g) }

// notOwned are the live grants that are wanted and do not become the manifest's own.
func (s *survey) notOwned() []Grant {
	others := grantSet{}
	for g := range s.wanted {
		if s.live.grants.has(g) && !s.own.has(g) && !s.claims(g) {
			others.add(g)
		}
	}
	return others.sorted()
}

// staysLive says whether a grant is still live once others are gone, also as that of a deleted principal.
func (s *survey) staysLive(g Grant, gone grantSet) bool {
	if s.live.grants.has(g) {
		return !gone.has(g)
	}
	return slices.ContainsFunc(s.live.deleted[g], func(g Grant) bool { return !gone.has(g) })
}

// refusal says why a policy cannot be written; empty if it can.
func (s *survey) refusal(is size, next Policy, add, revoke []Grant) string {
	if why := s.refuseRemovals(revoke, next); why != "" {
		return why
	}
	will := measure(next)
	if len(add) > 0 || will.members > is.members {
		if why := s.refuseSize(is, will, add, revoke); why != "" {
			return why
		}
	}
	if len(next.Etag) == 0 {
		return "Google returned the policy without an etag, and writing it without one could overwrite a change that somebody else makes at the same time: Holdfast reads it again later"
	}
	return ""
}

// RemovesOwners says whom the plan removes from the owners of a project, which a person has to approve; empty for nobody.
func (p Plan) RemovesOwners() string {
	if owners := removesOwners(p.Revoke); owners != "" {
		return "this " + owners
	}
	return ""
}
