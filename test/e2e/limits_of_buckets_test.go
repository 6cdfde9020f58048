package e2e

import (
	"fmt"
	"testing"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
)

// TestBucketsOfAProjectWaitAtNoCost: Google lets one bucket be created in two seconds in a project. Those that wait for it are looked for by one
// list, and nothing is read or stored for them until their time has come.
func TestBucketsOfAProjectWaitAtNoCost(t *testing.T) {
	t.Parallel()
	const n = 4
	w := newWorld(t)
	w.quotaShare, w.workers = gcp.DefaultQuotaShare, 10
	w.start()
	var all []*v1alpha1.Bucket
	before := w.kubeWrites.Load()
	for i := range n {
		bucket := aBucket(fmt.Sprintf("%s-%d", w.project, i), v1alpha1.BucketSpec{Labels: shop})
		w.create(bucket)
		all = append(all, bucket)
	}
	for _, bucket := range all {
		w.ready(bucket)
	}
	if writes := w.kubeWrites.Load() - before; writes != n*(1+unstamped()) {
		t.Errorf("%d writes to Kubernetes for %d buckets", writes, n)
	}
	for method, want := range map[string]int{"buckets.insert": n, "buckets.list": 1, "buckets.get": 0} {
		if got := w.cloud.Traffic.Count(call(method)); got != want {
			t.Errorf("%d calls of %s, want %d", got, method, want)
		}
	}
}
