package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// metricsText is as kube-apiserver serves it, shortened.
const metricsText = `# HELP apiserver_request_total Counter of requests.
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",dry_run="",group="gcp.holdfast.dev",resource="buckets",scope="resource",subresource="status",verb="PATCH",version="v1alpha1"} 7
apiserver_request_total{code="409",component="apiserver",dry_run="",group="gcp.holdfast.dev",resource="buckets",scope="resource",subresource="status",verb="PATCH",version="v1alpha1"} 1
apiserver_request_total{code="201",component="apiserver",dry_run="",group="gcp.holdfast.dev",resource="buckets",scope="resource",subresource="",verb="POST",version="v1alpha1"} 5
apiserver_request_total{code="200",component="apiserver",dry_run="",group="gcp.holdfast.dev",resource="buckets",scope="resource",subresource="",verb="GET",version="v1alpha1"} 9
apiserver_request_total{code="201",component="apiserver",dry_run="",group="events.k8s.io",resource="events",scope="resource",subresource="",verb="POST",version="v1"} 4
apiserver_request_total{code="200",component="apiserver",dry_run="",group="coordination.k8s.io",resource="leases",scope="resource",subresource="",verb="PUT",version="v1"} 99
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="namespaces",scope="resource",subresource="",verb="APPLY",version="v1"} 2
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="secrets",scope="resource",subresource="",verb="POST",version="v1"} 99
# TYPE latency histogram
latency_bucket{le="1"} 1
latency_bucket{le="+Inf"} 2
latency_sum 3
latency_count 2
`

func TestRequestsToTheAPIServer(t *testing.T) {
	families, err := parseMetrics([]byte(metricsText))
	if err != nil {
		t.Fatal(err)
	}
	got := requests(families)
	want := tally{"PATCH buckets/status": 7, "POST buckets": 5, "GET buckets": 9, "POST events": 4, "APPLY namespaces": 2}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
	others := got.less(tally{"POST buckets": 5, "APPLY namespaces": 1})
	if writes, events := writesOf(others); writes != 8 || events != 4 {
		t.Errorf("%d writes and %d of events, want 8 and 4", writes, events)
	}
	if writes, _ := writesOf(others.about("buckets")); writes != 7 {
		t.Errorf("%d writes about buckets, want 7", writes)
	}
	if n := series(families); n != 8+4 {
		t.Errorf("%d series, want 12", n)
	}
}

func TestOwnRequestsAreCountedAsTheAPIServerDoes(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("refuse") {
			w.WriteHeader(http.StatusConflict)
		}
	}))
	defer server.Close()
	const ours = "/apis/gcp.holdfast.dev/v1alpha1/namespaces/shop/buckets"
	count := &counting{next: http.DefaultTransport, made: tally{}}
	for _, request := range []struct{ method, path, content string }{
		{"POST", ours, "application/json"},
		{"GET", ours + "/logs", ""},
		{"PATCH", ours + "/logs", "application/merge-patch+json"},
		{"PATCH", ours + "/logs/status", "application/merge-patch+json"},
		{"PATCH", ours + "/logs", "application/apply-patch+yaml"},
		{"PATCH", ours + "/logs?refuse", "application/merge-patch+json"},
		{"POST", "/api/v1/namespaces", "application/json"},
		{"PATCH", "/api/v1/namespaces/shop", "application/merge-patch+json"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), request.method, server.URL+request.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", request.content)
		response, err := (&http.Client{Transport: count}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	want := tally{
		"POST buckets": 1, "PATCH buckets": 1, "PATCH buckets/status": 1, "APPLY buckets": 1, "POST namespaces": 1, "PATCH namespaces": 1,
	}
	if d := cmp.Diff(want, count.counts()); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
}

func TestGroups(t *testing.T) {
	calls := tally{
		"storage buckets.insert": 1000, "storage buckets.list": 2, "storage buckets.get": 3, "storage buckets.getIamPolicy": 4,
		"iam IAM.CreateServiceAccount": 5, "iam IAM.SetIamPolicy": 6, "pubsub Publisher.UpdateTopic": 7, "resourcemanager Projects.GetProject": 8,
		"iamcredentials GenerateAccessToken": 9,
	}
	const want = "2 lists, 3 reads, 4 reads of policies, 8 reads of projects, 1,005 creates, 7 updates, 6 writes of policies, 9 others"
	if got := groups(calls); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAProcessIsMeasured(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this system has no /proc")
	}
	for cpuSeconds(os.Getpid()) == 0 {
	}
	if pids := children("no such program"); pids != nil {
		t.Errorf("children %v", pids)
	}
}
