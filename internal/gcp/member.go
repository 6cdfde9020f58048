package gcp

import (
	"fmt"
	"regexp"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/anypb"
)

// refusedSentences are Google's messages about which member of an IAM policy (the group) it rejects.
var refusedSentences = []*regexp.Regexp{
	// "Service account ann@p.iam.gserviceaccount.com does not exist.", and the same of a user, a group, a domain.
	regexp.MustCompile(`(?i)\b(?:service account|user|group|domain|principal(?: set)?|account|member) "?([^\s"]+)"? does not exist`),
	// `Principal ann@example.com is of type "user". The principal should appear as "user:ann@example.com".`, and
	// "The member ann@example.com is of an unknown type."
	regexp.MustCompile(`(?i)\b(?:principal|account|member) "?([^\s"]+)"? is of (?:type|an unknown type)`),
	// An organization policy, in the details. It calls all of them users.
	regexp.MustCompile(`(?i)\buser "?([^\s"]+)"? is not in permitted organization`),
	// GKE's pool of a project that has no cluster with Workload Identity.
	regexp.MustCompile(`Identity Pool does not exist \(([^)\s]+)\)`),
	// Public access prevention, which is about everybody with a Google account as well.
	regexp.MustCompile(`member bindings (allUsers) and allAuthenticatedUsers are not allowed`),
	// What is no e-mail of anybody: "Invalid service account (ann@p).", "Unknown user: ann@example.com".
	regexp.MustCompile(`(?i)\b(?:invalid|unknown) (?:service account|user|group|domain|principal|member|email address):? [("']?([^\s"')]+[@.:][^\s"').]+(?:\.[^\s"').]+)*)`),
	// As refusedGrants has it.
	regexp.MustCompile(`\(([^\s()]+:[^\s()]+) cannot be granted `),
}

// RefusedMember returns the member of an IAM policy that Google rejects, if the error is about one: because it does not exist, because
// of its type, because an organization policy forbids it. It is as Google names it, often without a prefix such as user:; IsMember
// says whether it is a given member.
func RefusedMember(err error) (named string, ok bool) {
	if !IsInvalid(err) && !IsDenied(err) {
		return "", false
	}
	message := Classify(err).Message
	for _, sentence := range refusedSentences {
		if match := sentence.FindStringSubmatch(message); match != nil {
			return match[1], true
		}
	}
	return "", false
}

// IsMember says whether a member of a policy, such as user:ann@example.com, is the one that Google named. A pool of
// Kubernetes service accounts (p.svc.id.goog) stands for each of its accounts, and allUsers for allAuthenticatedUsers too.
func IsMember(member, named string) bool {
	if named == "allUsers" && member == "allAuthenticatedUsers" {
		return true
	}
	_, bare, typed := strings.Cut(member, ":")
	pool, _, pooled := strings.Cut(bare, "[")
	return strings.EqualFold(member, named) || typed && strings.EqualFold(bare, named) || pooled && strings.EqualFold(pool, named)
}

// refusedGrants are the grants that Resource Manager rejects when its message is only "Request contains an invalid argument.": mostly
// owners, who would have to be invited. The details have a type that the client library does not know, a ProjectIamPolicyError with a
// member, a role and a reason.
func refusedGrants(details []*anypb.Any) []string {
	var grants []string
	for _, detail := range details {
		if !strings.HasSuffix(detail.GetTypeUrl(), ".ProjectIamPolicyError") {
			continue
		}
		var member, role, reason string
		for _, text := range texts(detail.GetValue()) {
			switch {
			case strings.Contains(text, "roles/"):
				role = text
			case strings.Contains(text, ":"):
				member = text
			default:
				reason = text
			}
		}
		if member != "" {
			grants = append(grants, strings.TrimSuffix(fmt.Sprintf("(%s cannot be granted %s: %s", member, role, reason), ": ")+")")
		}
	}
	return grants
}

// texts are the strings in a message whose type is not known.
func texts(message []byte) []string {
	var found []string
	for len(message) > 0 {
		_, kind, size := protowire.ConsumeField(message)
		if size < 0 {
			break
		}
		if kind == protowire.BytesType {
			_, _, tag := protowire.ConsumeTag(message)
			text, _ := protowire.ConsumeString(message[tag:])
			found = append(found, text)
		}
		message = message[size:]
	}
	return found
}
