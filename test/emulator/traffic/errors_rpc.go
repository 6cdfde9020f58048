package traffic

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
)

// Err returns the refusal as the gRPC status that Google would send: with
// google.rpc.ErrorInfo when a quota is exceeded and google.rpc.RetryInfo when
// RetryAfter is set.
func (r Refusal) Err() error {
	details := r.Details.messages()
	if r.Quota != nil {
		details = append(details, r.quotaInfo())
	}
	if r.RetryAfter > 0 {
		details = append(details, retryInfo(r.RetryAfter))
	}
	s := status.New(r.code(), r.explain())
	if len(details) == 0 {
		return s.Err()
	}
	detailed, err := s.WithDetails(details...)
	if err != nil {
		return s.Err()
	}
	return detailed.Err()
}

func (r Refusal) quotaInfo() *errdetails.ErrorInfo {
	metric := quotaMetric(r.Call)
	return &errdetails.ErrorInfo{
		Reason: "RATE_LIMIT_EXCEEDED",
		Domain: "googleapis.com",
		Metadata: map[string]string{
			"consumer":          "projects/" + r.Quota.ProjectNumber,
			"quota_limit":       metric + "PerMinutePerProject",
			"quota_limit_value": strconv.Itoa(r.Quota.PerMinute),
			"quota_location":    "global",
			"quota_metric":      apiHost(r.Call.Service) + "/" + metric,
			"service":           apiHost(r.Call.Service),
		},
	}
}

// RPCErrors answers a refusal as Google's gRPC services do over REST.
func RPCErrors(w http.ResponseWriter, r Refusal) { WriteRPCError(w, r.Err()) }

// WriteRPCError writes a gRPC error as Google's gRPC services do over REST:
// {"error": {"code", "message", "status", "details"}}. A google.rpc.RetryInfo
// is sent as Retry-After too.
func WriteRPCError(w http.ResponseWriter, err error) { writeRPCError(w, err, func(map[string]any) {}) }

// WriteListedError writes a gRPC error as older APIs such as IAM do: with the
// list of errors of Google's first JSON APIs besides.
func WriteListedError(w http.ResponseWriter, err error) {
	writeRPCError(w, err, func(body map[string]any) {
		body["errors"] = []map[string]any{
			{"domain": "global", "reason": listedReasons[status.Code(err)], "message": body["message"]},
		}
	})
}

// listedReasons are what lists of errors call the codes.
var listedReasons = map[codes.Code]string{
	codes.InvalidArgument: "badRequest", codes.FailedPrecondition: "failedPrecondition", codes.OutOfRange: "outOfRange",
	codes.Unauthenticated: "authError", codes.PermissionDenied: "forbidden", codes.NotFound: "notFound",
	codes.AlreadyExists: "alreadyExists", codes.Aborted: "aborted", codes.ResourceExhausted: "rateLimitExceeded",
	codes.Internal: "backendError", codes.Unavailable: "backendError", codes.Unimplemented: "notImplemented",
}

func writeRPCError(w http.ResponseWriter, err error, complete func(body map[string]any)) {
	s := status.Convert(err)
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			setRetryAfter(w, info.GetRetryDelay().AsDuration())
		}
	}
	httpStatus := HTTPStatus(s.Code())
	body := rpcErrorBody(s.Proto(), httpStatus)
	complete(body)
	writeJSON(w, httpStatus, map[string]any{"error": body})
}

func rpcErrorBody(s *spb.Status, httpStatus int) map[string]any {
	body := map[string]any{
		"code":    httpStatus,
		"message": s.GetMessage(),
		"status":  codeName(codes.Code(s.GetCode())),
	}
	var details []json.RawMessage
	for _, detail := range s.GetDetails() {
		if raw, err := protojson.Marshal(detail); err == nil {
			details = append(details, raw)
		}
	}
	if len(details) > 0 {
		body["details"] = details
	}
	return body
}

// codeName spells a code as google.rpc.Code does: NOT_FOUND for NotFound.
func codeName(code codes.Code) string {
	if code == codes.OK {
		return "OK"
	}
	if code == codes.Canceled {
		return "CANCELLED"
	}
	var name strings.Builder
	for i, letter := range code.String() {
		if i > 0 && unicode.IsUpper(letter) {
			name.WriteByte('_')
		}
		name.WriteRune(unicode.ToUpper(letter))
	}
	return name.String()
}

func writeJSON(w http.ResponseWriter, httpStatus int, body any) {
	encoded, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(httpStatus)
	_, _ = w.Write(append(encoded, '\n')) // a client that has gone away needs no answer
}

// ceilSeconds is what a Retry-After header can say, which has no fractions.
func ceilSeconds(seconds float64) string { return strconv.Itoa(int(math.Ceil(seconds))) }
