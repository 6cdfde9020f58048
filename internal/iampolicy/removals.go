package iampolicy

import (
	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// removals are the live grants that the manifest does not want: its own that left it, those of others where it owns the role, and
// those of deleted principals if they should go. The interlocks have not been applied yet.
func (s *survey) removals() []Grant {
	if s.Unresolved {
		return nil // the unresolved references may be among them
	}
	out := grantSet{}
	for g := range s.live.grants {
		if s.leaves(g) {
			out.add(g)
		}
	}
	return out.sorted()
}

// leaves says whether the manifest does not want a live grant.
func (s *survey) leaves(g Grant) bool {
	if s.wanted.has(g) || s.declared.has(g) {
		return false
	}
	was, deleted := whoWas(g.Member)
	if !deleted {
		return s.own.has(g) || s.ownsRole(g.Role)
	}
	if s.DeletedPrincipals == v1alpha1.IAMDeletedPrincipalsRemove && (s.roles[g.Role] || s.ownsRole(g.Role)) {
		return true
	}
	own := Grant{Role: g.Role, Member: was, Condition: g.Condition}
	// While the name is live the grant is that of a new principal, and it is not known who made the old one's.
	return s.own.has(own) && !s.wanted.has(own) && !s.declared.has(own) && !s.live.grants.has(own)
}

// deletedAfter are the grants of deleted principals that stay, in the roles that the manifest lists or has granted.
func (s *survey) deletedAfter(revoke []Grant) []Grant {
	if len(s.live.deleted) == 0 {
		return nil
	}
	removed, roles := setOf(revoke), map[string]bool{}
	for g := range s.own {
		roles[g.Role] = true
	}
	stay := grantSet{}
	for _, grants := range s.live.deleted {
		for _, g := range grants {
			if !removed.has(g) && (s.roles[g.Role] || roles[g.Role] || s.ownsRole(g.Role)) {
				stay.add(g)
			}
		}
	}
	return stay.sorted()
}
