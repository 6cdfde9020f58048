package plugin

import (
	"slices"

	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// withGrant is a policy with a grant more.
func withGrant(policy iampolicy.Policy, role, member string) iampolicy.Policy {
	policy.Bindings = append(slices.Clone(policy.Bindings), iampolicy.Binding{Role: role, Members: []string{member}})
	return policy
}

// withoutMember is a policy without all grants of a member.
func withoutMember(policy iampolicy.Policy, member string) iampolicy.Policy {
	bindings := slices.Clone(policy.Bindings)
	for i, b := range bindings {
		bindings[i].Members = slices.DeleteFunc(slices.Clone(b.Members), func(m string) bool { return m == member })
	}
	policy.Bindings = bindings
	return policy
}
