package storage

import (
	"net/http"
	"testing"
	"time"
)

func TestCaches(t *testing.T) {
	h := newHarness(t)
	h.create(t, "kept", "")
	const one = "/b/kept/anywhereCaches/us-central1-a"
	for _, step := range []struct {
		fact, verb, path, body string
		status                 int
		state                  string // of the cache after it
	}{
		{"none yet", "GET", one, "", http.StatusNotFound, ""},
		{"without a zone", "POST", "/b/kept/anywhereCaches", "{}", http.StatusBadRequest, ""},
		{"a new one", "POST", "/b/kept/anywhereCaches", `{"zone": "us-central1-a"}`, http.StatusOK, "RUNNING"},
		{"another one there", "POST", "/b/kept/anywhereCaches", `{"zone": "us-central1-a"}`, http.StatusConflict, "RUNNING"},
		{"the bucket with it", "DELETE", "/b/kept", "", http.StatusConflict, "RUNNING"},
		{"paused", "POST", one + "/pause", "", http.StatusOK, "PAUSED"},
		{"disabled", "POST", one + "/disable", "", http.StatusOK, "DISABLED"},
		{"paused though disabled", "POST", one + "/pause", "", http.StatusPreconditionFailed, "DISABLED"},
		{"resumed", "POST", one + "/resume", "", http.StatusOK, "RUNNING"},
		{"disabled for good", "POST", one + "/disable", "", http.StatusOK, "DISABLED"},
		{"the bucket meanwhile", "DELETE", "/b/kept", "", http.StatusConflict, "DISABLED"},
	} {
		if a := h.do(t, step.verb, step.path, step.body); a.status != step.status {
			t.Errorf("%s: %d %s, want %d", step.fact, a.status, a.body, step.status)
		}
		state := ""
		for _, item := range list(h.must(t, "GET", "/b/kept/anywhereCaches", ""), "items") {
			state = text(item.(document), "state")
		}
		if state != step.state {
			t.Errorf("%s: the cache is %q, want %q", step.fact, state, step.state)
		}
	}
	h.now = h.now.Add(time.Hour)
	if a := h.do(t, "GET", one, ""); a.status != http.StatusNotFound {
		t.Errorf("an hour later: %d %s", a.status, a.body)
	}
	h.must(t, "DELETE", "/b/kept", "")
}

// The time that an object shows is the later of the bucket's and its own.
func TestRetentionExpirationTime(t *testing.T) {
	h := newHarness(t)
	h.must(t, "POST", "/b?project="+testProject+"&enableObjectRetention=true", `{"name": "kept", "retentionPolicy": {"retentionPeriod": "3600"}}`)
	h.put(t, "kept", "a", "1")
	shown := func() string { return text(h.must(t, "GET", "/b/kept/o/a", ""), "retentionExpirationTime") }
	if got, want := shown(), timestamp(h.now.Add(time.Hour)); got != want {
		t.Errorf("by the bucket: %q, want %q", got, want)
	}
	later := h.now.Add(2 * time.Hour)
	h.must(t, "PATCH", "/b/kept/o/a", `{"retention": {"mode": "Unlocked", "retainUntilTime": "`+later.Format(time.RFC3339)+`"}}`)
	if got, want := shown(), timestamp(later); got != want {
		t.Errorf("by both: %q, want %q", got, want)
	}
}
