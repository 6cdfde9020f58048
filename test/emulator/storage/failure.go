package storage

import (
	"fmt"
	"net/http"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// failure is an error as Cloud Storage answers it.
type failure struct {
	status          int
	reason, message string
	domain          string
	// location is what the error is about, if Google says: a parameter or a
	// header.
	locationType, location string
}

func (f *failure) Error() string { return f.message }

func failf(status int, reason, format string, args ...any) *failure {
	return &failure{status: status, reason: reason, message: fmt.Sprintf(format, args...), domain: "global"}
}

// invalidf is the error for a value that Cloud Storage does not take.
func invalidf(format string, args ...any) *failure {
	return failf(http.StatusBadRequest, "invalid", format, args...)
}

// invalidArgument is all that Cloud Storage says about many bad values.
func invalidArgument() *failure { return invalidf("Invalid argument.") }

func requiredParameter(name string) *failure {
	f := failf(http.StatusBadRequest, "required", "Required parameter: %s", name)
	f.locationType, f.location = "parameter", name
	return f
}

func forbiddenf(format string, args ...any) *failure {
	return failf(http.StatusForbidden, "forbidden", format, args...)
}

func conflict(message string) *failure {
	return failf(http.StatusConflict, "conflict", "%s", message)
}

// denied is the error for a caller without the permission of a method.
func denied(method string) *failure { return forbiddenf("%s", traffic.StorageDenied(method)) }

// accountDisabled is the documented error for a project that cannot pay, as one
// that is shut down cannot.
func accountDisabled() *failure {
	f := failf(http.StatusForbidden, "accountDisabled", "The account associated with the project that owns the bucket or object has been disabled.")
	f.locationType, f.location = "header", "Authorization"
	return f
}

func bucketNotFound() *failure {
	return failf(http.StatusNotFound, "notFound", "The specified bucket does not exist.")
}

func objectNotFound(bucket, object string) *failure {
	return failf(http.StatusNotFound, "notFound", "No such object: %s/%s", bucket, object)
}

func conditionNotMet() *failure {
	f := failf(http.StatusPreconditionFailed, "conditionNotMet",
		"At least one of the pre-conditions you specified did not hold.")
	f.locationType, f.location = "header", "If-Match"
	return f
}

// notModified answers a request whose NotMatch condition does not hold; it
// has no body.
func notModified() *failure { return &failure{status: http.StatusNotModified} }

// body is the error as JSON.
func (f *failure) body() document {
	detail := document{"domain": f.domain, "reason": f.reason, "message": f.message}
	if f.location != "" {
		detail["locationType"], detail["location"] = f.locationType, f.location
	}
	return document{"error": document{"code": f.status, "message": f.message, "errors": []any{detail}}}
}
