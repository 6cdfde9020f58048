package traffic

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/durationpb"
)

// StorageErrors answers a refusal as the Cloud Storage JSON API does.
func StorageErrors(w http.ResponseWriter, r Refusal) {
	usual := storageErrors[r.Status]
	if r.Reason == "" {
		r.Reason = usual.reason
	}
	switch {
	case r.Message != "":
	case r.Status == http.StatusForbidden && r.Reason == usual.reason:
		r.Message = StorageDenied(r.Call.Method)
	case r.Status == http.StatusTooManyRequests:
		r.Message = storageTooMany(r)
	case usual.message != "":
		r.Message = usual.message
	default:
		r.Message = http.StatusText(r.Status)
	}
	domain := "global"
	if r.Status == http.StatusTooManyRequests {
		domain = "usageLimits"
	}
	setRetryAfter(w, r.RetryAfter)
	body := storageErrorBody(r.Status, domain, r.Reason, r.Message)
	if details := r.Details.json(); len(details) > 0 {
		body["details"] = details
	}
	writeJSON(w, r.Status, map[string]any{"error": body})
}

// WriteStorageError writes an error as the Cloud Storage JSON API does.
func WriteStorageError(w http.ResponseWriter, httpStatus int, domain, reason, message string) {
	writeJSON(w, httpStatus, map[string]any{"error": storageErrorBody(httpStatus, domain, reason, message)})
}

func storageErrorBody(httpStatus int, domain, reason, message string) map[string]any {
	return map[string]any{
		"code":    httpStatus,
		"message": message,
		"errors":  []any{map[string]any{"message": message, "domain": domain, "reason": reason}},
	}
}

type storageError struct{ reason, message string }

// storageErrors are the reasons and messages of
// https://cloud.google.com/storage/docs/json_api/v1/status-codes.
var storageErrors = map[int]storageError{
	http.StatusBadRequest:          {"invalid", "Invalid argument."},
	http.StatusUnauthorized:        {"authError", "Invalid Credentials"},
	http.StatusForbidden:           {"forbidden", ""},
	http.StatusNotFound:            {"notFound", "Not Found"},
	http.StatusConflict:            {"conflict", "Conflict"},
	http.StatusPreconditionFailed:  {"conditionNotMet", "At least one of the pre-conditions you specified did not hold."},
	http.StatusTooManyRequests:     {"rateLimitExceeded", ""},
	http.StatusInternalServerError: {"internalError", "We encountered an internal error. Please try again."},
	http.StatusBadGateway:          {"backendError", "Bad Gateway"},
	http.StatusServiceUnavailable:  {"backendError", "We encountered an internal error. Please try again."},
	http.StatusGatewayTimeout:      {"gatewayTimeout", "Gateway Timeout"},
}

func storageTooMany(r Refusal) string {
	if r.Quota != nil && !slices.Contains(r.Call.Quotas(), "storage creates") {
		return Refusal{Call: r.Call, Status: r.Status, Quota: r.Quota}.explain()
	}
	if strings.HasPrefix(r.Call.Method, "buckets.") {
		return "The project exceeded the rate limit for creating and deleting buckets."
	}
	return "The rate of requests to the resource is too high. Please reduce your request rate. See https://cloud.google.com/storage/docs/gcs429."
}

// StorageDenied is what Cloud Storage says to a caller who lacks the
// permission of a method ("buckets.get").
func StorageDenied(method string) string { return StorageDeniedTo(Caller, method) }

// StorageDeniedTo says so to whom an e-mail address belongs.
func StorageDeniedTo(email, method string) string {
	permission, subject := storagePermission(method)
	return StorageLacks(email, permission, subject)
}

// StorageLacks says so of a permission on a subject, such as a "project".
func StorageLacks(email, permission, subject string) string {
	return fmt.Sprintf("%s does not have %s access to the Google Cloud %s. Permission '%[2]s' denied on resource (or it may not exist).",
		email, permission, subject)
}

// StoragePermission returns the permission that a method needs.
func StoragePermission(method string) string {
	permission, _ := storagePermission(method)
	return permission
}

// storagePermission returns the permission that a method needs, and on what.
func storagePermission(method string) (permission, subject string) {
	resource, verb, _ := strings.Cut(method, ".")
	switch {
	case method == "buckets.insert":
		return "storage.buckets.create", "project"
	case method == "projects.serviceAccount.get":
		return "resourcemanager.projects.get", "project"
	case method == "buckets.list":
		return "storage.buckets.list", "project"
	case method == "buckets.patch", method == "buckets.lockRetentionPolicy":
		return "storage.buckets.update", "Storage bucket"
	case method == "buckets.getStorageLayout", method == "buckets.testIamPermissions":
		return "storage.buckets.get", "Storage bucket"
	case resource == "bucketAccessControls", resource == "defaultObjectAccessControls":
		if verb == "get" || verb == "list" {
			return "storage.buckets.getIamPolicy", "Storage bucket"
		}
		return "storage.buckets.setIamPolicy", "Storage bucket"
	case method == "objects.insert":
		return "storage.objects.create", "Storage object"
	case method == "objects.list":
		return "storage.objects.list", "Storage bucket"
	case method == "objects.patch":
		return "storage.objects.update", "Storage object"
	case resource == "objects":
		return "storage.objects." + verb, "Storage object"
	default:
		return "storage." + resource + "." + verb, "Storage bucket"
	}
}

func setRetryAfter(w http.ResponseWriter, after time.Duration) {
	if after > 0 {
		w.Header().Set("Retry-After", ceilSeconds(after.Seconds()))
	}
}

func retryInfo(after time.Duration) *errdetails.RetryInfo {
	return &errdetails.RetryInfo{RetryDelay: durationpb.New(after)}
}
