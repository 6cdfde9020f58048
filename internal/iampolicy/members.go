package iampolicy

import (
	"regexp"
	"strings"
)

// folded are the prefixes of members, and whether what follows them is case-insensitive.
// https://cloud.google.com/iam/docs/principal-identifiers
var folded = map[string]bool{
	"user": true, "group": true, "domain": true, "serviceAccount": true,
	"projectOwner": false, "projectEditor": false, "projectViewer": false,
	"principal": false, "principalSet": false, "principalHierarchy": false, "deleted": false,
}

const deletedPrefix = "deleted:"

// NormalMember is a member in the form in which all its spellings are compared: prefixes as Google writes them, e-mails and domains
// in lower case.
func NormalMember(member string) string {
	prefix, value, ok := strings.Cut(member, ":")
	if !ok {
		return normalPublic(member)
	}
	name := normalPrefix(prefix)
	if name == "deleted" {
		return deletedPrefix + NormalMember(value)
	}
	if folded[name] && !strings.Contains(value, "[") { // P.svc.id.goog[NAMESPACE/NAME] is not an e-mail
		value = lower(value)
	}
	if name == prefix && strings.HasSuffix(member, value) {
		return member // most are, and cost nothing
	}
	return name + ":" + value
}

func normalPrefix(prefix string) string {
	if _, ok := folded[prefix]; ok {
		return prefix
	}
	for name := range folded {
		if lower(name) == lower(prefix) {
			return name
		}
	}
	return prefix
}

func normalPublic(member string) string {
	for _, public := range []string{"allUsers", "allAuthenticatedUsers"} {
		if lower(member) == lower(public) {
			return public
		}
	}
	return member
}

// lower converts ASCII letters to lower case, and no others: look-alikes must stay different.
func lower(text string) string {
	for i := range len(text) {
		if isUpper(text[i]) {
			return lowerFrom(i, []byte(text))
		}
	}
	return text
}

func lowerFrom(first int, text []byte) string {
	for i := first; i < len(text); i++ {
		if isUpper(text[i]) {
			text[i] += 'a' - 'A'
		}
	}
	return string(text)
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// whoWas says which principal a deleted member, in its normal form, was: deleted:user:E-MAIL?uid=N for user:E-MAIL. A new
// principal of that name is another one.
func whoWas(member string) (was string, deleted bool) {
	rest, deleted := strings.CutPrefix(member, deletedPrefix)
	was, _, _ = strings.Cut(rest, "?uid=")
	return was, deleted
}

// serviceAgent matches Google's own accounts in projects. Their names "are subject to change", so in doubt an account counts as one.
// https://cloud.google.com/iam/docs/service-agents
var serviceAgent = regexp.MustCompile(`^serviceAccount:(` +
	`service-([pfo]|org-|folder-)?[0-9]+@.+` +
	`|.+@gcp-sa-[^@]+` +
	`|[0-9]+@(cloudservices|cloudbuild)` +
	`|project-[0-9]+@storage-transfer-service\.iam` +
	`|bq-[0-9]+@bigquery-encryption\.iam` +
	`|firebase-service-account@firebase-sa-management\.iam` +
	`|[^@]+@system` +
	`)\.gserviceaccount\.com$`)

// isServiceAgent says whether a member, in its normal form, is a service agent.
func isServiceAgent(member string) bool { return serviceAgent.MatchString(member) }

// isServiceAgentRole says whether a role is one that Google itself grants, to a service agent.
func isServiceAgentRole(role string) bool { return strings.HasSuffix(lower(role), "serviceagent") }

// isIndirect says whether a member, in its normal form, stands for others who are not named.
func isIndirect(member string) bool {
	switch prefix, _, _ := strings.Cut(member, ":"); prefix {
	case "group", "domain", "principalSet", "principalHierarchy", "projectOwner", "projectEditor", "projectViewer":
		return true
	default:
		return false
	}
}

// isPerson says whether a member, in its normal form, is the user or service account with an e-mail, which is in lower case.
func isPerson(member, email string) bool {
	prefix, value, _ := strings.Cut(member, ":")
	return email != "" && value == email && (prefix == "user" || prefix == "serviceAccount")
}
