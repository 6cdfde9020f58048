package iampolicy

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Grant is one member having one role. Grants in their normal form are equal exactly if they mean the same.
type Grant struct {
	// Role is roles/NAME, projects/P/roles/NAME or organizations/N/roles/NAME.
	Role string
	// Member is the principal that has the role, as Google writes it: user:E-MAIL and so on.
	Member string
	// Condition limits the grant.
	Condition Condition
}

// Normal is the grant as all spellings of it are compared.
func (g Grant) Normal() Grant {
	return Grant{Role: g.Role, Member: NormalMember(g.Member), Condition: g.Condition.Normal()}
}

// path is the path of a grant in its normal form, in a manifest.
func (g Grant) path(prefix string) string {
	role := g.Role
	if g.Condition != (Condition{}) {
		role += " if " + g.Condition.Title + " #" + g.Condition.digest()
	}
	return prefix + ".bindings[" + role + "].members[" + g.Member + "]"
}

func (g Grant) String() string { return g.Member + " in " + g.Role }

func compareGrants(a, b Grant) int {
	return cmp.Or(strings.Compare(a.Role, b.Role), compareConditions(a.Condition, b.Condition), strings.Compare(a.Member, b.Member))
}

// grantSet are grants in their normal form.
type grantSet map[Grant]struct{}

func setOf(grants []Grant) grantSet {
	set := make(grantSet, len(grants))
	for _, g := range grants {
		set.add(g.Normal())
	}
	return set
}

func (s grantSet) add(g Grant) { s[g] = struct{}{} }

func (s grantSet) has(g Grant) bool {
	_, ok := s[g]
	return ok
}

// sorted is nil if there are none.
func (s grantSet) sorted() []Grant {
	return slices.SortedFunc(maps.Keys(s), compareGrants)
}
