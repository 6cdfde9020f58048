package gcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/storage"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/googleapis/gax-go/v2/apierror"
	"google.golang.org/api/googleapi"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// httpError is the error that Google's client libraries make of an answer.
func httpError(t testing.TB, code int, body string, header ...string) error {
	t.Helper()
	recorder := httptest.NewRecorder()
	for i := 0; i+1 < len(header); i += 2 {
		recorder.Header().Set(header[i], header[i+1])
	}
	recorder.WriteHeader(code)
	_, _ = recorder.WriteString(body)
	err := googleapi.CheckResponse(recorder.Result())
	var httpErr *googleapi.Error
	if parsed, ok := apierror.ParseError(err, false); ok && errors.As(err, &httpErr) {
		httpErr.Wrap(parsed)
	}
	return err
}

// storageBody is an error as the JSON API of Cloud Storage writes it.
func storageBody(code int, reason, message string) string {
	return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"errors":[{"message":%[2]q,"domain":"global","reason":%q}]}}`, code, message, reason)
}

// rpcError is the error that a gRPC client library returns.
func rpcError(t testing.TB, code codes.Code, message string, details ...protoadapt.MessageV1) error {
	t.Helper()
	st, err := status.New(code, message).WithDetails(details...)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, ok := apierror.FromError(st.Err())
	if !ok {
		t.Fatalf("no gRPC error: %v", st)
	}
	return wrapped
}

func quotaFailure(id, description string) *errdetails.QuotaFailure {
	return &errdetails.QuotaFailure{Violations: []*errdetails.QuotaFailure_Violation{{QuotaId: id, Description: description}}}
}

func TestClassify(t *testing.T) {
	const (
		bucketDenied = "ann@p.iam.gserviceaccount.com does not have storage.buckets.get access to the Google Cloud Storage bucket. Permission 'storage.buckets.get' denied on resource (or it may not exist)."
		notFound     = "The specified bucket does not exist."
	)
	cases := map[string]struct {
		err  error
		want Error
	}{
		"bucket not found, as the storage client wraps it": {
			fmt.Errorf("%w: %w", storage.ErrBucketNotExist, httpError(t, 404, storageBody(404, "notFound", notFound))),
			Error{Class: kind.NotFound, Message: notFound},
		},
		"bucket not found, the storage client's own": {
			storage.ErrBucketNotExist,
			Error{Class: kind.NotFound, Message: "storage: bucket doesn't exist"},
		},
		"bucket not found": {
			httpError(t, 404, storageBody(404, "notFound", notFound)),
			Error{Class: kind.NotFound, Message: notFound},
		},
		"404 that is not from Google says nothing about the bucket": {
			fmt.Errorf("%w: %w", storage.ErrBucketNotExist, httpError(t, 404, "<html>404 page not found</html>")),
			Error{Class: kind.Unavailable, Message: "the endpoint answered 404 Not Found"},
		},
		"403 of a proxy": {
			httpError(t, 403, "<html>Blocked by policy</html>"),
			Error{Class: kind.Unavailable, Message: "the endpoint answered 403 Forbidden"},
		},
		"kept out by the bucket's IP filter": {
			httpError(t, 403, storageBody(403, "forbidden", "There is an IP filtering condition that is preventing access to the resource.")),
			Error{Class: kind.Denied, Message: "There is an IP filtering condition that is preventing access to the resource."},
		},
		"project of a bucket to be made not found": {
			httpError(t, 404, storageBody(404, "notFound", "The requested project was not found.")),
			Error{Class: kind.Denied, Message: "The requested project was not found."},
		},
		"project ID unknown to Cloud Storage": {
			httpError(t, 400, storageBody(400, "invalid", "Unknown project id: nowhere")),
			Error{Class: kind.Denied, Message: "Unknown project id: nowhere"},
		},
		"bucket denied": {
			httpError(t, 403, storageBody(403, "forbidden", bucketDenied)),
			Error{Class: kind.Denied, Permission: "storage.buckets.get", Message: bucketDenied},
		},
		"bucket denied, older sentence": {
			httpError(t, 403, storageBody(403, "forbidden", "ann@example.com does not have storage.buckets.create access to the Google Cloud project.")),
			Error{Class: kind.Denied, Permission: "storage.buckets.create", Message: "ann@example.com does not have storage.buckets.create access to the Google Cloud project."},
		},
		"anonymous": {
			httpError(t, 401, storageBody(401, "required", "Anonymous caller does not have storage.buckets.get access to the Google Cloud Storage bucket.")),
			Error{Class: kind.Denied, Permission: "storage.buckets.get", Message: "Anonymous caller does not have storage.buckets.get access to the Google Cloud Storage bucket."},
		},
		"encryption key denied": {
			httpError(t, 403, storageBody(403, "forbidden", "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been authorized to use this key.")),
			Error{Class: kind.Denied, Message: "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been authorized to use this key."},
		},
		"quota project denied": {
			httpError(t, 403, `{"error":{"code":403,"message":"Caller does not have required permission to use project q.","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"USER_PROJECT_DENIED","domain":"googleapis.com","metadata":{"service":"storage.googleapis.com","consumer":"projects/q"}}]}}`),
			Error{Class: kind.Denied, Message: "Caller does not have required permission to use project q."},
		},
		"organization policy, Cloud Storage": {
			httpError(t, 412, storageBody(412, "conditionNotMet", "'us' violates constraint 'constraints/gcp.resourceLocations'")),
			Error{Class: kind.Denied, Message: "'us' violates constraint 'constraints/gcp.resourceLocations'"},
		},
		"bucket name taken": {
			httpError(t, 409, storageBody(409, "conflict", "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.")),
			Error{Class: kind.AlreadyExists, Message: "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."},
		},
		"bucket already ours": {
			httpError(t, 409, storageBody(409, "conflict", "Your previous request to create the named bucket succeeded and you already own it.")),
			Error{Class: kind.AlreadyExists, Message: "Your previous request to create the named bucket succeeded and you already own it."},
		},
		"bucket not empty": {
			httpError(t, 409, storageBody(409, "conflict", "The bucket you tried to delete is not empty.")),
			Error{Class: kind.NotEmpty, Message: "The bucket you tried to delete is not empty."},
		},
		"object under a hold": {
			httpError(t, 403, storageBody(403, "objectUnderActiveHold", "Object 'b/o' is under active Event-Based hold and cannot be deleted, overwritten or archived until hold is removed.")),
			Error{Class: kind.Retained, Message: "Object 'b/o' is under active Event-Based hold and cannot be deleted, overwritten or archived until hold is removed."},
		},
		"object under a hold, without that reason": {
			httpError(t, 403, storageBody(403, "forbidden", "Object 'b/o' is under active Temporary hold and cannot be deleted.")),
			Error{Class: kind.Retained, Message: "Object 'b/o' is under active Temporary hold and cannot be deleted."},
		},
		"object under a retention": {
			httpError(t, 412, storageBody(412, "retentionPolicyNotMet", "Object 'b/o' is subject to bucket's retention policy and cannot be deleted until 2027-01-01.")),
			Error{Class: kind.Retained, Message: "Object 'b/o' is subject to bucket's retention policy and cannot be deleted until 2027-01-01."},
		},
		"folder not empty": {
			httpError(t, 409, storageBody(409, "conflict", "The folder you tried to delete is not empty.")),
			Error{Class: kind.NotEmpty, Message: "The folder you tried to delete is not empty."},
		},
		"bucket edited meanwhile": {
			httpError(t, 409, storageBody(409, "conflict", "The bucket's metadata was edited during the operation. Please try again.")),
			Error{Class: kind.Conflict, Message: "The bucket's metadata was edited during the operation. Please try again."},
		},
		"metageneration differs": {
			httpError(t, 412, storageBody(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")),
			Error{Class: kind.Conflict, Message: "At least one of the pre-conditions you specified did not hold."},
		},
		"policy changed meanwhile, over REST": {
			httpError(t, 409, `{"error":{"code":409,"message":"There were concurrent policy changes.","status":"ABORTED"}}`),
			Error{Class: kind.Conflict, Message: "There were concurrent policy changes."},
		},
		"topic exists, over REST": {
			httpError(t, 409, `{"error":{"code":409,"message":"Resource already exists in the project (resource=t).","status":"ALREADY_EXISTS"}}`),
			Error{Class: kind.AlreadyExists, Message: "Resource already exists in the project (resource=t)."},
		},
		"failed precondition, over REST": {
			httpError(t, 400, `{"error":{"code":400,"message":"Schema is deleted.","status":"FAILED_PRECONDITION"}}`),
			Error{Class: kind.Invalid, Message: "Schema is deleted."},
		},
		"invalid": {
			httpError(t, 400, storageBody(400, "invalid", "Invalid argument.")),
			Error{Class: kind.Invalid, Message: "Invalid argument."},
		},
		"locked retention": {
			httpError(t, 403, storageBody(403, "forbidden", "Cannot reduce retention duration of a locked Retention Policy for bucket 'b'.")),
			Error{Class: kind.Invalid, Message: "Cannot reduce retention duration of a locked Retention Policy for bucket 'b'."},
		},
		"429 with a header": {
			httpError(t, 429, storageBody(429, "rateLimitExceeded", "The project exceeded the rate limit for creating and deleting buckets."), "Retry-After", "7"),
			Error{Class: kind.Throttled, RetryAfter: 7 * time.Second, Message: "The project exceeded the rate limit for creating and deleting buckets."},
		},
		"429 of something in between": {
			httpError(t, 429, "slow down", "Retry-After", "3"),
			Error{Class: kind.Throttled, RetryAfter: 3 * time.Second, Message: "the endpoint answered 429 Too Many Requests"},
		},
		"403 that means 429": {
			httpError(t, 403, storageBody(403, "userRateLimitExceeded", "User Rate Limit Exceeded")),
			Error{Class: kind.Throttled, Message: "User Rate Limit Exceeded"},
		},
		"503 with a header": {
			httpError(t, 503, storageBody(503, "backendError", "We encountered an internal error. Please try again."), "Retry-After", "100000"),
			Error{Class: kind.Unavailable, RetryAfter: time.Hour, Message: "We encountered an internal error. Please try again."},
		},
		"502 of a load balancer": {
			httpError(t, 502, "<!DOCTYPE html><html>…</html>"),
			Error{Class: kind.Unavailable, Message: "the endpoint answered 502 Bad Gateway"},
		},

		"topic not found": {
			rpcError(t, codes.NotFound, "Resource not found (resource=t)."),
			Error{Class: kind.NotFound, Message: "Resource not found (resource=t)."},
		},
		"topic's project not found is not a topic not found": {
			rpcError(t, codes.NotFound, "Requested project not found or user does not have access to it (project=p-1). Make sure to specify the unique project identifier and not the Google Cloud Console display name."),
			Error{Class: kind.Denied, Resource: "p-1", Message: "Requested project not found or user does not have access to it (project=p-1). Make sure to specify the unique project identifier and not the Google Cloud Console display name."},
		},
		"topic exists, wrapped": {
			fmt.Errorf("creating topic \"t\": %w", rpcError(t, codes.AlreadyExists, "Resource already exists in the project (resource=t).")),
			Error{Class: kind.AlreadyExists, Message: "Resource already exists in the project (resource=t)."},
		},
		"topic denied without a word": {
			rpcError(t, codes.PermissionDenied, "User not authorized to perform this action."),
			Error{Class: kind.Denied, Message: "User not authorized to perform this action."},
		},
		"topic denied, from the details": {
			rpcError(t, codes.PermissionDenied, "Permission denied.", &errdetails.ErrorInfo{
				Reason: "IAM_PERMISSION_DENIED", Domain: "iam.googleapis.com",
				Metadata: map[string]string{"permission": "pubsub.topics.get", "resource": "projects/p/topics/t"},
			}),
			Error{Class: kind.Denied, Permission: "pubsub.topics.get", Resource: "projects/p/topics/t", Message: "Permission denied."},
		},
		"project denied, from the sentence": {
			rpcError(t, codes.PermissionDenied, "Permission 'resourcemanager.projects.get' denied on resource '//cloudresourcemanager.googleapis.com/projects/p' (or it may not exist)."),
			Error{
				Class: kind.Denied, Permission: "resourcemanager.projects.get", Resource: "//cloudresourcemanager.googleapis.com/projects/p",
				Message: "Permission 'resourcemanager.projects.get' denied on resource '//cloudresourcemanager.googleapis.com/projects/p' (or it may not exist).",
			},
		},
		"service account denied": {
			rpcError(t, codes.PermissionDenied, "Permission iam.serviceAccounts.get is required to perform this operation on service account projects/p/serviceAccounts/ann@p.iam.gserviceaccount.com."),
			Error{
				Class: kind.Denied, Permission: "iam.serviceAccounts.get", Resource: "projects/p/serviceAccounts/ann@p.iam.gserviceaccount.com",
				Message: "Permission iam.serviceAccounts.get is required to perform this operation on service account projects/p/serviceAccounts/ann@p.iam.gserviceaccount.com.",
			},
		},
		"no credentials": {
			rpcError(t, codes.Unauthenticated, "Request had invalid authentication credentials."),
			Error{Class: kind.Denied, Message: "Request had invalid authentication credentials."},
		},
		"service agent denied": {
			rpcError(t, codes.FailedPrecondition, "Cloud Pub/Sub did not have the necessary permissions configured to support this operation."),
			Error{Class: kind.Denied, Message: "Cloud Pub/Sub did not have the necessary permissions configured to support this operation."},
		},
		"organization policy, Pub/Sub": {
			rpcError(t, codes.FailedPrecondition, "Location violates the organization policy constraints/gcp.resourceLocations."),
			Error{Class: kind.Denied, Message: "Location violates the organization policy constraints/gcp.resourceLocations."},
		},
		"failed precondition": {
			rpcError(t, codes.FailedPrecondition, "Schema is deleted."),
			Error{Class: kind.Invalid, Message: "Schema is deleted."},
		},
		"invalid field": {
			rpcError(t, codes.InvalidArgument, "Request contains an invalid argument.", &errdetails.BadRequest{
				FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "topic.name", Description: "too short"}},
			}),
			Error{Class: kind.Invalid, Message: "Request contains an invalid argument. topic.name: too short"},
		},
		"aborted": {
			rpcError(t, codes.Aborted, "There were concurrent policy changes."),
			Error{Class: kind.Conflict, Message: "There were concurrent policy changes."},
		},
		"quota with retry info": {
			rpcError(t, codes.ResourceExhausted, "Quota exceeded.", &errdetails.RetryInfo{RetryDelay: durationpb.New(2500 * time.Millisecond)}),
			Error{Class: kind.Throttled, RetryAfter: 2500 * time.Millisecond, Message: "Quota exceeded."},
		},
		"calls per minute": {
			rpcError(t, codes.ResourceExhausted, "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of service 'iam.googleapis.com' for consumer 'project_number:4711'.",
				&errdetails.ErrorInfo{Reason: "RATE_LIMIT_EXCEEDED", Domain: "googleapis.com", Metadata: map[string]string{"quota_unit": "1/min/{project}"}}),
			Error{Class: kind.Throttled, Message: "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of service 'iam.googleapis.com' for consumer 'project_number:4711'."},
		},
		"calls per minute, by the unit alone": {
			rpcError(t, codes.ResourceExhausted, "Quota exceeded.", &errdetails.ErrorInfo{Metadata: map[string]string{"quota_unit": "1/min/{project}"}}),
			Error{Class: kind.Throttled, Message: "Quota exceeded."},
		},
		"calls per minute, by the name of the quota alone": {
			rpcError(t, codes.ResourceExhausted, "Quota exceeded.", quotaFailure("WriteRequestsPerMinutePerProject", "")),
			Error{Class: kind.Throttled, Message: "Quota exceeded."},
		},
		"calls, as Google describes them": {
			rpcError(t, codes.ResourceExhausted, "Quota exceeded.", quotaFailure("", "Daily Limit for read operations exceeded")),
			Error{Class: kind.Throttled, Message: "Quota exceeded."},
		},
		"too many accounts": { // with a RetryInfo of a day, as IAM has it
			rpcError(t, codes.ResourceExhausted, "Maximum number of service accounts on project reached.", &errdetails.RetryInfo{RetryDelay: durationpb.New(86401 * time.Second)}),
			Error{Class: kind.QuotaExceeded, RetryAfter: time.Hour, Message: "Maximum number of service accounts on project reached."},
		},
		"too many accounts, as a precondition": {
			rpcError(t, codes.FailedPrecondition, "Maximum number of service accounts on project p reached."),
			Error{Class: kind.QuotaExceeded, Message: "Maximum number of service accounts on project p reached."},
		},
		"too many of something, by the reason": {
			rpcError(t, codes.ResourceExhausted, "Quota exceeded.", &errdetails.ErrorInfo{Reason: "RESOURCE_QUOTA_EXCEEDED", Domain: "googleapis.com"}),
			Error{Class: kind.QuotaExceeded, Message: "Quota exceeded."},
		},
		"too many of something, by the unit": {
			rpcError(t, codes.ResourceExhausted, "Quota exceeded.", &errdetails.ErrorInfo{Metadata: map[string]string{"quota_unit": "1/{project}"}}),
			Error{Class: kind.QuotaExceeded, Message: "Quota exceeded."},
		},
		"too many of something, by the name of the quota": {
			rpcError(t, codes.ResourceExhausted, "Quota exceeded.", quotaFailure("SERVICE-ACCOUNTS-per-project", "")),
			Error{Class: kind.QuotaExceeded, Message: "Quota exceeded."},
		},
		"policy changed meanwhile, the same message each time": {
			rpcError(t, codes.Aborted, "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. The request's ETag '\007\006' did not match the current policy's ETag '\007\005'."),
			Error{Class: kind.Conflict, Message: "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff."},
		},
		"member of another organization": {
			rpcError(t, codes.FailedPrecondition, "One or more users named in the policy do not belong to a permitted customer.", &errdetails.PreconditionFailure{
				Violations: []*errdetails.PreconditionFailure_Violation{{
					Type: "constraints/iam.allowedPolicyMemberDomains", Subject: "orgpolicy:projects/p?configvalue=ann@example.com",
					Description: "User ann@example.com is not in permitted organization.",
				}},
			}),
			Error{Class: kind.Denied, Message: "One or more users named in the policy do not belong to a permitted customer. User ann@example.com is not in permitted organization."},
		},
		"member of another organization, Cloud Storage": {
			httpError(t, 412, storageBody(412, "conditionNotMet", "One or more users named in the policy do not belong to a permitted customer.")),
			Error{Class: kind.Denied, Message: "One or more users named in the policy do not belong to a permitted customer."},
		},
		"condition on a bucket with ACLs": {
			httpError(t, 412, storageBody(412, "conditionNotMet", "To set IAM conditions in this bucket, enable uniform bucket-level access.")),
			Error{Class: kind.Invalid, Message: "To set IAM conditions in this bucket, enable uniform bucket-level access."},
		},
		"public grant on a bucket that prevents it": {
			httpError(t, 412, storageBody(412, "conditionNotMet", "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced.")),
			Error{Class: kind.Invalid, Message: "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced."},
		},
		"owner who would have to be invited": {
			rpcError(t, codes.InvalidArgument, "Request contains an invalid argument.", ownerError(t)),
			Error{Class: kind.Invalid, Message: "Request contains an invalid argument. (user:ann@example.com cannot be granted roles/owner: ORG_MUST_INVITE_EXTERNAL_OWNERS)"},
		},
		"account unknown": {
			rpcError(t, codes.NotFound, "Unknown service account"),
			Error{Class: kind.NotFound, Message: "Unknown service account"},
		},
		"account exists": {
			rpcError(t, codes.AlreadyExists, "Service account ann already exists within project projects/p."),
			Error{Class: kind.AlreadyExists, Message: "Service account ann already exists within project projects/p."},
		},
		"not a gRPC server": {
			rpcError(t, codes.Unimplemented, "unexpected HTTP status code received from server: 404 (Not Found)"),
			Error{Class: kind.Unavailable, Message: "unexpected HTTP status code received from server: 404 (Not Found)"},
		},
		"gRPC cannot connect, the same message each time": {
			rpcError(t, codes.Unavailable, `last connection error: connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`),
			Error{Class: kind.Unavailable, Message: "dial tcp 127.0.0.1:1: connect: connection refused"},
		},
		"gRPC time-out, the same message each time": {
			rpcError(t, codes.DeadlineExceeded, "received context error while waiting for new LB policy update: context deadline exceeded"),
			Error{Class: kind.Unavailable, Message: "Google Cloud did not answer in time"},
		},
		"gRPC outage": {
			rpcError(t, codes.Unavailable, "The service is currently unavailable."),
			Error{Class: kind.Unavailable, Message: "The service is currently unavailable."},
		},
		"gRPC connection lost, the same message each time": {
			rpcError(t, codes.Unavailable, "error reading from server: read tcp 10.0.0.7:52410->142.250.1.95:443: read: connection reset by peer"),
			Error{Class: kind.Unavailable, Message: "error reading from server: read tcp 142.250.1.95:443: read: connection reset by peer"},
		},

		"time-out": {
			&url.Error{Op: "Get", URL: "https://storage.googleapis.com/", Err: context.DeadlineExceeded},
			Error{Class: kind.Unavailable, Message: "Google Cloud did not answer in time"},
		},
		"cancelled": {
			fmt.Errorf("getting bucket: %w", context.Canceled),
			Error{Class: kind.Unavailable, Message: "the call was cancelled"},
		},
		"connection refused": {
			&url.Error{Op: "Get", URL: "https://storage.googleapis.com/", Err: &net.OpError{
				Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, Err: syscall.ECONNREFUSED,
			}},
			Error{Class: kind.Unavailable, Message: "dial 127.0.0.1:1: connection refused"},
		},
		"reply lost": {
			&url.Error{Op: "Patch", URL: "https://storage.googleapis.com/", Err: io.EOF},
			Error{Class: kind.Unavailable, Message: "EOF"},
		},
		"anything else": {
			errors.New("two\nlines"),
			Error{Class: kind.Unavailable, Message: "two lines"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := Classify(tc.err)
			if diff := cmp.Diff(&tc.want, got, cmpopts.IgnoreFields(Error{}, "Err", "Denial")); diff != "" {
				t.Errorf("Classify (-want +got):\n%s", diff)
			}
			if !errors.Is(got, tc.err) || got.Error() != tc.err.Error() {
				t.Errorf("the error got lost: %v", got)
			}
			if again := Classify(fmt.Errorf("wrapped: %w", got)); again != got {
				t.Errorf("classified anew: %+v", again)
			}
		})
	}
}

func TestClassifyNil(t *testing.T) {
	if got := Classify(nil); got != nil {
		t.Errorf("Classify(nil) = %v", got)
	}
	if IsNotFound(nil) || IsUnavailable(nil) {
		t.Error("nil has a class")
	}
}

func TestIs(t *testing.T) {
	questions := map[kind.Class]func(error) bool{
		kind.NotFound: IsNotFound, kind.AlreadyExists: IsAlreadyExists, kind.Conflict: IsConflict, kind.NotEmpty: IsNotEmpty,
		kind.Retained:  IsRetained,
		kind.Throttled: IsThrottled, kind.QuotaExceeded: IsQuotaExceeded, kind.Denied: IsDenied, kind.Invalid: IsInvalid, kind.Unavailable: IsUnavailable,
	}
	for class := range questions {
		for asked, ask := range questions {
			if got := ask(fmt.Errorf("wrapped: %w", &Error{Class: class})); got != (asked == class) {
				t.Errorf("Is%s of %s: %v", asked, class, got)
			}
		}
	}
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	cases := map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"12":                            12 * time.Second,
		"-9223372036854775808":          0,
		"9223372036854775807":           time.Hour,
		"soon":                          0,
		"Sun, 01 Nov 2026 12:00:30 GMT": 30 * time.Second,
		"Sun, 01 Nov 2026 11:00:00 GMT": 0,
	}
	for value, want := range cases {
		if got := retryAfterHeader(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("retryAfterHeader(%q) = %v, want %v", value, got, want)
		}
	}
}

func FuzzClassify(f *testing.F) {
	f.Add(404, storageBody(404, "notFound", "The specified bucket does not exist."), "7")
	f.Add(403, `{"error":{"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","metadata":{"permission":"a.b"}}]}}`, "-1")
	f.Add(409, `[{"error":{"code":409,"status":"ABORTED"}}]`, "Sun, 01 Nov 2026 12:00:30 GMT")
	f.Add(7, "Permission 'a' denied on resource 'b'", "")
	f.Add(3, "Service account a@b.c does not exist. (user:x cannot be granted roles/owner)", "")
	f.Add(404, "", "")
	f.Add(403, `{"error":{"errors":[{"reason":"forbidden"}]}}`, "")
	f.Add(12, "\n", "")
	f.Add(0, "\xff\n"+strings.Repeat("é", maxMessage), "")
	f.Fuzz(func(t *testing.T, code int, text, retryAfter string) {
		if code >= 300 && code <= 999 {
			checkClassified(t, Classify(httpError(t, code, text, "Retry-After", retryAfter)))
		}
		checkClassified(t, Classify(&googleapi.Error{Code: code, Message: text, Body: text}))
		if code > 0 && code < 100 {
			checkClassified(t, Classify(status.Error(codes.Code(code), text)))
		}
		checkClassified(t, Classify(errors.New(text)))
		refused := Classify(status.Error(codes.InvalidArgument, text))
		if named, ok := RefusedMember(refused); ok && (named == "" || !strings.Contains(refused.Message, named)) {
			t.Errorf("%q is refused, by %q", named, refused.Message)
		}
	})
}

func checkClassified(t *testing.T, got *Error) {
	t.Helper()
	switch {
	case got == nil || got.Class == "":
		t.Fatalf("no class: %+v", got)
	case got.Message == "":
		t.Errorf("%s without a message", got.Class)
	case len(got.Message) > maxMessage || !utf8.ValidString(got.Message) || strings.ContainsAny(got.Message, "\n\r"):
		t.Errorf("unfit message: %q", got.Message)
	case got.RetryAfter < 0 || got.RetryAfter > maxRetryAfter:
		t.Errorf("retry after %v", got.RetryAfter)
	case got.Class != kind.Denied && got.Permission+got.Resource != "":
		t.Errorf("%s names the permission %q on %q", got.Class, got.Permission, got.Resource)
	}
}
