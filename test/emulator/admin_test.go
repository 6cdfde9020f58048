package emulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
)

// call makes a call over HTTP and returns the status and the body.
func call(t *testing.T, e *Emulator, verb, path, body string) (int, string) {
	t.Helper()
	return grpctest.Endpoints{URL: e.URL()}.Send(t, verb, path, body)
}

// must makes a call that has to succeed and returns its JSON.
func must(t *testing.T, e *Emulator, verb, path, body string) any {
	t.Helper()
	status, answer := call(t, e, verb, path, body)
	if status >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %d %s", verb, path, status, answer)
	}
	if answer == "" {
		return nil
	}
	var value any
	if err := json.Unmarshal([]byte(answer), &value); err != nil {
		t.Fatalf("%s %s: %v in %s", verb, path, err, answer)
	}
	return value
}

const (
	newBucket = "/storage/v1/b?project=my-project"
	oneBucket = "/storage/v1/b/admin-logs"
	oneTopic  = "/v1/projects/my-project/topics/events"
)

func TestConsoleIsNeitherCountedNorFaulted(t *testing.T) {
	e := StartTest(t)
	must(t, e, "POST", newBucket, `{"name": "admin-logs"}`)
	must(t, e, "PUT", oneTopic, `{"labels": {"a": "b"}}`)
	counts := must(t, e, "GET", "/emulator/counts", "")
	if diff := cmp.Diff(map[string]any{"storage buckets.insert": 1.0, "pubsub Publisher.CreateTopic": 1.0}, counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	must(t, e, "DELETE", "/emulator/counts", "")
	must(t, e, "POST", "/emulator/faults", `{"status": 503}`)
	must(t, e, "PATCH", "/emulator/storage/b/admin-logs", `{"labels": {"by": "console"}}`)
	must(t, e, "PATCH", "/emulator/pubsub/projects/my-project/topics/events", `{"labels": {"by": "console"}}`)
	if counts := must(t, e, "GET", "/emulator/counts", ""); len(counts.(map[string]any)) != 0 {
		t.Errorf("counted: %v", counts)
	}
	if status, _ := call(t, e, "GET", oneBucket, ""); status != http.StatusServiceUnavailable {
		t.Errorf("the service's own API: %d, want the fault", status)
	}
	must(t, e, "DELETE", "/emulator/faults", "")
	for _, path := range []string{oneBucket, oneTopic} {
		if labels := must(t, e, "GET", path, "").(map[string]any)["labels"]; labels.(map[string]any)["by"] != "console" {
			t.Errorf("%s: labels %v", path, labels)
		}
	}
	must(t, e, "POST", "/emulator/storage/upload/b/admin-logs/o?uploadType=media&name=one", "1")
	must(t, e, "DELETE", "/emulator/storage/b/admin-logs?force=true", "")
	must(t, e, "DELETE", "/emulator/pubsub/v1/projects/my-project/topics/events", "")
	for _, path := range []string{oneBucket, oneTopic} {
		if status, _ := call(t, e, "GET", path, ""); status != http.StatusNotFound {
			t.Errorf("%s after its deletion: %d", path, status)
		}
	}
}

func TestFaultsByAPI(t *testing.T) {
	e := StartTest(t)
	created := must(t, e, "POST", "/emulator/faults",
		`{"match": {"service": "storage", "method": "buckets.get"}, "times": 2, "status": 429, "retryAfter": "1500ms", "latency": "1ms"}`)
	if diff := cmp.Diff(map[string]any{"id": "1"}, created); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	if status, _ := call(t, e, "GET", oneBucket, ""); status != http.StatusTooManyRequests {
		t.Errorf("status %d", status)
	}
	want := []any{map[string]any{
		"id": "1", "match": map[string]any{"service": "storage", "method": "buckets.get"},
		"times": 2.0, "left": 1.0, "status": 429.0, "retryAfter": "1.5s", "latency": "1ms",
	}}
	if diff := cmp.Diff(want, must(t, e, "GET", "/emulator/faults", "")); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	must(t, e, "DELETE", "/emulator/faults/1", "")
	if diff := cmp.Diff([]any{}, must(t, e, "GET", "/emulator/faults", "")); diff != "" {
		t.Errorf("faults after removing (-want +got):\n%s", diff)
	}
}

func TestAdminRefuses(t *testing.T) {
	e := StartTest(t)
	for name, c := range map[string]struct{ verb, path, body, sentence string }{
		"a fault that does nothing": {"POST", "/emulator/faults", `{}`, "a fault needs one of latency, status, loseReply and outage"},
		"a fault with a typo":       {"POST", "/emulator/faults", `{"staus": 503}`, `reading the request: json: unknown field "staus"`},
		"a fault that is a success": {"POST", "/emulator/faults", `{"status": 200}`, "status 200: want an HTTP error, 400 to 599"},
		"a latency without a unit":  {"POST", "/emulator/faults", `{"latency": "5"}`, `latency "5": want a duration such as "500ms" or "2s"`},
		"a quota of nothing":        {"PUT", "/emulator/quotas", `{"perMinute": 5}`, `a quota needs a service, such as "storage"`},
		"a project with a bad ID":   {"POST", "/emulator/projects", `{"id": "A"}`, `project ID "A": want at most 30 lower-case letters, digits and hyphens, beginning with a letter`},
		"a journal since yesterday": {"GET", "/emulator/journal?since=yesterday", ``, "since=yesterday: want the sequence number of a call"},
		"a state that is none":      {"PUT", "/emulator/state", `[]`, "reading a state: json: cannot unmarshal array into Go value of type map[string]json.RawMessage"},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := call(t, e, c.verb, c.path, c.body)
			if status != http.StatusBadRequest || strings.TrimSpace(answer) != c.sentence {
				t.Errorf("%d %s", status, answer)
			}
		})
	}
}

func TestQuotaByAPI(t *testing.T) {
	e := StartTest(t)
	must(t, e, "PUT", "/emulator/quotas", `{"service": "storage", "project": "my-project", "perMinute": 1}`)
	must(t, e, "POST", newBucket, `{"name": "admin-logs"}`)
	status, body := call(t, e, "GET", oneBucket, "")
	if status != http.StatusTooManyRequests || !strings.Contains(body, "Quota exceeded for quota metric 'Read requests'") {
		t.Errorf("beyond the quota: %d %s", status, body)
	}
	if diff := cmp.Diff(map[string]any{"storage": map[string]any{"my-project": 1.0}}, must(t, e, "GET", "/emulator/quotas", "")); diff != "" {
		t.Errorf("quotas (-want +got):\n%s", diff)
	}
}

func TestJournalByAPI(t *testing.T) {
	e := StartTest(t)
	must(t, e, "POST", newBucket, `{"name": "admin-logs"}`)
	must(t, e, "GET", oneBucket, "")
	paths := func(query string) []string {
		var all []string
		for _, entry := range must(t, e, "GET", "/emulator/journal"+query, "").([]any) {
			all = append(all, entry.(map[string]any)["path"].(string))
		}
		return all
	}
	for query, want := range map[string][]string{
		"":                     {newBucket, oneBucket},
		"?writes=true":         {newBucket},
		"?since=1":             {oneBucket},
		"?since=1&writes=true": nil,
	} {
		if diff := cmp.Diff(want, paths(query)); diff != "" {
			t.Errorf("journal%s (-want +got):\n%s", query, diff)
		}
	}
	must(t, e, "POST", "/emulator/journal:stop", "")
	must(t, e, "DELETE", "/emulator/journal", "")
	must(t, e, "GET", oneBucket, "")
	must(t, e, "POST", "/emulator/journal:record", "")
	must(t, e, "GET", oneBucket, "")
	if got := paths(""); len(got) != 1 {
		t.Errorf("recorded %v", got)
	}
}

func TestStateByAPI(t *testing.T) {
	e := StartTest(t, Options{Projects: []projects.Project{{ID: "my-project", Number: 1234}}})
	must(t, e, "POST", newBucket, `{"name": "admin-logs"}`)
	must(t, e, "PUT", oneTopic, `{"labels": {"a": "b"}}`)
	_, dump := call(t, e, "GET", "/emulator/state", "")
	other := StartTest(t)
	must(t, other, "PUT", "/emulator/state", dump)
	for _, path := range []string{oneBucket, oneTopic} {
		if diff := cmp.Diff(must(t, e, "GET", path, ""), must(t, other, "GET", path, "")); diff != "" {
			t.Errorf("%s (-dumped +loaded):\n%s", path, diff)
		}
	}
	want := []any{map[string]any{"id": "my-project", "number": 1234.0}}
	if diff := cmp.Diff(want, must(t, other, "GET", "/emulator/projects", "")); diff != "" {
		t.Errorf("projects (-want +got):\n%s", diff)
	}
}

func TestStrictProjects(t *testing.T) {
	e := StartTest(t, Options{Strict: true})
	if status, _ := call(t, e, "POST", newBucket, `{"name": "admin-logs"}`); status != http.StatusBadRequest {
		t.Errorf("in a project that is not there: %d", status)
	}
	must(t, e, "POST", "/emulator/projects", `{"id": "my-project", "number": 77}`)
	bucket := must(t, e, "POST", newBucket, `{"name": "admin-logs"}`).(map[string]any)
	if bucket["projectNumber"] != "77" {
		t.Errorf("project number %v", bucket["projectNumber"])
	}
}

func TestStartRefusesATakenPort(t *testing.T) {
	e := StartTest(t)
	for name, o := range map[string]Options{
		"HTTP": {HTTPAddr: e.GRPCAddr()},
		"gRPC": {GRPCAddr: e.GRPCAddr()},
	} {
		other, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "listening for "+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAProjectThatIsShutDown can be read and restored, and nothing in it can be
// used, except in the console.
func TestAProjectThatIsShutDown(t *testing.T) {
	e, _ := newCloud(t)
	must(t, e, "DELETE", "/v3/projects/my-project", "")
	for _, c := range []struct {
		verb, path, body string
		status           int
		says             string
	}{
		{"GET", "/v3/projects/my-project", "", 200, "DELETE_REQUESTED"},
		{"POST", "/v3/projects/my-project:getIamPolicy", "{}", 200, "etag"},
		{"POST", "/v3/projects/my-project:setIamPolicy", `{"policy": {}}`, 400, "FAILED_PRECONDITION"},
		{"GET", oneBucket, "", 403, "accountDisabled"},
		{"POST", newBucket, `{"name": "more"}`, 403, "accountDisabled"},
		{"GET", oneTopic, "", 403, "has been deleted"},
		{"PUT", "/v1/projects/my-project/topics/more", "{}", 403, "CONSUMER_INVALID"},
		{"GET", oneAccount, "", 403, "has been deleted"},
		{"GET", "/emulator/storage/b/admin-logs", "", 200, "admin-logs"},
	} {
		if status, body := call(t, e, c.verb, c.path, c.body); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s %s: %d %s", c.verb, c.path, status, body)
		}
	}
	must(t, e, "POST", "/v3/projects/my-project:undelete", "{}")
	for _, path := range []string{oneBucket, oneTopic, oneAccount} {
		must(t, e, "GET", path, "")
	}
}
