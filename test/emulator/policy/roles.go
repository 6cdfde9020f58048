package policy

import (
	"regexp"
	"slices"
	"strings"
)

// basicRoles are on almost every resource.
var basicRoles = map[string]bool{"roles/owner": true, "roles/editor": true, "roles/viewer": true}

var rolePattern = regexp.MustCompile(`^(roles/[A-Za-z0-9_.]+|(projects|organizations)/[a-z0-9.:-]+/roles/[A-Za-z0-9_.]+)$`)

// checkRole refuses what is no role, and what is none for this kind of
// resource. Which roles a service has is not known here: all that begin with
// its name are taken to exist, and all custom ones.
func (r Rules) checkRole(role string) error {
	if !rolePattern.MatchString(role) {
		return invalid(`The role name must be in the form "roles/{role}", "organizations/{organization_id}/roles/{role}", ` +
			`or "projects/{project_id}/roles/{role}".`)
	}
	if name, predefined := strings.CutPrefix(role, "roles/"); predefined && !r.supports(role, name) {
		return invalid("Role %s is not supported for this resource.", role)
	}
	return nil
}

func (r Rules) supports(role, name string) bool {
	if basicRoles[role] {
		return !r.NoBasicRoles
	}
	if strings.Contains(name, hiddenCondition) {
		return false
	}
	service, _, ofService := strings.Cut(name, ".")
	if r.Roles == nil {
		return ofService || name == "browser"
	}
	return ofService && slices.Contains(r.Roles, service)
}
