package iampolicy

// Passing says why a live grant is not for a manifest to list which only says what is there: somebody else makes it and takes it away. It
// is empty for a grant that a manifest may list.
func Passing(g Grant) string {
	member := NormalMember(g.Member)
	_, deleted := whoWas(member)
	switch {
	case deleted:
		return "its principal was deleted, and cannot be granted anything"
	case isServiceAgentRole(g.Role):
		return "Google grants this role to its services by itself"
	case isServiceAgent(member) && g.Role == editorRole:
		return "Google grants this to its own account by itself"
	case g.Condition.Normal().timeBound():
		return "it is for a limited time, by its condition"
	}
	return ""
}

// editorRole is what Google's own accounts get in a project in which their services are enabled.
const editorRole = "roles/editor"
