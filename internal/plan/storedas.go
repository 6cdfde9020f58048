package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// StoredAs are members that Google stores under another name than they were sent: the primary address for an alias, for example. The name is
// empty where Google shows nothing new, because who is meant had the role already.
type StoredAs map[string]string

// storedOtherwise finds what became of the added grants that a policy lacks as Google stored it: of each role and condition, the members that
// were sent and are missing, beside those that are there and were not sent.
func storedOtherwise(added []iampolicy.Grant, sent, stored iampolicy.Policy) StoredAs {
	sentThere, there := membersOf(sent), membersOf(stored)
	missing := map[iampolicy.Grant][]string{}
	for _, g := range added {
		g = g.Normal()
		if _, ok := there[of(g)][g.Member]; !ok {
			missing[of(g)] = append(missing[of(g)], g.Member)
		}
	}
	out := StoredAs{}
	for role, members := range missing {
		slices.Sort(members)
		instead := slices.Sorted(maps.Keys(there[role]))
		instead = slices.DeleteFunc(instead, func(member string) bool { _, ok := sentThere[role][member]; return ok })
		for i, member := range members {
			if out[member] = ""; i < len(instead) {
				out[member] = instead[i]
			}
		}
	}
	return out
}

// stillThere are the own grants that a plan gives up and that are in the policy as Google stored it.
func stillThere(had, own []iampolicy.Grant, stored iampolicy.Policy) []iampolicy.Grant {
	keeps := map[iampolicy.Grant]bool{}
	for _, g := range own {
		keeps[g.Normal()] = true
	}
	there := membersOf(stored)
	var out []iampolicy.Grant
	for _, g := range had {
		g = g.Normal()
		if _, is := there[of(g)][g.Member]; is && !keeps[g] {
			out = append(out, g)
		}
	}
	return out
}

// of is a grant without its member: the role and the condition.
func of(g iampolicy.Grant) iampolicy.Grant {
	return iampolicy.Grant{Role: g.Role, Condition: g.Condition}
}

// membersOf are the members of a policy by role and condition, all in their normal form.
func membersOf(policy iampolicy.Policy) map[iampolicy.Grant]map[string]struct{} {
	out := map[iampolicy.Grant]map[string]struct{}{}
	for _, binding := range policy.Bindings {
		for _, member := range binding.Members {
			g := iampolicy.Grant{Role: binding.Role, Member: member, Condition: binding.Condition}.Normal()
			if out[of(g)] == nil {
				out[of(g)] = map[string]struct{}{}
			}
			out[of(g)][g.Member] = struct{}{}
		}
	}
	return out
}

// rename writes grants with the names that Google stores. A member without one is left out: who is meant has the role already.
func (s StoredAs) rename(grants []iampolicy.Grant) []iampolicy.Grant {
	if len(s) == 0 {
		return grants
	}
	out := make([]iampolicy.Grant, 0, len(grants))
	for _, g := range grants {
		name, renamed := s[iampolicy.NormalMember(g.Member)]
		if renamed {
			g.Member = name
		}
		if g.Member != "" {
			out = append(out, g)
		}
	}
	return out
}

// among are those of the members that grants name.
func (s StoredAs) among(grants []iampolicy.Grant) StoredAs {
	if len(s) == 0 {
		return nil
	}
	out := StoredAs{}
	for _, g := range grants {
		member := iampolicy.NormalMember(g.Member)
		if name, ok := s[member]; ok {
			out[member] = name
		}
	}
	return out
}

// words says what a person should write instead.
func (s StoredAs) words() string {
	var said []string
	for _, member := range slices.Sorted(maps.Keys(s)) {
		if name := s[member]; name != "" {
			said = append(said, fmt.Sprintf("%s as %s", member, name))
		} else {
			said = append(said, member+" under another name, which has the role already")
		}
	}
	return "Google stores " + List(said) + ": write it in the manifest as Google does"
}

func storedAsOf(status []v1alpha1.IAMStoredAs) StoredAs {
	if len(status) == 0 {
		return nil
	}
	out := StoredAs{}
	for _, s := range status {
		out[s.Member] = s.Name
	}
	return out
}

func (s StoredAs) status() []v1alpha1.IAMStoredAs {
	var out []v1alpha1.IAMStoredAs
	for _, member := range slices.Sorted(maps.Keys(s)) {
		out = append(out, v1alpha1.IAMStoredAs{Member: member, Name: s[member]})
	}
	return out
}
