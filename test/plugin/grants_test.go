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
