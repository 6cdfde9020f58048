package traffic

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TestErrorBodies: errors look as Google writes them.
func TestErrorBodies(t *testing.T) {
	for name, c := range map[string]struct {
		refuse ErrorBody
		fault  Fault
		status int
		header string
		body   string
	}{
		"storage, too many": {
			StorageErrors, Fault{Status: 429, RetryAfter: 1200 * time.Millisecond}, 429, "2",
			`{"error": {"code": 429, "message": "The project exceeded the rate limit for creating and deleting buckets.", "errors": [
				{"domain": "usageLimits", "reason": "rateLimitExceeded", "message": "The project exceeded the rate limit for creating and deleting buckets."}]}}`,
		},
		"storage, unavailable": {
			StorageErrors, Fault{Status: 503}, 503, "",
			`{"error": {"code": 503, "message": "We encountered an internal error. Please try again.", "errors": [
				{"domain": "global", "reason": "backendError", "message": "We encountered an internal error. Please try again."}]}}`,
		},
		"storage, one's own words": {
			StorageErrors, Fault{Status: 400, Reason: "odd", Message: "No."}, 400, "",
			`{"error": {"code": 400, "message": "No.", "errors": [{"domain": "global", "reason": "odd", "message": "No."}]}}`,
		},
		"REST of a gRPC service, denied": {
			RPCErrors, Fault{Status: 403}, 403, "",
			`{"error": {"code": 403, "message": "The caller does not have permission", "status": "PERMISSION_DENIED"}}`,
		},
		"REST of a gRPC service, too many": {
			RPCErrors, Fault{Status: 429, RetryAfter: 2 * time.Second}, 429, "2",
			`{"error": {"code": 429, "message": "Resource has been exhausted (e.g. check quota).", "status": "RESOURCE_EXHAUSTED", "details": [
				{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"}]}}`,
		},
		"storage, with details": {
			StorageErrors, Fault{Status: 403, Message: "No.", Details: &Details{Info: "SERVICE_DISABLED", Metadata: map[string]string{"consumer": "projects/1"}}}, 403, "",
			`{"error": {"code": 403, "message": "No.", "errors": [{"domain": "global", "reason": "forbidden", "message": "No."}], "details": [
				{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED", "domain": "googleapis.com", "metadata": {"consumer": "projects/1"}}]}}`,
		},
		"REST of a gRPC service, a violated constraint": {
			RPCErrors, Fault{Status: 400, Message: "No.", Details: &Details{Violation: "constraints/x.y", Description: "No."}}, 400, "",
			`{"error": {"code": 400, "message": "No.", "status": "FAILED_PRECONDITION", "details": [
				{"@type": "type.googleapis.com/google.rpc.PreconditionFailure", "violations": [{"type": "constraints/x.y", "description": "No."}]}]}}`,
		},
		"REST of an older API": {
			func(w http.ResponseWriter, r Refusal) { WriteListedError(w, r.Err()) }, Fault{Status: 404}, 404, "",
			`{"error": {"code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND", "errors": [
				{"domain": "global", "reason": "notFound", "message": "Requested entity was not found."}]}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, c.refuse)
			s.Inject(c.fault)
			a, err := s.post(t, "/buckets.patch/p/a", "")
			if err != nil {
				t.Fatal(err)
			}
			if a.status != c.status || a.retryAfter != c.header {
				t.Errorf("status %d, Retry-After %q", a.status, a.retryAfter)
			}
			if diff := cmp.Diff(parse(t, c.body), parse(t, a.body)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

// TestConflicts: a conflict is about the etag where a policy is written, and
// about a name everywhere else.
func TestConflicts(t *testing.T) {
	for method, want := range map[string]codes.Code{
		"Projects.SetIamPolicy": codes.Aborted, "IAM.SetIamPolicy": codes.Aborted, "IAM.CreateServiceAccount": codes.AlreadyExists,
	} {
		err := Refusal{Call: Call{Service: "iam", Method: method}, Status: http.StatusConflict}.Err()
		if status.Code(err) != want || (want == codes.Aborted) != (status.Convert(err).Message() == ConcurrentPolicyChanges) {
			t.Errorf("%s: %v", method, err)
		}
	}
}

func parse(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}

func TestStorageDenied(t *testing.T) {
	for method, want := range map[string]string{
		"buckets.get":    "storage.buckets.get access to the Google Cloud Storage bucket.",
		"buckets.patch":  "storage.buckets.update access to the Google Cloud Storage bucket.",
		"buckets.insert": "storage.buckets.create access to the Google Cloud project.",
		"buckets.list":   "storage.buckets.list access to the Google Cloud project.",
		"objects.list":   "storage.objects.list access to the Google Cloud Storage bucket.",
		"objects.insert": "storage.objects.create access to the Google Cloud Storage object.",
		"objects.delete": "storage.objects.delete access to the Google Cloud Storage object.",
	} {
		if got := StorageDenied(method); !strings.Contains(got, " does not have "+want+" Permission '"+strings.Fields(want)[0]+"' denied") {
			t.Errorf("%s: %s", method, got)
		}
	}
}
