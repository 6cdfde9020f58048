package iampolicy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const ownerRole = "roles/owner"

// interlock divides removals into those that may go and those that are kept.
func (s *survey) interlock(removals, additions []Grant) (revoke []Grant, kept []Kept) {
	for _, g := range removals {
		if why := s.keeps(g); why != "" {
			kept = append(kept, Kept{g, why})
		} else {
			revoke = append(revoke, g)
		}
	}
	if !s.leavesNoOwner(revoke, additions) {
		return revoke, kept
	}
	revoke = slices.DeleteFunc(revoke, func(g Grant) bool {
		if isOwner(g) {
			kept = append(kept, Kept{g, "nobody would be left in " + ownerRole + ": grant it to somebody else first, or remove it by hand if it should go"})
		}
		return isOwner(g)
	})
	slices.SortFunc(kept, func(a, b Kept) int { return compareGrants(a.Grant, b.Grant) })
	return revoke, kept
}

// keeps says why a live grant is kept, and how a person can remove it; empty if it may go. A grant that the manifest made itself
// may always go, unless Holdfast or a service would lose what it cannot do without.
func (s *survey) keeps(g Grant) string {
	if _, deleted := whoWas(g.Member); deleted {
		return "" // nobody has access through it
	}
	agent := isServiceAgent(g.Member)
	switch own := s.own.has(g); {
	case s.self.carries(g.Member), s.OfSelf && ReachesAccounts(g.Role) && (isPooled(g.Member) || isIndirect(g.Member)):
		return "Holdfast itself has its access through it: remove it by hand if it should go"
	case agent && (!own || isServiceAgentRole(g.Role)):
		return "the member is a service agent, one of Google's own accounts, and its service may fail without it: list it, or remove it by hand if it should go"
	case !own && isServiceAgentRole(g.Role):
		return "the role is one that Google grants to its services, which may fail without it: list it, or remove it by hand if it should go"
	case !own && g.Condition.timeBound():
		return "somebody else granted it for a limited time, by its condition: let it expire, list it, or remove it by hand if it should go"
	default:
		return ""
	}
}

func isOwner(g Grant) bool {
	_, deleted := whoWas(g.Member)
	return g.Role == ownerRole && g.Condition == (Condition{}) && !deleted
}

// leavesNoOwner says whether the last owners would be removed.
func (s *survey) leavesNoOwner(revoke, additions []Grant) bool {
	gone := 0
	for _, g := range revoke {
		if isOwner(g) {
			gone++
		}
	}
	if gone == 0 || slices.ContainsFunc(additions, isOwner) {
		return false
	}
	owners := 0
	for g := range s.live.grants {
		if isOwner(g) {
			owners++
		}
	}
	return gone == owners
}

// hold says why a person must approve the removals first; empty if nobody needs to.
func (s *survey) hold(revoke []Grant) string {
	var does []string
	if len(revoke) > s.MaxRemovals {
		limit := cmp.Or(s.LimitedBy, s.Prefix+".safety.maxRemovals")
		does = append(does, fmt.Sprintf("removes %s from their roles, and %s is %d", members(len(revoke)), limit, s.MaxRemovals))
	}
	if owners := removesOwners(revoke); owners != "" {
		does = append(does, owners)
	}
	if len(revoke) > 0 && s.First && s.authoritative() {
		does = append(does, fmt.Sprintf("is the first with %s.mode %s that removes anything", s.Prefix, s.Mode))
	}
	if indirect := s.mayCarrySelf(revoke); len(indirect) > 0 {
		does = append(does, fmt.Sprintf("removes %s, through which Holdfast may have its access, since %s itself is granted nothing in this policy",
			phrases(indirect, Grant.String), s.Self.Email))
	}
	if len(does) == 0 {
		return ""
	}
	return "this " + strings.Join(does, "; and it ")
}

// removesOwners says whom removals remove from the owners; empty for nobody.
func removesOwners(revoke []Grant) string {
	owners := matching(revoke, func(g Grant) bool { return g.Role == ownerRole })
	if len(owners) == 0 {
		return ""
	}
	return "removes " + names(owners) + " from " + ownerRole
}

// mayCarrySelf are grants of others through which Holdfast may have its access, because the policy names it nowhere. Holdfast had
// its access before the manifest granted anything.
func (s *survey) mayCarrySelf(revoke []Grant) []Grant {
	indirect := matching(revoke, func(g Grant) bool { return isIndirect(g.Member) && !s.own.has(g) })
	if len(indirect) == 0 || s.live.grantedTo(s.Self.Email) {
		return nil
	}
	return indirect
}

// refuseRemovals says why the removals cannot be written; empty if they can.
func (s *survey) refuseRemovals(revoke []Grant, next Policy) string {
	others := matching(revoke, func(g Grant) bool {
		_, deleted := whoWas(g.Member)
		return !deleted && !s.own.has(g)
	})
	switch {
	case len(others) == 0:
		return ""
	case s.Self.Email == "" || s.Self.Incomplete:
		return fmt.Sprintf("this removes %s, and Holdfast does not know its own identity, so it might remove its own access: "+
			"list what should stay, set %s.mode to %s, or set --gcp-identity to Holdfast's own e-mail", phrases(others, Grant.String), s.Prefix, v1alpha1.IAMAdditive)
	case !s.leavesAnything(next):
		return fmt.Sprintf("this would leave the policy empty, and nobody would have access through it: list in %s.bindings what should be granted", s.Prefix)
	default:
		return ""
	}
}

// leavesAnything says whether anything is left of a policy; if the manifest owns it all, whether anything wanted is left.
func (s *survey) leavesAnything(next Policy) bool {
	for _, b := range next.Bindings {
		if s.Mode != v1alpha1.IAMAuthoritative && len(b.Members) > 0 {
			return true
		}
		condition := b.Condition.Normal()
		for _, m := range b.Members {
			if s.wanted.has(Grant{b.Role, NormalMember(m), condition}) {
				return true
			}
		}
	}
	return false
}
