package e2e

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// TestEmptyingDisturbsNobody: while several buckets are emptied, a new bucket, in the same project and in another, is made as if there was
// nothing else to do: with a few calls, long before the first of the others is empty. And each of those gets its share.
func TestEmptyingDisturbsNobody(t *testing.T) {
	t.Parallel()
	const (
		full    = 4
		objects = 3000
		latency = 20 * time.Millisecond
	)
	w := newWorld(t)
	other := w.namespace + "-b"
	w.makeNamespace(other, map[string]string{v1alpha1.ProjectIDAnnotation: w.project + "-b", v1alpha1.AllowAnnotation: v1alpha1.AllowDataLoss})
	w.start(other)
	var buckets []*v1alpha1.Bucket
	for i := range full {
		bucket := emptied(fmt.Sprintf("full-%d", i), v1alpha1.BucketSpec{})
		w.create(bucket)
		w.ready(bucket)
		for n := range objects {
			w.putAll(bucket.Name, fmt.Sprintf("o-%04d", n))
		}
		buckets = append(buckets, bucket)
	}
	w.cloud.Traffic.Inject(traffic.Fault{Match: call("objects.delete"), Latency: latency})
	for _, bucket := range buckets {
		w.delete(bucket)
	}
	for _, bucket := range buckets {
		w.eventually(bucket.Name+" to be emptied", func() (bool, string) {
			return len(w.cloud.Storage.Generations(bucket.Name)) < objects, "it has all its objects"
		})
	}
	for range 3 {
		before := w.cloud.Traffic.Count(call("objects.delete"))
		mine, theirs := aBucket(fmt.Sprintf("mine-%d", before), v1alpha1.BucketSpec{}), aBucket(fmt.Sprintf("theirs-%d", before), v1alpha1.BucketSpec{})
		theirs.Namespace = other
		w.create(mine)
		w.create(theirs)
		w.ready(mine)
		w.ready(theirs)
		// A worker deletes 25 objects in 20 ms: so many in half a second, or twice that, but not what takes a pass to its end.
		if n := w.cloud.Traffic.Count(call("objects.delete")) - before; n > full*objects/4 {
			t.Errorf("meanwhile %d objects were deleted", n)
		}
	}
	if !slices.ContainsFunc(buckets, func(bucket *v1alpha1.Bucket) bool { return len(w.cloud.Storage.Generations(bucket.Name)) > 0 }) {
		t.Error("all were empty before the new buckets were made")
	}
	w.cloud.Traffic.RemoveAll()
	for _, bucket := range buckets {
		w.goneOnceEmpty(bucket)
	}
}

// TestEmptyingAtScale empties a bucket, of 2,000 objects or of as many as HOLDFAST_OBJECTS says, at 50 ms a call, within the limits that
// Holdfast has by default. It logs the time and the memory that it took; see the README.
func TestEmptyingAtScale(t *testing.T) {
	objects := 2000
	if set, err := strconv.Atoi(os.Getenv("HOLDFAST_OBJECTS")); err == nil {
		objects = set
	} else {
		t.Parallel()
	}
	w := newWorld(t)
	w.quotaShare, w.timeout = gcp.DefaultQuotaShare, gcp.DefaultTimeout
	w.start()
	bucket := emptied("full", v1alpha1.BucketSpec{SoftDeletePolicy: &v1alpha1.SoftDeletePolicy{RetentionSeconds: new(int64(0))}})
	w.create(bucket)
	w.ready(bucket)
	w.cloud.Traffic.Record(false)
	for n := range objects {
		w.putAll(bucket.Name, fmt.Sprintf("o-%07d", n))
	}
	w.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Service: "storage"}, Latency: 50 * time.Millisecond})
	writes := w.kubeWrites.Load()
	memory := watchMemory(t)
	began := time.Now()
	w.delete(bucket)
	w.goneOnceEmpty(bucket)
	took := time.Since(began)
	t.Logf("%d objects in %s (%.0f a second); %d writes to the API server; at most %d MiB of memory more than before, the emulator's included",
		objects, took.Round(100*time.Millisecond), float64(objects)/took.Seconds(), w.kubeWrites.Load()-writes, memory()>>20)
	if n := w.cloud.Traffic.Count(call("objects.delete")); n != objects {
		t.Errorf("%d calls of objects.delete, want %d", n, objects)
	}
}

// goneOnceEmpty waits until a bucket is gone, for as long as objects are deleted.
func (w *world) goneOnceEmpty(bucket *v1alpha1.Bucket) {
	w.t.Helper()
	gone := func() bool { return apierrors.IsNotFound(w.read(bucket)) }
	for !gone() {
		n := w.cloud.Traffic.Count(call("objects.delete"))
		w.eventually(bucket.Name+" to be gone, or more objects to be deleted", func() (bool, string) {
			return gone() || w.cloud.Traffic.Count(call("objects.delete")) > n, fmt.Sprintf("%d\n%s", n, describe(bucket))
		})
	}
}

// watchMemory returns a function that says by how many bytes the live heap has grown at most since, as of each garbage collection.
func watchMemory(t *testing.T) (most func() uint64) {
	t.Helper()
	heap := func() uint64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before, done := heap(), make(chan struct{})
	var peak atomic.Uint64
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-t.Context().Done():
				return
			case <-tick.C:
				if now := heap(); now > before {
					peak.Store(max(peak.Load(), now-before))
				}
			}
		}
	}()
	t.Cleanup(func() { <-done })
	return peak.Load
}
