package traffic

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
)

// Caller is whom Google's permission errors name: calls to the emulator
// carry no credentials, so that all of them come from one account.
const Caller = "caller@" + callerProject + ".iam.gserviceaccount.com"

const callerProject = "emulator"

// Refusal is an answer that the traffic control gives in a service's place.
type Refusal struct {
	Call Call
	// Status is the HTTP status, such as 429.
	Status int
	// Reason is Google's word for it in JSON errors, such as
	// "rateLimitExceeded"; empty for the usual one of Status.
	Reason string
	// Message is for people; empty for the one that Google sends.
	Message string
	// RetryAfter is when Google says to come back; 0 if it does not.
	RetryAfter time.Duration
	// Details are what Google says besides, for programs; nil for nothing.
	Details *Details
	// Quota is set when the call exceeds one.
	Quota *Quota
}

// Quota is a quota that a call exceeded.
type Quota struct {
	PerMinute     int
	ProjectNumber string
}

// explain returns what Google says in an API whose errors have a gRPC code.
func (r Refusal) explain() string {
	switch {
	case r.Message != "":
		return r.Message
	case r.Status == http.StatusTooManyRequests && r.Quota != nil:
		return fmt.Sprintf("Quota exceeded for quota metric '%s' and limit '%[1]s per minute' of service '%s' for consumer 'project_number:%s'.",
			quotaTitle(r.Call), apiHost(r.Call.Service), r.Quota.ProjectNumber)
	}
	if r.concurrent() {
		return ConcurrentPolicyChanges
	}
	if r.Call.Service == "pubsub" && r.Status == http.StatusForbidden {
		return "User not authorized to perform this action."
	}
	if message, ok := rpcMessages[r.Status]; ok {
		return message
	}
	return http.StatusText(r.Status)
}

// ConcurrentPolicyChanges is what Google says about a policy that is written
// under an etag of the past.
const ConcurrentPolicyChanges = "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff."

// concurrent reports whether the refusal stands for that.
func (r Refusal) concurrent() bool {
	return r.Status == http.StatusConflict && strings.HasSuffix(r.Call.Method, ".SetIamPolicy")
}

// code returns the gRPC code of the refusal.
func (r Refusal) code() codes.Code {
	switch {
	case r.concurrent():
		return codes.Aborted
	case r.Details != nil && r.Details.Violation != "" && r.Status == http.StatusBadRequest:
		return codes.FailedPrecondition
	}
	return RPCCode(r.Status)
}

var rpcMessages = map[int]string{
	http.StatusBadRequest:          "Request contains an invalid argument.",
	http.StatusUnauthorized:        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
	http.StatusForbidden:           "The caller does not have permission",
	http.StatusNotFound:            "Requested entity was not found.",
	http.StatusConflict:            "Requested entity already exists",
	http.StatusTooManyRequests:     "Resource has been exhausted (e.g. check quota).",
	http.StatusInternalServerError: "Internal error encountered.",
	http.StatusServiceUnavailable:  "The service is currently unavailable.",
	http.StatusGatewayTimeout:      "Deadline expired before operation could complete.",
}

// rpcCodes are Google's mapping between HTTP statuses and gRPC codes, in the
// direction in which it is unambiguous enough (google/rpc/code.proto).
var rpcCodes = map[int]codes.Code{
	http.StatusOK:                  codes.OK,
	http.StatusBadRequest:          codes.InvalidArgument,
	http.StatusUnauthorized:        codes.Unauthenticated,
	http.StatusForbidden:           codes.PermissionDenied,
	http.StatusNotFound:            codes.NotFound,
	http.StatusConflict:            codes.AlreadyExists,
	http.StatusTooManyRequests:     codes.ResourceExhausted,
	499:                            codes.Canceled,
	http.StatusInternalServerError: codes.Internal,
	http.StatusNotImplemented:      codes.Unimplemented,
	http.StatusServiceUnavailable:  codes.Unavailable,
	http.StatusGatewayTimeout:      codes.DeadlineExceeded,
}

// httpStatuses are the other direction.
var httpStatuses = map[codes.Code]int{
	codes.OK:                 http.StatusOK,
	codes.Canceled:           499,
	codes.InvalidArgument:    http.StatusBadRequest,
	codes.FailedPrecondition: http.StatusBadRequest,
	codes.OutOfRange:         http.StatusBadRequest,
	codes.Unauthenticated:    http.StatusUnauthorized,
	codes.PermissionDenied:   http.StatusForbidden,
	codes.NotFound:           http.StatusNotFound,
	codes.AlreadyExists:      http.StatusConflict,
	codes.Aborted:            http.StatusConflict,
	codes.ResourceExhausted:  http.StatusTooManyRequests,
	codes.Unimplemented:      http.StatusNotImplemented,
	codes.Unavailable:        http.StatusServiceUnavailable,
	codes.DeadlineExceeded:   http.StatusGatewayTimeout,
}

// RPCCode returns the gRPC code that Google uses for an HTTP status.
func RPCCode(httpStatus int) codes.Code {
	if code, ok := rpcCodes[httpStatus]; ok {
		return code
	}
	return codes.Unknown
}

// HTTPStatus returns the HTTP status that Google uses for a gRPC code.
func HTTPStatus(code codes.Code) int {
	if status, ok := httpStatuses[code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// apiHost returns the host name by which Google's errors call a service.
func apiHost(service string) string {
	if service == "resourcemanager" {
		service = "cloudresourcemanager"
	}
	return service + ".googleapis.com"
}

// quotaTitle names the quota metric of a call as the quota page does.
func quotaTitle(call Call) string {
	switch {
	case call.Service == "pubsub":
		return "Administrator operations"
	case call.IsWrite():
		return "Write requests"
	default:
		return "Read requests"
	}
}

// quotaMetric names the same metric as ErrorInfo does.
func quotaMetric(call Call) string {
	switch {
	case call.Service == "pubsub":
		return "administrator"
	default:
		return strings.ReplaceAll(strings.ToLower(quotaTitle(call)), " ", "_")
	}
}
