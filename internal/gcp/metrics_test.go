package gcp

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// sums adds up the counters or gauges of a name over all but one label.
func sums(t *testing.T, registry *prometheus.Registry, name, by string) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				if family.GetName() == name && l.GetName() == by {
					out[l.GetValue()] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
				}
			}
		}
	}
	return out
}

func TestThrottlingIsCounted(t *testing.T) {
	cases := map[string]struct {
		code       int
		reason     string
		retryAfter string
		throttled  map[string]float64
		putOff     map[string]float64
	}{
		"too many":   {429, "rateLimitExceeded", "3600", map[string]float64{"429": 1}, map[string]float64{"storage": 2}},
		"a 403":      {403, "rateLimitExceeded", "3600", map[string]float64{"403": 1}, map[string]float64{"storage": 2}},
		"a real 403": {403, "forbidden", "", map[string]float64{}, map[string]float64{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			address, _ := storageServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", tc.retryAfter)
				w.WriteHeader(tc.code)
				_, _ = io.WriteString(w, storageBody(tc.code, tc.reason, "Not now."))
			})
			registry, opts := prometheus.NewRegistry(), allInsecure(t, address)
			opts.Registerer = registry
			clients := newClients(t, opts)
			for range 3 {
				if _, err := getBucket(t.Context(), clients, ""); err == nil {
					t.Fatal("no error")
				}
			}
			if d := cmp.Diff(tc.throttled, sums(t, registry, "holdfast_gcp_throttled_total", "code")); d != "" {
				t.Errorf("throttled (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tc.putOff, sums(t, registry, "holdfast_gcp_limit_refused_total", "service")); d != "" {
				t.Errorf("put off (-want +got):\n%s", d)
			}
		})
	}
}

func TestThrottlingOverGRPCIsCounted(t *testing.T) {
	cloud := &fakeCloud{getTopic: func(context.Context) error { return status.Error(codes.ResourceExhausted, "Quota exceeded") }}
	registry, opts := prometheus.NewRegistry(), allInsecure(t, cloud.serve(t))
	opts.Registerer = registry
	if err := getTopic(t.Context(), newClients(t, opts), ""); err == nil {
		t.Fatal("no error")
	}
	want := map[string]float64{"Publisher.GetTopic": 1}
	if d := cmp.Diff(want, sums(t, registry, "holdfast_gcp_throttled_total", "method")); d != "" {
		t.Errorf("throttled (-want +got):\n%s", d)
	}
}

func TestWaitingForALimitIsMeasured(t *testing.T) {
	address, calls := storageServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"name":"logs"}`) })
	registry, opts := prometheus.NewRegistry(), allInsecure(t, address)
	opts.Registerer, opts.QuotaShare = registry, 0.1
	clients := newClients(t, opts)
	for range 6 { // five may come at once
		if _, err := getBucket(t.Context(), clients, ""); err != nil {
			t.Fatal(err)
		}
	}
	waited := sums(t, registry, "holdfast_gcp_limit_wait_seconds_total", "service")["storage"]
	if calls.Load() != 6 || waited <= 0 || waited > 0.2 {
		t.Errorf("%d calls waited for %v s, want 6 and up to 0.2 s", calls.Load(), waited)
	}
}
