package gcp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// patchLogs makes a call with a body.
func patchLogs(ctx context.Context, clients *Clients, body any) (answer map[string]any, err error) {
	service, err := clients.StorageService(ctx, "")
	if err != nil {
		return nil, err
	}
	err = service.Call(WithProject(ctx, "p"), http.MethodPatch, "b/logs", url.Values{"projection": {"noAcl"}}, body, &answer)
	return answer, err
}

// A call is introduced and counted like all others, and its answer read as Google sent it.
func TestStorageServiceCall(t *testing.T) {
	var seen *http.Request
	var body []byte
	address, _ := storageServer(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r
		body, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, `{"name":"logs","age":0}`)
	})
	registry := prometheus.NewRegistry()
	opts := allInsecure(t, address)
	opts.Registerer = registry
	answer, err := patchLogs(t.Context(), newClients(t, opts), map[string]any{"website": nil})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"name": "logs", "age": 0.}, answer); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if got, want := seen.URL.String(), "/storage/v1/b/logs?alt=json&prettyPrint=false&projection=noAcl"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	if string(body) != `{"website":null}` || seen.Header.Get("Content-Type") != "application/json" || !strings.HasPrefix(seen.UserAgent(), "holdfast/test") {
		t.Errorf("sent %s with %v", body, seen.Header)
	}
	want := `
# HELP holdfast_gcp_requests_total Calls to Google Cloud by service, method and code: an HTTP status, a gRPC code, timeout, canceled or error without an answer, or undeclared if the call was refused unsent.
# TYPE holdfast_gcp_requests_total counter
holdfast_gcp_requests_total{code="200",method="buckets.patch",service="storage"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "holdfast_gcp_requests_total"); err != nil {
		t.Error(err)
	}
}

// A failure has its class, and nothing is tried twice.
func TestStorageServiceFailures(t *testing.T) {
	cases := map[string]struct {
		handle http.HandlerFunc
		class  kind.Class
	}{
		"not found": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, storageBody(404, "notFound", "The specified bucket does not exist."))
		}, kind.NotFound},
		"unavailable": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, storageBody(503, "backendError", "We encountered an internal error."))
		}, kind.Unavailable},
		"reply lost":     {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, kind.Unavailable},
		"half an answer": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"na`) }, kind.Unavailable},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			address, calls := storageServer(t, tc.handle)
			if _, err := patchLogs(t.Context(), newClients(t, allInsecure(t, address)), struct{}{}); err == nil || Classify(err).Class != tc.class {
				t.Errorf("got %v, want %s", err, tc.class)
			}
			if calls.Load() != 1 {
				t.Errorf("%d calls, want 1", calls.Load())
			}
		})
	}
}

// What cannot be sent is not.
func TestStorageServiceUnsent(t *testing.T) {
	address, calls := storageServer(t, func(http.ResponseWriter, *http.Request) {})
	_, err := patchLogs(t.Context(), newClients(t, allInsecure(t, address)), func() {})
	if unsupported := new(json.UnsupportedTypeError); !errors.As(err, &unsupported) || calls.Load() != 0 {
		t.Errorf("%d calls, %v", calls.Load(), err)
	}
}

func TestStorageServicesAreShared(t *testing.T) {
	clients, err := NewClients(Options{credentials: staticToken("managers", nil)})
	if err != nil {
		t.Fatal(err)
	}
	one, _ := clients.StorageService(t.Context(), tenant)
	two, _ := clients.StorageService(t.Context(), tenant)
	other, _ := clients.StorageService(t.Context(), "")
	if one == nil || one != two || one == other {
		t.Errorf("services %p, %p and %p", one, two, other)
	}
}
