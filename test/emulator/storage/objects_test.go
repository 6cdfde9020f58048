package storage

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func encode(t testing.TB, value any) []byte {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// names lists the objects of a list's answer, and its prefixes after them.
func names(doc document) []string {
	var all []string
	for _, item := range list(doc, "items") {
		all = append(all, text(item.(document), "name"))
	}
	return append(all, texts(doc, "prefixes")...)
}

func TestListObjects(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", "")
	for _, name := range []string{"a", "dir%2Fx", "dir%2Fy", "dir%2Fsub%2Fz", "z"} {
		h.put(t, "logs", name, "1")
	}
	for query, want := range map[string][]string{
		"":                              {"a", "dir/sub/z", "dir/x", "dir/y", "z"},
		"prefix=dir/":                   {"dir/sub/z", "dir/x", "dir/y"},
		"delimiter=/":                   {"a", "z", "dir/"},
		"delimiter=/&prefix=dir/":       {"dir/x", "dir/y", "dir/sub/"},
		"startOffset=dir/x&endOffset=z": {"dir/x", "dir/y"},
		"maxResults=2":                  {"a", "dir/sub/z"},
		"maxResults=2&delimiter=/":      {"a", "dir/"},
		"prefix=nothing":                nil,
		"softDeleted=true":              nil,
	} {
		if diff := cmp.Diff(want, names(h.must(t, "GET", "/b/logs/o?"+query, ""))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
}

func TestListObjectsPageByPage(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", "")
	for _, name := range []string{"a", "b%2F1", "b%2F2", "c"} {
		h.put(t, "logs", name, "1")
	}
	var all []string
	for token, pages := "", 0; pages < 5; pages++ {
		doc := h.must(t, "GET", "/b/logs/o?maxResults=1&delimiter=/&pageToken="+url.QueryEscape(token), "")
		all = append(all, names(doc)...)
		if token = text(doc, "nextPageToken"); token == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"a", "b/", "c"}, all); diff != "" {
		t.Errorf("all pages (-want +got):\n%s", diff)
	}
}

func TestVersions(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", `"versioning": {"enabled": true}, "softDeletePolicy": {"retentionDurationSeconds": 0}`)
	first := h.put(t, "logs", "one", "1")
	second := h.put(t, "logs", "one", "2")
	if first == second {
		t.Fatal("two generations of one number")
	}
	h.must(t, "DELETE", "/b/logs/o/one", "")
	if a := h.do(t, "GET", "/b/logs/o/one", ""); a.status != http.StatusNotFound || a.message() != "No such object: logs/one" {
		t.Errorf("the live version: %d %s", a.status, a.message())
	}
	versions := list(h.must(t, "GET", "/b/logs/o?versions=true", ""), "items")
	if len(versions) != 2 || text(versions[0].(document), "generation") != first || text(versions[1].(document), "timeDeleted") == "" {
		t.Errorf("versions: %v", versions)
	}
	if a := h.do(t, "GET", "/b/logs/o/one?alt=media&generation="+first, ""); a.body != "1" {
		t.Errorf("the first version: %q", a.body)
	}
	for _, generation := range []string{first, second} {
		if a := h.do(t, "DELETE", "/b/logs", ""); a.status != http.StatusConflict {
			t.Errorf("deleting with versions: %d", a.status)
		}
		h.must(t, "DELETE", "/b/logs/o/one?generation="+generation, "")
	}
	h.must(t, "DELETE", "/b/logs", "")
}

func TestDeletedObjectsCanComeBack(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", "")
	generation := h.put(t, "logs", "one", "content")
	h.must(t, "DELETE", "/b/logs/o/one", "")
	shown := h.must(t, "GET", "/b/logs/o/one?softDeleted=true&generation="+generation, "")
	if text(shown, "hardDeleteTime") != "2026-03-08T12:00:00.000Z" {
		t.Errorf("soft-deleted: %v", shown)
	}
	restored := h.must(t, "POST", "/b/logs/o/one/restore?generation="+generation, "")
	if text(restored, "generation") == generation {
		t.Error("restoring gave no new generation")
	}
	h.must(t, "DELETE", "/b/logs/o/one", "")
	h.now = h.now.Add(8 * 24 * time.Hour)
	if got := names(h.must(t, "GET", "/b/logs/o?softDeleted=true", "")); got != nil {
		t.Errorf("after the time is over: %v", got)
	}
}

func TestDeletedObjectsStayWhileHardDeletesArePaused(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", `"softDeletePolicy": {"hardDeletePause": {"enabled": true, "effectiveTime": "2020-01-01T00:00:00Z"}}`)
	h.put(t, "logs", "one", "content")
	h.must(t, "DELETE", "/b/logs/o/one", "")
	h.now = h.now.Add(8 * 24 * time.Hour)
	if got := names(h.must(t, "GET", "/b/logs/o?softDeleted=true", "")); len(got) != 1 {
		t.Errorf("paused: %v", got)
	}
	shown := h.must(t, "PATCH", "/b/logs", `{"softDeletePolicy": {"retentionDurationSeconds": "864000"}}`)
	if since := text(shown, "softDeletePolicy", "hardDeletePause", "effectiveTime"); since != "2026-03-01T12:00:00.000Z" {
		t.Errorf("paused since %q", since)
	}
	shown = h.must(t, "PATCH", "/b/logs", `{"softDeletePolicy": {"hardDeletePause": {"enabled": false}}}`)
	if object(shown, "softDeletePolicy", "hardDeletePause") != nil {
		t.Errorf("not paused: %v", shown["softDeletePolicy"])
	}
	if got := names(h.must(t, "GET", "/b/logs/o?softDeleted=true", "")); got != nil {
		t.Errorf("not paused: %v", got)
	}
}

func TestProtectedObjects(t *testing.T) {
	for name, c := range map[string]struct {
		bucket, query, object string
		want                  refusal
	}{
		"by the bucket's policy": {
			`"retentionPolicy": {"retentionPeriod": 3600}`, "", `{}`,
			refusal{403, "retentionPolicyNotMet", "Object 'kept/one' is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until 2026-03-01T13:00:00Z"},
		},
		"by its own retention": {
			``, "&enableObjectRetention=true", `{"retention": {"mode": "Unlocked", "retainUntilTime": "2026-03-01T14:00:00Z"}}`,
			refusal{403, "retentionPolicyNotMet", "Object 'kept/one' is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until 2026-03-01T14:00:00Z"},
		},
		"by a temporary hold": {
			``, "", `{"temporaryHold": true}`,
			refusal{403, "objectUnderActiveHold", "Object 'kept/one' is under active Temporary hold and cannot be deleted, overwritten or archived until hold is removed."},
		},
		"by the default hold": {
			`"defaultEventBasedHold": true`, "", `{}`,
			refusal{403, "objectUnderActiveHold", "Object 'kept/one' is under active Event-Based hold and cannot be deleted, overwritten or archived until hold is removed."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			fields := strings.TrimSuffix(`"name": "kept", `+c.bucket, ", ")
			h.must(t, "POST", "/b?project="+testProject+c.query, "{"+fields+"}")
			h.put(t, "kept", "one", "1")
			h.must(t, "PATCH", "/b/kept/o/one", c.object)
			for verb, path := range map[string]string{
				"DELETE": "/b/kept/o/one", "POST": uploadPath + "/b/kept/o?uploadType=media&name=one",
			} {
				a := h.do(t, verb, path, "")
				if diff := cmp.Diff(c.want, refusal{a.status, a.reason(), a.message()}); diff != "" {
					t.Errorf("%s (-want +got):\n%s", verb, diff)
				}
			}
		})
	}
}

func TestRetentionEnds(t *testing.T) {
	h := newHarness(t)
	h.create(t, "kept", `"retentionPolicy": {"retentionPeriod": 3600}`)
	h.put(t, "kept", "one", "1")
	if until := text(h.must(t, "GET", "/b/kept/o/one", ""), "retentionExpirationTime"); until != "2026-03-01T13:00:00.000Z" {
		t.Errorf("retention expires at %s", until)
	}
	h.now = h.now.Add(time.Hour)
	h.must(t, "DELETE", "/b/kept/o/one", "")
}

func TestLockedObjectRetention(t *testing.T) {
	h := newHarness(t)
	h.must(t, "POST", "/b?enableObjectRetention=true&project="+testProject, `{"name": "kept"}`)
	h.put(t, "kept", "one", "1")
	h.must(t, "PATCH", "/b/kept/o/one", `{"retention": {"mode": "Unlocked", "retainUntilTime": "2026-03-02T00:00:00Z"}}`)
	if a := h.do(t, "PATCH", "/b/kept/o/one", `{"retention": null}`); a.status != http.StatusForbidden {
		t.Errorf("removing without the override: %d", a.status)
	}
	h.must(t, "PATCH", "/b/kept/o/one?overrideUnlockedRetention=true", `{"retention": {"mode": "Unlocked", "retainUntilTime": "2026-03-01T13:00:00Z"}}`)
	h.must(t, "PATCH", "/b/kept/o/one", `{"retention": {"mode": "Locked", "retainUntilTime": "2026-03-01T13:00:00Z"}}`)
	if a := h.do(t, "PATCH", "/b/kept/o/one?overrideUnlockedRetention=true", `{"retention": null}`); a.status != http.StatusForbidden {
		t.Errorf("removing a locked one: %d", a.status)
	}
	h.put(t, "kept", "two", "2")
	for _, half := range []string{`{"mode": "Locked"}`, `{"retainUntilTime": "2026-03-02T00:00:00Z"}`} {
		if a := h.do(t, "PATCH", "/b/kept/o/two", `{"retention": `+half+`}`); a.status != http.StatusBadRequest {
			t.Errorf("half of one, %s: %d", half, a.status)
		}
	}
	h.create(t, "plain", "")
	h.put(t, "plain", "one", "1")
	if a := h.do(t, "PATCH", "/b/plain/o/one", `{"retention": {"mode": "Locked", "retainUntilTime": "2026-03-02T00:00:00Z"}}`); a.status != http.StatusBadRequest {
		t.Errorf("in a bucket without object retention: %d", a.status)
	}
}

func TestWriteConditions(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", "")
	const write = uploadPath + "/b/logs/o?uploadType=media&name=one"
	h.must(t, "POST", write+"&ifGenerationMatch=0", "1")
	if a := h.do(t, "POST", write+"&ifGenerationMatch=0", "1"); a.status != http.StatusPreconditionFailed {
		t.Errorf("creating what is there: %d", a.status)
	}
	if a := h.do(t, "DELETE", "/b/logs/o/one?ifGenerationMatch=17", ""); a.status != http.StatusPreconditionFailed {
		t.Errorf("deleting another generation: %d", a.status)
	}
	h.must(t, "DELETE", "/b/logs/o/one?ifMetagenerationMatch=1", "")
}

// TestMultipart sends what gcloud sends: its boundary has single quotes.
func TestMultipart(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", "")
	for name, contentType := range map[string]string{
		"plain":         `multipart/related; boundary=mark`,
		"double-quoted": `multipart/related; boundary="mark"`,
		"single-quoted": `multipart/related; boundary='==mark=='`,
	} {
		mark := "mark"
		if name == "single-quoted" {
			mark = "==mark=="
		}
		body := "--" + mark + "\r\nContent-Type: application/json\r\n\r\n{\"name\": \"" + name + "\"}\r\n--" + mark +
			"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--" + mark + "--"
		doc := h.must(t, "POST", uploadPath+"/b/logs/o?uploadType=multipart", body, "Content-Type", contentType)
		got := []string{text(doc, "name"), text(doc, "contentType"), text(doc, "size"), text(doc, "crc32c")}
		if diff := cmp.Diff([]string{name, "text/plain", "5", "mnG7TA=="}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name, c := range map[string][2]string{
		"no boundary":  {"multipart/related", "hello"},
		"no content":   {"multipart/related; boundary=m", "--m\r\n\r\n{}\r\n--m--"},
		"a wrong hash": {"multipart/related; boundary=m", "--m\r\n\r\n{\"name\": \"x\", \"crc32c\": \"AAAAAA==\"}\r\n--m\r\n\r\nhello\r\n--m--"},
		"no name":      {"multipart/related; boundary=m", "--m\r\n\r\n{}\r\n--m\r\n\r\nhello\r\n--m--"},
	} {
		if a := h.do(t, "POST", uploadPath+"/b/logs/o?uploadType=multipart", c[1], "Content-Type", c[0]); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

func TestResumable(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", "")
	start := h.do(t, "POST", resumablePath+"/b/logs/o?uploadType=resumable", `{"name": "big"}`, "X-Upload-Content-Type", "text/plain")
	location, err := url.Parse(start.header.Get("Location"))
	if err != nil || location.Path == "" {
		t.Fatalf("location %q: %v", start.header.Get("Location"), err)
	}
	target := location.RequestURI()
	if a := h.do(t, "PUT", target, "hello ", "Content-Range", "bytes 0-5/*"); a.status != http.StatusPermanentRedirect || a.header.Get("Range") != "bytes=0-5" {
		t.Errorf("first piece: %d, range %q", a.status, a.header.Get("Range"))
	}
	a := h.do(t, "PUT", target, "", "Content-Range", "bytes */*", "X-Guploader-No-308", "yes")
	if a.status != http.StatusOK || a.header.Get("X-Http-Status-Code-Override") != "308" {
		t.Errorf("asking how far it is: %d, override %q", a.status, a.header.Get("X-Http-Status-Code-Override"))
	}
	if a := h.do(t, "PUT", target, "x", "Content-Range", "bytes 9-9/10"); a.status != http.StatusServiceUnavailable {
		t.Errorf("a piece too far on: %d", a.status)
	}
	done := h.must(t, "PUT", target, "world", "Content-Range", "bytes 6-10/11")
	if text(done, "size") != "11" || text(done, "contentType") != "text/plain" {
		t.Errorf("whole: %v", done)
	}
	if a := h.do(t, "PUT", target, "x"); a.status != http.StatusNotFound {
		t.Errorf("going on after the end: %d", a.status)
	}
}

// TestReadByPath reads as the XML API does.
func TestReadByPath(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", "")
	generation := h.put(t, "logs", "dir%2Fone", "content")
	a := h.do(t, "GET", "/logs/dir/one", "", "Range", "bytes=3-")
	if a.status != http.StatusPartialContent || a.body != "tent" || a.header.Get("X-Goog-Generation") != generation {
		t.Errorf("%d %q %v", a.status, a.body, a.header)
	}
	for path, code := range map[string]string{"/logs/none": "NoSuchKey", "/none/one": "NoSuchBucket"} {
		if a := h.do(t, "GET", path, ""); a.status != http.StatusNotFound || !strings.Contains(a.body, code) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}
