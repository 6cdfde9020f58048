package storage

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// harness is a service on a clock that tests move, called without a network.
type harness struct {
	*Service
	mux *http.ServeMux
	now time.Time
}

const (
	testProject = "my-project"
	testNumber  = 111222333444
)

func newHarness(t testing.TB, options ...func(*Options)) *harness {
	t.Helper()
	registry := projects.New(false)
	for _, p := range []projects.Project{
		{ID: testProject, Number: testNumber}, {ID: "their-project", Number: 555666777888, Foreign: true},
	} {
		if err := registry.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	h := &harness{mux: http.NewServeMux(), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	o := Options{Projects: registry, Traffic: traffic.New(), Directory: policy.NewDirectory(registry), Now: func() time.Time { return h.now }}
	for _, option := range options {
		option(&o)
	}
	h.Service = New(o)
	h.RegisterHTTP(h.mux)
	return h
}

// answer is what came back of a call.
type answer struct {
	status int
	header http.Header
	doc    document
	body   string
}

func (a answer) reason() string {
	if errors := list(a.doc, "error", "errors"); len(errors) > 0 {
		return text(errors[0].(document), "reason")
	}
	return ""
}

func (a answer) message() string { return text(a.doc, "error", "message") }

// do makes a call. A path that begins with /b is one of the JSON API; header
// are pairs of names and values.
func (h *harness) do(t testing.TB, verb, path, body string, header ...string) answer {
	t.Helper()
	if strings.HasPrefix(path, "/b") {
		path = apiPath + path
	}
	r := httptest.NewRequestWithContext(t.Context(), verb, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.mux.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), body: w.Body.String()}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") && w.Body.Len() > 0 {
		var err error
		if a.doc, err = decode(w.Body.Bytes()); err != nil {
			t.Fatalf("%s %s: %v in %s", verb, path, err, a.body)
		}
	}
	return a
}

// must makes a call that has to succeed and returns the answer's document.
func (h *harness) must(t testing.TB, verb, path, body string, header ...string) document {
	t.Helper()
	a := h.do(t, verb, path, body, header...)
	if a.status >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %d %s", verb, path, a.status, a.body)
	}
	return a.doc
}

// create makes a bucket out of the fields of its resource.
func (h *harness) create(t testing.TB, name, fields string) document {
	t.Helper()
	var resource document
	if err := json.Unmarshal([]byte("{"+fields+"}"), &resource); err != nil {
		t.Fatalf("%s: %v", fields, err)
	}
	resource["name"] = name
	body, err := json.Marshal(resource)
	if err != nil {
		t.Fatal(err)
	}
	return h.must(t, "POST", "/b?project="+testProject, string(body))
}

// put writes an object and returns its generation.
func (h *harness) put(t testing.TB, bucket, name, content string) string {
	t.Helper()
	doc := h.must(t, "POST", uploadPath+"/b/"+bucket+"/o?uploadType=media&name="+name, content)
	return text(doc, "generation")
}
