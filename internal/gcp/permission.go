package gcp

import (
	"regexp"

	"github.com/googleapis/gax-go/v2/apierror"
)

// deniedSentences are Google's messages about which permission (group permission) is missing on what (group resource).
var deniedSentences = []*regexp.Regexp{
	// Most services, and Cloud Storage as its second sentence.
	regexp.MustCompile(`Permission '(?P<permission>[^']+)' denied on resource(?: '(?P<resource>[^']+)')?`),
	// Resource Manager and others in front of it.
	regexp.MustCompile(`(?i)required ['"](?P<permission>[^'"]+)['"] permission(?:\(s\))? for ['"](?P<resource>[^'"]+)['"]`),
	// IAM.
	regexp.MustCompile(`Permission (?P<permission>[a-z]\w*(?:\.\w+)+) is required to perform this operation on (?:the )?(?:service account |project )?(?P<resource>[\w/@.:-]*[\w/])`),
	// Cloud Storage.
	regexp.MustCompile(`does not have (?P<permission>[a-z]\w*(?:\.\w+)+) access to (?:the Google Cloud [\w ]+|(?P<resource>[^\s.]+))\.`),
	// Pub/Sub, of a project that is missing or hidden.
	regexp.MustCompile(`(?P<permission>)Requested project not found or user does not have access to it \(project=(?P<resource>[^)]+)\)`),
}

// missingPermission returns the permission that Google says is missing and the resource it is missing on, each empty if
// Google does not say.
func missingPermission(message string, details apierror.ErrDetails) (permission, resource string) {
	metadata := details.ErrorInfo.GetMetadata()
	permission, resource = metadata["permission"], metadata["resource"]
	for _, sentence := range deniedSentences {
		match := sentence.FindStringSubmatch(message)
		if match == nil {
			continue
		}
		if permission == "" {
			permission = match[sentence.SubexpIndex("permission")]
		}
		if resource == "" {
			resource = match[sentence.SubexpIndex("resource")]
		}
	}
	if resource == "" {
		resource = details.ResourceInfo.GetResourceName()
	}
	return tidy(permission), tidy(resource)
}
