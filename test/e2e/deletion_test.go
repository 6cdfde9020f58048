package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

func TestABucketWithObjectsIsNotDeleted(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := aBucket("logs", v1alpha1.BucketSpec{CommonSpec: v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete}})
	w.create(bucket)
	w.ready(bucket)
	w.must(w.cloud.Storage.PutObject("logs", "today", []byte("hello")))
	w.delete(bucket)
	w.reason(bucket, v1alpha1.ReasonNotEmpty)

	t.Log("once somebody empties it the deletion goes on")
	w.request(http.MethodDelete, "/emulator/storage/b/logs/o/today", "")
	annotate(w, bucket, v1alpha1.ReconcileRequestedAtAnnotation, "now")
	w.gone(bucket)
	if _, there := w.liveBucket("logs"); there {
		t.Error("the bucket is still there")
	}
}

func TestABucketIsDeletedWithItsContents(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := fullBucket(w, 130)
	mark := w.cloud.Traffic.Mark()
	w.delete(bucket)
	w.gone(bucket)
	if _, there := w.liveBucket("logs"); there {
		t.Error("the bucket is still there")
	}
	if n := w.carriedOut(mark, "objects.delete", ""); n != 260 {
		t.Errorf("%d generations were deleted one by one, want 260", n)
	}
}

func TestEmptyingABucketGoesOnAfterTheProcessWasKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wire = newWire(t, w.cloud)
	w.start()
	bucket := fullBucket(w, 130)
	w.wire.cut(150, beforeSending)
	w.delete(bucket)
	w.eventually("the wire to be cut", func() (bool, string) { return w.wire.isCut(), "" })
	w.stop()
	before := 0
	for _, n := range w.cloud.Storage.Generations("logs") {
		before += n
	}
	if before == 0 || before == 260 {
		t.Fatalf("%d generations are left: the process was not killed in the middle", before)
	}

	w.wire.mend()
	mark := w.cloud.Traffic.Mark()
	w.start()
	w.gone(bucket)
	if n := w.carriedOut(mark, "objects.delete", ""); n != before {
		t.Errorf("%d generations were deleted after the restart, want the %d that were left", n, before)
	}
}

func TestProgressOfEmptyingShows(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := fullBucket(w, 130)
	first := w.cloud.Traffic.Pause(call("objects.delete"))
	w.delete(bucket)
	w.reached(first)
	w.cloud.Traffic.Inject(traffic.Fault{Match: call("objects.delete"), Status: http.StatusServiceUnavailable})
	first.Release()
	w.reason(bucket, v1alpha1.ReasonUnavailable)
	deleted := int64(2 * 130)
	for _, left := range w.cloud.Storage.Generations("logs") {
		deleted -= int64(left)
	}
	progress := bucket.Status.Deletion // several calls are under way at once: more than the first may have got through
	if progress == nil || deleted == 0 || progress.ObjectsDeleted != deleted || progress.StartTime.IsZero() {
		t.Errorf("%d generations are deleted, and status says %+v", deleted, progress)
	}
	w.cloud.Traffic.RemoveAll()
	w.gone(bucket)
}

func TestWhatIsAddedWhileABucketIsEmptiedIsDeletedToo(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := fullBucket(w, 1)
	deleting := w.cloud.Traffic.Pause(call("buckets.delete"))
	w.delete(bucket)
	w.reached(deleting)
	w.must(w.cloud.Storage.PutObject("logs", "late", []byte("hello")))
	deleting.Release()
	w.gone(bucket)
}

// fullBucket makes a bucket that is to be deleted with its contents: that many objects of two generations each.
func fullBucket(w *world, objects int) *v1alpha1.Bucket {
	w.t.Helper()
	bucket := aBucket("logs", v1alpha1.BucketSpec{
		CommonSpec: v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDeleteWithContents},
		Versioning: &v1alpha1.Versioning{Enabled: new(true)},
	})
	w.create(bucket)
	w.ready(bucket)
	for i := range objects {
		for range 2 {
			w.must(w.cloud.Storage.PutObject("logs", fmt.Sprintf("day-%03d", i), []byte("hello")))
		}
	}
	return bucket
}
