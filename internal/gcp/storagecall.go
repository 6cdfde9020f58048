package gcp

import (
	"net/http"
	"slices"
	"strings"
)

// storageMethods name the calls of Cloud Storage's JSON API that our client makes, by verb and shape of the path.
// https://cloud.google.com/storage/docs/json_api/v1
var storageMethods = map[string]string{
	"GET b":                        "buckets.list",
	"POST b":                       "buckets.insert",
	"GET b/*":                      "buckets.get",
	"PATCH b/*":                    "buckets.patch",
	"DELETE b/*":                   "buckets.delete",
	"POST b/*/lockRetentionPolicy": "buckets.lockRetentionPolicy",
	"GET b/*/iam":                  "buckets.getIamPolicy",
	"PUT b/*/iam":                  "buckets.setIamPolicy",
	"GET b/*/o":                    "objects.list",
	"GET b/*/o/*":                  "objects.get",
	"PATCH b/*/o/*":                "objects.patch",
	"DELETE b/*/o/*":               "objects.delete",
}

// bucketUpdates are the methods that Google allows about once a second per bucket.
// https://cloud.google.com/storage/quotas#buckets
var bucketUpdates = []string{"buckets.patch", "buckets.lockRetentionPolicy", "buckets.setIamPolicy"}

// storageCall is what a request asks of Cloud Storage.
type storageCall struct {
	// method is Google's name, such as buckets.get; "other" for what storageMethods lacks.
	method string
	// bucket is the bucket's name, if any.
	bucket string
}

// readStorageCall reads a request to the JSON API whose root is at the path.
func readStorageCall(req *http.Request, root string) storageCall {
	segments := strings.Split(strings.TrimPrefix(req.URL.EscapedPath(), root), "/")
	call := storageCall{method: "other"}
	if len(segments) > 1 && segments[0] == "b" {
		call.bucket = segments[1]
	}
	for i := 1; i < len(segments); i += 2 {
		segments[i] = "*"
	}
	// The names of actions are where those of collections are; only names of resources are replaced.
	if method, ok := storageMethods[req.Method+" "+strings.Join(segments, "/")]; ok {
		call.method = method
	}
	return call
}

func (c storageCall) updatesBucket() bool { return slices.Contains(bucketUpdates, c.method) }
