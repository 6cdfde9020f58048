package plan

import (
	"slices"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// claim is what a manifest makes of a policy that several manifests may share.
type claim struct {
	mode     v1alpha1.IAMMode
	roles    []string
	services []string // whose audit configs it sets
}

func claimOf(spec *v1alpha1.IAMPolicy, audit []v1alpha1.AuditConfig) claim {
	var c claim
	if spec != nil {
		c.mode = spec.Mode
		for _, binding := range spec.Bindings {
			c.roles = append(c.roles, binding.Role)
		}
	}
	for _, config := range audit {
		c.services = append(c.services, config.Service)
	}
	return c
}

// clashes says whether two manifests cannot both be applied: one owns what the other one mentions.
func (c claim) clashes(other claim) bool {
	switch {
	case c.mode == v1alpha1.IAMAuthoritative, other.mode == v1alpha1.IAMAuthoritative:
		return true
	case overlap(c.services, other.services):
		return true
	case c.mode == v1alpha1.IAMAuthoritativeRoles, other.mode == v1alpha1.IAMAuthoritativeRoles:
		return overlap(c.roles, other.roles)
	default:
		return false
	}
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
