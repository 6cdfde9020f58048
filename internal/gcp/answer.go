package gcp

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/googleapis/gax-go/v2/apierror"
	"google.golang.org/api/googleapi"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// answer is what Google said, over HTTP or gRPC alike.
type answer struct {
	code codes.Code
	// reasons are Google's codes for what happened: of the JSON APIs (rateLimitExceeded) and of google.rpc.ErrorInfo
	// (RATE_LIMIT_EXCEEDED).
	reasons []string
	message string
	details apierror.ErrDetails
	// grants are those that Resource Manager rejects, see refusedGrants.
	grants     []string
	retryAfter time.Duration
}

// classify turns the answer into an Error about err.
func (a answer) classify(err error) *Error {
	result := &Error{Class: a.class(), RetryAfter: a.retryAfter, Message: a.sentence(), Err: err}
	if result.Class == kind.Denied {
		result.Permission, result.Resource = missingPermission(a.message, a.details)
		result.Denial = a.explained(result.Permission)
	}
	return result
}

// Messages that say more than their code.
var (
	// A service agent lacks a permission, on an encryption key or on a source of messages.
	agentDenied = regexp.MustCompile(`(?i)permission|not authorized`)
	// Cloud Storage answers "forbidden" also to what nobody may ever do.
	locked   = regexp.MustCompile(`(?i)locked retention policy`)
	retained = regexp.MustCompile(`(?i)\bunder active [a-z-]+ hold\b|\bsubject to .*\bretention\b`)
	notEmpty = regexp.MustCompile(`(?i)\bnot empty`)
	// IAM, about an account that is to be undeleted.
	notDeleted   = regexp.MustCompile(`(?i)\bis not deleted`)
	alreadyThere = regexp.MustCompile(`(?i)already (exists|own)|bucket name is not available`)
	// gRPC could not connect. What precedes this differs from call to call.
	dialing = regexp.MustCompile(`Error while dialing: (.*?)"?$`)
	// Cloud Storage answers 412 also where no other metageneration would help.
	unfit = regexp.MustCompile(`enable uniform bucket-level access|not allowed since public access prevention`)
	// Etags differ from one conflict to the next.
	etags = regexp.MustCompile(` The request's ETag .* policy's ETag .*$`)
	// gRPC's message for an answer of something that is not a gRPC server.
	notRPC = regexp.MustCompile(`^unexpected HTTP status code received from server`)
)

// throttling are the reasons that Cloud Storage's JSON API gives with 403 as well as with 429.
// https://cloud.google.com/storage/docs/json_api/v1/status-codes
var throttling = []string{
	"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded", "RATE_LIMIT_EXCEEDED",
}

// retaining are the reasons that Cloud Storage's JSON API gives where an object is under a hold or a retention.
var retaining = []string{"objectUnderActiveHold", "retentionPolicyNotMet"}

func isThrottling(reason string) bool { return slices.Contains(throttling, reason) }

func (a answer) class() kind.Class {
	switch {
	case notRPC.MatchString(a.message):
		return kind.Unavailable
	case a.isFull():
		return kind.QuotaExceeded
	case a.denial(true) != nil:
		return kind.Denied
	}
	switch a.code {
	case codes.NotFound:
		return kind.NotFound
	case codes.AlreadyExists:
		return kind.AlreadyExists
	case codes.Aborted:
		return a.conflict()
	case codes.ResourceExhausted:
		return kind.Throttled
	case codes.PermissionDenied:
		return a.refused()
	case codes.Unauthenticated:
		return kind.Denied
	case codes.FailedPrecondition:
		if agentDenied.MatchString(a.message) {
			return kind.Denied
		}
		if notDeleted.MatchString(a.message) {
			return kind.AlreadyExists
		}
		return kind.Invalid
	case codes.InvalidArgument, codes.OutOfRange, codes.Unimplemented:
		return kind.Invalid
	}
	return kind.Unavailable
}

// conflict distinguishes what HTTP calls 409.
func (a answer) conflict() kind.Class {
	switch {
	case notEmpty.MatchString(a.message):
		return kind.NotEmpty
	case alreadyThere.MatchString(a.message):
		return kind.AlreadyExists
	case unfit.MatchString(a.message):
		return kind.Invalid
	case a.retains():
		return kind.Retained
	}
	return kind.Conflict
}

// refused distinguishes what HTTP calls 403.
func (a answer) refused() kind.Class {
	switch {
	case slices.ContainsFunc(a.reasons, isThrottling):
		return kind.Throttled
	case locked.MatchString(a.message):
		return kind.Invalid
	case a.retains():
		return kind.Retained
	}
	return kind.Denied
}

// retains says that something is under a hold or a retention, which no permission helps against.
func (a answer) retains() bool {
	return retained.MatchString(a.message) || slices.ContainsFunc(a.reasons, func(reason string) bool { return slices.Contains(retaining, reason) })
}

// sentence is the message with what Google says in the details about single fields, and members of an IAM policy.
func (a answer) sentence() string {
	var sentence strings.Builder
	sentence.WriteString(etags.ReplaceAllString(a.message, ""))
	for _, violation := range a.details.BadRequest.GetFieldViolations() {
		if description := violation.GetDescription(); !strings.Contains(a.message, description) {
			fmt.Fprintf(&sentence, " %s: %s", violation.GetField(), description)
		}
	}
	for _, violation := range a.details.PreconditionFailure.GetViolations() {
		if description := violation.GetDescription(); !strings.Contains(a.message, description) {
			fmt.Fprintf(&sentence, " %s", description)
		}
	}
	for _, grant := range a.grants {
		fmt.Fprintf(&sentence, " %s", grant)
	}
	return cmp.Or(tidy(sentence.String()), a.unexplained())
}

// unexplained is the sentence about an answer without any.
func (a answer) unexplained() string {
	for _, reason := range a.reasons {
		if reason != "" {
			return reason + ", without an explanation"
		}
	}
	return a.code.String() + ", without an explanation"
}

// rpcAnswer is the answer of a gRPC API.
func rpcAnswer(st *status.Status) answer {
	a := answer{code: st.Code(), message: st.Message()}
	if match := dialing.FindStringSubmatch(a.message); match != nil {
		a.message = match[1]
	}
	if a.code == codes.DeadlineExceeded && strings.HasSuffix(a.message, context.DeadlineExceeded.Error()) {
		a.message = tooLate
	}
	a.grants = refusedGrants(st.Proto().GetDetails())
	if parsed, ok := apierror.ParseError(st.Err(), false); ok {
		return a.with(parsed.Details())
	}
	return a
}

// httpAnswer is the answer of a JSON API. One without Google's JSON in it comes from something in between, a proxy or a
// wrong endpoint; it says nothing about the resource, its 404 least of all.
func httpAnswer(httpErr *googleapi.Error) answer {
	a := answer{
		code:       httpCode(httpErr),
		message:    httpErr.Message,
		retryAfter: retryAfterHeader(httpErr.Header, time.Now()),
	}
	for _, item := range httpErr.Errors {
		a.reasons = append(a.reasons, item.Reason)
	}
	if httpErr.Message == "" && len(httpErr.Errors) == 0 {
		a.message = strings.TrimSpace(fmt.Sprintf("the endpoint answered %d %s", httpErr.Code, http.StatusText(httpErr.Code)))
		if a.code != codes.ResourceExhausted {
			a.code = codes.Unavailable
		}
		return a
	}
	return a.with(jsonDetails(httpErr))
}

// jsonDetails are the details of an answer of a JSON API. They are read one by one: Google's library drops all of them where the body has
// anything beside, such as the list of errors that Cloud Storage sends.
func jsonDetails(httpErr *googleapi.Error) apierror.ErrDetails {
	answer := &spb.Status{Code: int32(codes.Unknown)}
	lenient := protojson.UnmarshalOptions{DiscardUnknown: true}
	for _, detail := range httpErr.Details {
		var message anypb.Any
		if encoded, err := json.Marshal(detail); err == nil && lenient.Unmarshal(encoded, &message) == nil {
			answer.Details = append(answer.Details, &message)
		}
	}
	parsed, ok := apierror.ParseError(status.ErrorProto(answer), false)
	if !ok {
		return apierror.ErrDetails{}
	}
	return parsed.Details()
}

// with adds what the details say.
func (a answer) with(details apierror.ErrDetails) answer {
	a.details = details
	if info := details.ErrorInfo; info != nil {
		a.reasons = append(a.reasons, info.GetReason())
	}
	if info := details.RetryInfo; info != nil {
		a.retryAfter = max(a.retryAfter, bounded(info.GetRetryDelay().AsDuration()))
	}
	return a
}

// httpCodes are the codes for HTTP statuses, for APIs that do not name them. 409 and 412 are both Aborted: something else exists or
// changed; conflict distinguishes them.
var httpCodes = map[int]codes.Code{
	http.StatusNotModified:        codes.Aborted,
	http.StatusBadRequest:         codes.InvalidArgument,
	http.StatusUnauthorized:       codes.Unauthenticated,
	http.StatusForbidden:          codes.PermissionDenied,
	http.StatusNotFound:           codes.NotFound,
	http.StatusRequestTimeout:     codes.Unavailable,
	http.StatusConflict:           codes.Aborted,
	http.StatusPreconditionFailed: codes.Aborted,
	http.StatusTooManyRequests:    codes.ResourceExhausted,
	http.StatusNotImplemented:     codes.Unimplemented,
}

// namedCodes are those of Google's status names that say more than the HTTP status does.
var namedCodes = map[string]codes.Code{
	"ALREADY_EXISTS":      codes.AlreadyExists,
	"ABORTED":             codes.Aborted,
	"FAILED_PRECONDITION": codes.FailedPrecondition,
}

func httpCode(httpErr *googleapi.Error) codes.Code {
	var body struct {
		Error struct {
			Status string `json:"status"`
		} `json:"error"`
	}
	if json.Unmarshal([]byte(httpErr.Body), &body) == nil {
		if code, ok := namedCodes[body.Error.Status]; ok {
			return code
		}
	}
	if code, ok := httpCodes[httpErr.Code]; ok {
		return code
	}
	if httpErr.Code >= 400 && httpErr.Code < 500 {
		return codes.InvalidArgument
	}
	return codes.Unavailable
}
