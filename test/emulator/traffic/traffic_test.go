package traffic

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// server is a service that counts what it carries out. Its calls are named
// by the path: /METHOD/PROJECT/RESOURCE.
type server struct {
	*Control
	url      string
	executed chan string
	now      time.Time
}

func newServer(t *testing.T, refuse ErrorBody) *server {
	t.Helper()
	s := &server{executed: make(chan string, 100), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	s.Control = New(WithClock(func() time.Time { return s.now }))
	classify := func(r *http.Request) Call {
		parts := strings.Split(r.URL.Path, "/")
		if len(parts) < 4 {
			return Call{}
		}
		return Call{Service: "storage", Method: parts[1], Project: parts[2], Resource: parts[3]}
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.executed <- string(body)
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte("done"))
	})
	listening := httptest.NewServer(s.Middleware(classify, refuse)(handler))
	t.Cleanup(func() {
		s.Close()
		listening.Close()
	})
	s.url = listening.URL
	return s
}

// answer is what came back of a call.
type answer struct {
	status     int
	retryAfter string
	body       string
}

func (s *server) post(t *testing.T, path, body string) (answer, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header.Get("Retry-After"), string(content)}, err
}

func (s *server) status(t *testing.T, path string) int {
	t.Helper()
	a, err := s.post(t, path, "")
	if err != nil {
		t.Fatal(err)
	}
	return a.status
}

func TestMatches(t *testing.T) {
	call := Call{Service: "storage", Method: "buckets.get", Project: "p", Resource: "b"}
	for name, c := range map[string]struct {
		pattern Call
		want    bool
	}{
		"anything":         {Call{}, true},
		"the same":         {call, true},
		"its service":      {Call{Service: "storage"}, true},
		"another service":  {Call{Service: "pubsub"}, false},
		"another method":   {Call{Method: "buckets.list"}, false},
		"another project":  {Call{Method: "buckets.get", Project: "q"}, false},
		"another resource": {Call{Resource: "c"}, false},
	} {
		if got := call.Matches(c.pattern); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestIsWrite(t *testing.T) {
	for method, want := range map[string]bool{
		"buckets.get": false, "buckets.list": false, "buckets.getIamPolicy": false, "buckets.testIamPermissions": false,
		"Publisher.GetTopic": false, "Publisher.ListTopics": false, "SchemaService.ValidateSchema": false,
		"Projects.SearchProjects": false,
		"buckets.insert":          true, "buckets.patch": true, "buckets.lockRetentionPolicy": true, "objects.delete": true,
		"Publisher.CreateTopic": true, "Publisher.UpdateTopic": true, "Projects.SetIamPolicy": true,
	} {
		if got := (Call{Method: method}).IsWrite(); got != want {
			t.Errorf("%s: %v", method, got)
		}
	}
}

func TestCounts(t *testing.T) {
	s := newServer(t, StorageErrors)
	s.status(t, "/buckets.get/p/a")
	s.status(t, "/buckets.get/q/b")
	s.status(t, "/buckets.patch/p/a")
	s.status(t, "/unnamed")
	want := map[string]int{"storage buckets.get": 2, "storage buckets.patch": 1}
	if diff := cmp.Diff(want, s.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	got := []int{s.Total(), s.Total("storage"), s.Total("pubsub"), s.Count(Call{Project: "p"}), s.Count(Call{Resource: "b"})}
	if diff := cmp.Diff([]int{3, 3, 0, 2, 1}, got); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
	s.ResetCounts()
	if s.Total() != 0 {
		t.Errorf("after the reset: %d", s.Total())
	}
}

func TestFaultsFollowEachOther(t *testing.T) {
	s := newServer(t, StorageErrors)
	s.Inject(Fault{Times: 2, Status: http.StatusServiceUnavailable})
	s.Inject(Fault{Times: 1, Status: http.StatusTooManyRequests})
	var got []int
	for range 4 {
		got = append(got, s.status(t, "/buckets.get/p/a"))
	}
	if diff := cmp.Diff([]int{503, 503, 429, 201}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if len(s.executed) != 1 || s.Total() != 4 {
		t.Errorf("%d carried out and %d counted, want 1 and 4", len(s.executed), s.Total())
	}
	if faults := s.Faults(); len(faults) != 0 {
		t.Errorf("used up, but still there: %v", faults)
	}
}

func TestFaultsUntilRemoved(t *testing.T) {
	s := newServer(t, StorageErrors)
	id := s.Inject(Fault{Match: Call{Resource: "a"}, Status: http.StatusForbidden})
	for range 3 {
		if got := s.status(t, "/buckets.get/p/a"); got != http.StatusForbidden {
			t.Errorf("status %d", got)
		}
	}
	if got := s.status(t, "/buckets.get/p/b"); got != http.StatusCreated {
		t.Errorf("another resource: %d", got)
	}
	if faults := s.Faults(); len(faults) != 1 || faults[0].ID != id || faults[0].Status != http.StatusForbidden {
		t.Errorf("faults: %v", faults)
	}
	s.Remove(id)
	if got := s.status(t, "/buckets.get/p/a"); got != http.StatusCreated {
		t.Errorf("after removing: %d", got)
	}
}

func TestLatenciesAddUp(t *testing.T) {
	s := newServer(t, StorageErrors)
	s.Inject(Fault{Latency: 30 * time.Millisecond})
	s.Inject(Fault{Latency: 20 * time.Millisecond, Times: 1, Status: http.StatusServiceUnavailable})
	start := time.Now()
	if got := s.status(t, "/buckets.get/p/a"); got != http.StatusServiceUnavailable {
		t.Errorf("status %d", got)
	}
	if took := time.Since(start); took < 50*time.Millisecond {
		t.Errorf("took %v, want 50ms or more", took)
	}
}

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

func TestLostReply(t *testing.T) {
	s := newServer(t, StorageErrors)
	s.Record(true)
	s.Inject(Fault{Times: 1, LoseReply: true})
	if _, err := s.post(t, "/buckets.patch/p/a", "x"); err == nil {
		t.Error("the reply came")
	}
	if got := <-s.executed; got != "x" {
		t.Errorf("carried out with %q", got)
	}
	if entry := s.Journal()[0]; !entry.Lost || !entry.Executed || entry.Status != http.StatusCreated {
		t.Errorf("entry: %+v", entry)
	}
}

func TestOutage(t *testing.T) {
	s := newServer(t, StorageErrors)
	id := s.Inject(Fault{Outage: true})
	if _, err := s.post(t, "/buckets.patch/p/a", ""); err == nil {
		t.Error("an answer came")
	}
	if len(s.executed) != 0 || s.Total() != 0 {
		t.Errorf("%d carried out, %d counted", len(s.executed), s.Total())
	}
	s.Remove(id)
	if got := s.status(t, "/buckets.patch/p/a"); got != http.StatusCreated {
		t.Errorf("after the outage: %d", got)
	}
}

func TestQuota(t *testing.T) {
	s := newServer(t, StorageErrors)
	s.SetQuota("storage", "", 2)
	s.SetQuota("storage", "rich", 3)
	got := map[string][]int{}
	for range 4 {
		for _, project := range []string{"poor", "other", "rich"} {
			got[project] = append(got[project], s.status(t, "/buckets.get/"+project+"/a"))
		}
	}
	want := map[string][]int{"poor": {201, 201, 429, 429}, "other": {201, 201, 429, 429}, "rich": {201, 201, 201, 429}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	s.now = s.now.Add(time.Minute)
	if got := s.status(t, "/buckets.get/poor/a"); got != http.StatusCreated {
		t.Errorf("a minute later: %d", got)
	}
	if diff := cmp.Diff(map[string]map[string]int{"storage": {"": 2, "rich": 3}}, s.Quotas()); diff != "" {
		t.Errorf("quotas (-want +got):\n%s", diff)
	}
	s.SetQuota("storage", "rich", 0)
	s.SetQuota("storage", "", 0)
	for range 5 {
		if got := s.status(t, "/buckets.get/poor/a"); got != http.StatusCreated {
			t.Errorf("without a quota: %d", got)
		}
	}
}

func TestBreakpoint(t *testing.T) {
	s := newServer(t, StorageErrors)
	held := s.Pause(Call{Method: "buckets.patch"})
	if got := s.status(t, "/buckets.get/p/a"); got != http.StatusCreated {
		t.Errorf("a call that does not match: %d", got)
	}
	<-s.executed
	answered := make(chan error, 1)
	go func() {
		_, err := s.post(t, "/buckets.patch/p/a", "held")
		answered <- err
	}()
	reached := <-held.Reached()
	if diff := cmp.Diff(Call{"storage", "buckets.patch", "p", "a"}, reached); diff != "" {
		t.Errorf("reached (-want +got):\n%s", diff)
	}
	if len(s.executed) != 0 {
		t.Error("carried out before it was released")
	}
	if got := s.status(t, "/buckets.patch/p/b"); got != http.StatusCreated {
		t.Errorf("the next call is held too: %d", got)
	}
	<-s.executed
	held.Release()
	held.Release() // twice does no harm
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if got := <-s.executed; got != "held" {
		t.Errorf("carried out with %q", got)
	}
}

// TestReleasedAfterTheClientLeft: what was under way is carried out, as
// Google would have done.
func TestReleasedAfterTheClientLeft(t *testing.T) {
	s := newServer(t, StorageErrors)
	held := s.Pause(Call{})
	client := &http.Client{Timeout: 50 * time.Millisecond}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/buckets.patch/p/a", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := client.Do(r); err == nil {
		_ = response.Body.Close()
		t.Error("an answer came")
	}
	<-held.Reached()
	held.Release()
	<-s.executed
}

func TestJournal(t *testing.T) {
	s := newServer(t, StorageErrors)
	s.status(t, "/buckets.get/p/unrecorded")
	mark := s.Mark()
	s.Record(true)
	s.Inject(Fault{Match: Call{Method: "buckets.delete"}, Status: http.StatusForbidden, Message: "no"})
	for _, method := range []string{"buckets.get", "buckets.patch", "buckets.delete"} {
		if _, err := s.post(t, "/"+method+"/p/a?x=y", "body of "+method); err != nil {
			t.Fatal(err)
		}
	}
	want := []Entry{
		{Seq: mark + 1, Call: Call{"storage", "buckets.get", "p", "a"}, HTTPMethod: "POST", Path: "/buckets.get/p/a?x=y", Request: "body of buckets.get", Response: "done", Status: 201, Executed: true},
		{Seq: mark + 2, Call: Call{"storage", "buckets.patch", "p", "a"}, Write: true, HTTPMethod: "POST", Path: "/buckets.patch/p/a?x=y", Request: "body of buckets.patch", Response: "done", Status: 201, Executed: true},
		{Seq: mark + 3, Call: Call{"storage", "buckets.delete", "p", "a"}, Write: true, HTTPMethod: "POST", Path: "/buckets.delete/p/a?x=y", Status: 403},
	}
	ignored := cmp.Options{cmpopts.IgnoreFields(Entry{}, "Time"), cmp.FilterPath(func(p cmp.Path) bool {
		return p.Last().String() == ".Response"
	}, cmp.Comparer(func(a, b string) bool { return a == b || strings.Contains(a+b, `"no"`) }))}
	if diff := cmp.Diff(want, s.Journal(), ignored); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[1:], s.WritesSince(mark), ignored); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	if got := s.Since(mark + 2); len(got) != 1 || got[0].Seq != mark+3 {
		t.Errorf("since the second: %+v", got)
	}
	s.ClearJournal()
	s.status(t, "/buckets.get/p/a")
	if got := s.Journal(); len(got) != 1 || got[0].Seq != mark+4 {
		t.Errorf("after clearing: %+v", got)
	}
}

func TestJournalClipsBodies(t *testing.T) {
	s := newServer(t, StorageErrors)
	s.Record(true)
	if _, err := s.post(t, "/buckets.patch/p/a", strings.Repeat("x", 2*bodyLimit)); err != nil {
		t.Fatal(err)
	}
	if got := len(s.Journal()[0].Request); got != bodyLimit {
		t.Errorf("%d bytes kept, want %d", got, bodyLimit)
	}
	if got := len(<-s.executed); got != 2*bodyLimit {
		t.Errorf("%d bytes served, want %d", got, 2*bodyLimit)
	}
}

func TestIsCut(t *testing.T) {
	if !IsCut(cut("gone")) || IsCut(errors.New("other")) || IsCut(nil) {
		t.Error("IsCut tells other errors from broken connections")
	}
}
