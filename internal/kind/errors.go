package kind

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Class says what can be done about a failed call.
type Class string

// The classes. A failure that fits none of the others is Unavailable.
const (
	// NotFound: the resource does not exist. A missing project, or one that may not be seen, is Denied instead, because
	// it says nothing about the resource.
	NotFound Class = "NotFound"
	// AlreadyExists: something has that name.
	AlreadyExists Class = "AlreadyExists"
	// Conflict: the resource changed between reading and writing (etag, metageneration). Read again and plan again.
	Conflict Class = "Conflict"
	// NotEmpty: the resource that should be deleted has contents.
	NotEmpty Class = "NotEmpty"
	// Retained: a hold or a retention keeps contents from being deleted.
	Retained Class = "Retained"
	// Throttled: too many calls. Retry after RetryAfter.
	Throttled Class = "Throttled"
	// QuotaExceeded: Google allows no more of the resource. Waiting does not help.
	QuotaExceeded Class = "QuotaExceeded"
	// Denied: a permission is missing, an organization policy forbids it, an API or an account is disabled.
	Denied Class = "Denied"
	// Invalid: Google rejected the request, and would reject it again.
	Invalid Class = "Invalid"
	// Unavailable: no answer, or none to rely on. A write may or may not have happened.
	Unavailable Class = "Unavailable"
)

// Error is a failed call to Google Cloud. internal/gcp makes one of whatever Google's clients return.
type Error struct {
	// Class says what can be done about it.
	Class Class
	// Permission is the missing permission, such as storage.buckets.get. Empty if Google does not name it, or nothing is
	// Denied.
	Permission string
	// Resource is what the permission is missing on, such as projects/p/topics/t. Empty if Google does not name it.
	Resource string
	// Roles are those that a write may not grant or revoke, where that is why it is Denied and whoever wrote knows them.
	Roles string
	// Denial says why it is Denied, if not for want of Permission; the zero value where that is not known, or nothing is Denied.
	Denial Denial
	// RetryAfter is how long to wait before a retry, at most an hour. 0 if Google does not say.
	RetryAfter time.Duration
	// Ours says that Holdfast itself refused the call to keep within its own limits: nothing was sent.
	Ours bool
	// Message is Google's own sentence, without the wrapping that the layers in between have added. The same failure gives
	// the same message. Never empty, and at most 1,000 bytes of UTF-8 on one line.
	Message string
	// Err is the error as it was returned.
	Err error
}

// Denial says why a call is denied.
type Denial struct {
	// Wrong says what is wrong, and where; Advice what to do. In both, {project} stands for the project of the resource, {account} for whom
	// the call was made as, and {roles} for Error.Roles.
	Wrong, Advice string
}

// MissingPermission is the denial for want of Error.Permission on Error.Resource.
var MissingPermission = Denial{
	Wrong:  "permission {permission} is missing on {resource}",
	Advice: "Grant a role that has it to {account}; if it has one already, an IAM deny policy takes it away",
}

// Explain says what is wrong and what to do, with Google's own words; those alone where no more is known. Both project and account may be
// empty where they are unknown.
func (e *Error) Explain(project, account string) string {
	denial := e.Denial
	if denial == (Denial{}) && e.Permission != "" {
		denial = MissingPermission
	}
	if denial == (Denial{}) {
		return e.Message
	}
	fill := strings.NewReplacer(
		"{project}", cmp.Or(project, "PROJECT_ID"), "{account}", cmp.Or(account, "Holdfast's service account"),
		"{roles}", cmp.Or(e.Roles, "Google does not say which"),
		"{permission}", e.Permission, "{resource}", cmp.Or(e.Resource, "the resource or its project"))
	return fmt.Sprintf("%s. %s. Google says: %s", fill.Replace(denial.Wrong), fill.Replace(denial.Advice), e.Message)
}

// Error returns the text of the error as it was returned, with all that was wrapped around it.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Err.Error()
}

// Unwrap returns the error as it was returned.
func (e *Error) Unwrap() error { return e.Err }
