package iampolicy

import (
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/internal/diff"
)

// Danger is how much a change of a policy deserves to be looked at.
type Danger int

// The dangers.
const (
	// Ordinary is every other change.
	Ordinary Danger = iota
	// Removes takes a role from somebody.
	Removes
	// Lets gives somebody a role that may be an administrator's, or act as others. Custom roles may have any permission.
	Lets
	// LetsAll gives everybody a role, or anybody a basic role that writes, or takes that away.
	LetsAll
)

// DangerOf is how much a change of a policy deserves to be looked at, by the path that the plan has given it.
func DangerOf(c diff.Change) Danger {
	role, member, ok := grantOf(c.Path)
	switch {
	case !ok && c.To == "", ok && c.To == "" && !isBasic(role):
		return Removes
	case !ok:
		return Ordinary
	case isBasic(role), member == "allUsers", member == "allAuthenticatedUsers":
		return LetsAll
	case isPowerful(role):
		return Lets
	default:
		return Ordinary
	}
}

// grantOf are role and member in the path of a grant; see Grant.path.
func grantOf(path string) (role, member string, ok bool) {
	_, rest, ok := strings.Cut(path, ".bindings[")
	role, member, found := strings.Cut(rest, "].members[")
	role, _, _ = strings.Cut(role, " if ")
	return role, strings.TrimSuffix(member, "]"), ok && found
}

func isBasic(role string) bool { return role == ownerRole || role == "roles/editor" }

// isPowerful goes by the names that Google gives, for the order alone in which changes are shown: what is refused goes by ReachesAccounts.
func isPowerful(role string) bool {
	name, predefined := strings.CutPrefix(role, "roles/")
	if !predefined {
		return true
	}
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"admin", "owner", "editor", "security", "iam.", "setiampolicy"}, func(word string) bool {
		return strings.Contains(name, word)
	})
}
