package policy

import (
	"regexp"
	"slices"
	"strings"
)

// basicRoles are on every resource.
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
	name, predefined := strings.CutPrefix(role, "roles/")
	if !predefined {
		return nil
	}
	service, _, ofService := strings.Cut(name, ".")
	switch {
	case basicRoles[role], ofService && (r.Roles == nil || slices.Contains(r.Roles, service)) && !strings.Contains(name, "_withcond_"):
		return nil
	case r.Roles == nil && !ofService && name == "browser":
		return nil
	default:
		return invalid("Role %s is not supported for this resource.", role)
	}
}
