package policy

import (
	"regexp"
	"strings"
)

// The types of members.
const (
	userType           = "user"
	groupType          = "group"
	domainType         = "domain"
	serviceAccountType = "serviceAccount"
	principalType      = "principal"
	principalSetType   = "principalSet"
)

// The members that stand for the public.
const (
	allUsers              = "allUsers"
	allAuthenticatedUsers = "allAuthenticatedUsers"
)

// IsPublic reports whether a member is everybody.
func IsPublic(member string) bool { return member == allUsers || member == allAuthenticatedUsers }

// member is one member of a binding, read.
type member struct {
	// kind is the type, such as "user"; empty for the public.
	kind string
	// value is what follows the type; e-mail addresses and domains are in
	// lower case.
	value string
	// deleted is set for the form "deleted:TYPE:VALUE?uid=UID".
	deleted bool
	uid     string
}

// String is the member in the form that policies show.
func (m member) String() string {
	text := m.value
	if m.kind != "" {
		text = m.kind + ":" + m.value
	}
	if m.deleted {
		return "deleted:" + text + "?uid=" + m.uid
	}
	return text
}

// public reports whether the member is everybody.
func (m member) public() bool { return m.kind == "" }

var (
	emailPattern  = regexp.MustCompile(`^[^@\s]+@[a-z0-9-]+(\.[a-z0-9-]+)+$`)
	domainPattern = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)
	// workloadPattern is a Kubernetes service account, PROJECT.svc.id.goog[NAMESPACE/NAME], or a fleet's, with hub for svc.
	workloadPattern = regexp.MustCompile(`^[a-z0-9.:-]+\.(?:svc|hub)\.id\.goog\[[^/\[\]\s]+/[^/\[\]\s]+\]$`)
	// resourcePattern is what follows principal: and principalSet:.
	resourcePattern = regexp.MustCompile(`^//[a-z0-9.-]+/[^\r\n\t]*\S$`)
	uidPattern      = regexp.MustCompile(`^[0-9]+$`)
)

// parseMember reads a member as a policy has it.
func parseMember(text string) (member, error) {
	if IsPublic(text) {
		return member{value: text}, nil
	}
	rest, deleted := strings.CutPrefix(text, "deleted:")
	kind, value, typed := strings.Cut(rest, ":")
	if !typed || value == "" {
		return member{}, invalid(`Policy members must be of the form "<type>:<value>".`)
	}
	m := member{kind: kind, value: value, deleted: deleted}
	if deleted {
		var marked bool
		if m.value, m.uid, marked = strings.Cut(value, "?uid="); !marked || !uidPattern.MatchString(m.uid) {
			return member{}, invalid("Invalid deleted member: %s.", text)
		}
	}
	return m.checked(text)
}

// checked brings the value into its usual form and refuses what is none.
func (m member) checked(text string) (member, error) {
	switch m.kind {
	case userType, groupType, domainType:
		m.value = strings.ToLower(m.value)
		pattern := emailPattern
		if m.kind == domainType {
			pattern = domainPattern
		}
		if !pattern.MatchString(m.value) {
			return member{}, invalid("Invalid %s (%s).", m.kind, m.value)
		}
	case serviceAccountType:
		if workloadPattern.MatchString(m.value) {
			return m, nil
		}
		m.value = strings.ToLower(m.value)
		if !emailPattern.MatchString(m.value) {
			return member{}, invalid("Invalid service account (%s).", m.value)
		}
	case principalType, principalSetType:
		if !resourcePattern.MatchString(m.value) {
			return member{}, invalid("Invalid principal (%s).", text)
		}
	case "projectOwner", "projectEditor", "projectViewer":
	default:
		return member{}, invalid("The member %s is of an unknown type. Please set a valid type prefix for the member.", text)
	}
	return m, nil
}
