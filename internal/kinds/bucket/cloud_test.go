package bucket

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// ref is the bucket of these tests.
var ref = kind.Ref{Project: "some-project", ID: "logs", Ownership: map[string]string{
	"holdfast-owner": "cluster", "holdfast-namespace": "default", "holdfast-name": "logs",
}}

// request is a request as it went over the wire.
type request struct {
	Method, URL, Body string
}

// cloud is a Cloud Storage with one bucket. It answers as Google does, remembers what it was asked, and is the transport
// itself: nothing goes over a network.
type cloud struct {
	bucket  object // nil: there is none
	objects []object
	// others are what else is in the bucket, by the path of its list.
	others   map[string][]object
	requests []request
	// fail, if set, may answer in place of the cloud: with a status other than 0.
	fail func(request) (status int, body string)
}

// newCloud returns an empty cloud and the kind that talks to it.
func newCloud(t testing.TB) (*Kind, *cloud) {
	t.Helper()
	c := &cloud{}
	return New(clients{c}), c
}

// clients go over a transport.
type clients struct{ transport http.RoundTripper }

const endpoint = "http://cloud/storage/v1/"

func (c clients) StorageService(ctx context.Context, _ string) (*gcp.StorageService, error) {
	return gcp.NewStorageService(ctx, &http.Client{Transport: c.transport}, endpoint)
}

func (c *cloud) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	query := r.URL.Query()
	for _, noise := range []string{"alt", "prettyPrint", "projection"} {
		query.Del(noise)
	}
	path := strings.TrimPrefix(r.URL.Path, "/storage/v1")
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	req := request{Method: r.Method, URL: path, Body: strings.TrimSpace(string(body))}
	c.requests = append(c.requests, req)
	status, answer := c.answer(req)
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}},
		Body: io.NopCloser(strings.NewReader(answer)), Request: r,
	}, nil
}

const (
	notFound = `{"error":{"code":404,"message":"The specified bucket does not exist.","errors":[{"reason":"notFound"}]}}`
	conflict = `{"error":{"code":412,"message":"At least one of the pre-conditions you specified did not hold.","errors":[{"reason":"conditionNotMet"}]}}`
)

func (c *cloud) answer(req request) (int, string) {
	if c.fail != nil {
		if status, body := c.fail(req); status != 0 {
			return status, body
		}
	}
	path, query, _ := strings.Cut(req.URL, "?")
	var sent object
	if req.Body != "" {
		if err := json.Unmarshal([]byte(req.Body), &sent); err != nil {
			return http.StatusBadRequest, err.Error()
		}
	}
	if req.Method == http.MethodPost && path == "/b" {
		c.bucket = answerInsert(query, sent)
		return http.StatusOK, mustEncode(c.bucket)
	}
	if c.bucket == nil {
		return http.StatusNotFound, notFound
	}
	if values, err := url.ParseQuery(query); err == nil && values.Has("ifMetagenerationMatch") && values.Get("ifMetagenerationMatch") != c.bucket["metageneration"] {
		return http.StatusPreconditionFailed, conflict
	}
	switch name := "/b/" + c.bucket["name"].(string); {
	case req.Method == http.MethodPatch && path == name:
		c.bucket = answerPatch(c.bucket, sent)
	case req.Method == http.MethodPost && path == name+"/lockRetentionPolicy":
		c.bucket = answerPatch(c.bucket, object{"retentionPolicy": object{"isLocked": true}})
	case req.Method == http.MethodDelete && path == name:
		c.bucket = nil
		return http.StatusNoContent, ""
	case req.Method == http.MethodGet && strings.HasPrefix(path, name+"/"):
		return http.StatusOK, c.list(strings.TrimPrefix(path, name+"/"), query)
	case req.Method == http.MethodDelete:
		return c.deleteObject(strings.TrimPrefix(path, name+"/o/") + "#" + query)
	}
	return http.StatusOK, mustEncode(c.bucket)
}

// list answers with a page of objects, or of what else is in the bucket; there is another if it is the first.
func (c *cloud) list(what, query string) string {
	values, _ := url.ParseQuery(query)
	page := object{"items": c.others[what]}
	if what == "o" {
		page = object{"items": c.objects}
	}
	if values.Get("pageToken") == "" {
		page["nextPageToken"] = "more"
	}
	return mustEncode(page)
}

// deleteObject deletes one generation, as in "name#generation=1".
func (c *cloud) deleteObject(id string) (int, string) {
	before := len(c.objects)
	c.objects = slices.DeleteFunc(c.objects, func(o object) bool {
		return fmt.Sprintf("%s#generation=%s", o["name"], o["generation"]) == id
	})
	if len(c.objects) == before {
		return http.StatusNotFound, notFound
	}
	return http.StatusNoContent, ""
}

func mustEncode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // it came from JSON
	}
	return string(b)
}

// object is a JSON object.
type object = map[string]any

// answerInsert turns the body of an insert into the bucket that Google answers with: defaults filled in, names in upper
// case, empty settings gone.
func answerInsert(query string, sent object) object {
	b := maps.Clone(sent)
	setDefault(b, "location", "US")
	setDefault(b, "storageClass", "STANDARD")
	setDefault(b, "softDeletePolicy", object{"retentionDurationSeconds": "604800", "effectiveTime": "2026-01-02T03:04:05.678Z"})
	location := strings.ToUpper(b["location"].(string))
	b["location"] = location
	switch {
	case strings.Contains(location, "-"):
		b["locationType"] = "region"
	case b["customPlacementConfig"] != nil || strings.ContainsAny(location, "0123456789"):
		b["locationType"] = "dual-region"
	default:
		b["locationType"] = "multi-region"
	}
	if b["locationType"] != "region" {
		setDefault(b, "rpo", "DEFAULT")
	}
	if strings.Contains(query, "enableObjectRetention=true") {
		b["objectRetention"] = object{"mode": "Enabled"}
	}
	maps.Copy(b, object{
		"kind": "storage#bucket", "id": b["name"], "projectNumber": "123456789", "metageneration": "1",
		"selfLink":    "https://www.googleapis.com/storage/v1/b/" + b["name"].(string),
		"timeCreated": "2026-01-02T03:04:05.678Z", "updated": "2026-01-02T03:04:05.678Z",
	})
	settle(b)
	return b
}

// answerPatch merges a patch into a bucket, as RFC 7386 says.
func answerPatch(bucket, patch object) object {
	b := mergePatch(bucket, patch)
	if generation, err := strconv.Atoi(bucket["metageneration"].(string)); err == nil {
		b["metageneration"] = strconv.Itoa(generation + 1)
	}
	settle(b)
	return b
}

// settle is what Google does with any new state of a bucket.
func settle(b object) {
	if rules, _ := section(b, "lifecycle")["rule"].([]any); len(rules) == 0 {
		delete(b, "lifecycle")
	}
	if cors, _ := b["cors"].([]any); len(cors) == 0 {
		delete(b, "cors")
	}
	if b["defaultEventBasedHold"] == false {
		delete(b, "defaultEventBasedHold")
	}
	if logging := section(b, "logging"); len(logging) > 0 {
		setDefault(logging, "logObjectPrefix", b["name"])
	}
	if autoclass := section(b, "autoclass"); len(autoclass) > 0 {
		if autoclass["enabled"] == true {
			setDefault(autoclass, "terminalStorageClass", "NEARLINE")
		}
		autoclass["toggleTime"] = "2026-01-02T03:04:05.678Z"
	}
	if policy := section(b, "retentionPolicy"); len(policy) > 0 {
		policy["effectiveTime"] = "2026-01-02T03:04:05.678Z"
	}
	if b["iamConfiguration"] == nil {
		b["iamConfiguration"] = object{}
	}
	iam := section(b, "iamConfiguration")
	setDefault(iam, "publicAccessPrevention", "inherited")
	setDefault(iam, "uniformBucketLevelAccess", object{"enabled": false})
	if autoclass := section(b, "autoclass"); autoclass["enabled"] == false {
		delete(autoclass, "terminalStorageClass")
	}
}

func section(b object, name string) object {
	s, _ := b[name].(object)
	return s
}

func setDefault(o object, key string, value any) {
	if _, ok := o[key]; !ok {
		o[key] = value
	}
}

func mergePatch(target, patch object) object {
	out := maps.Clone(target)
	if out == nil {
		out = object{}
	}
	for key, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(out, key)
		case object:
			out[key] = mergePatch(section(out, key), value)
		default:
			out[key] = value
		}
	}
	return out
}
