package e2e

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// What Google shows and the spec has no field for is shown too, does not keep what matches from being adopted, and outlives every update.
func TestWhatTheSpecHasNoFieldForIsShownAndStays(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	filter := map[string]any{"mode": "Enabled", "publicNetworkSource": map[string]any{"allowedIpCidrRanges": []any{"192.0.2.0/24"}}}
	w.must(w.cloud.Storage.CreateBucket(w.project, map[string]any{"name": "fenced", "ipFilter": filter}))
	mark := w.cloud.Traffic.Mark()
	bucket := aBucket("fenced", v1alpha1.BucketSpec{StorageClass: v1alpha1.StorageClassStandard})
	w.create(bucket)
	w.ready(bucket)
	w.noWrites(mark)
	shown := []v1alpha1.UnmanagedField{{Path: "spec.ipFilter", Value: `{"mode":"Enabled","publicNetworkSource":{"allowedIpCidrRanges":["192.0.2.0/24"]}}`}}
	if d := cmp.Diff(shown, bucket.Status.Unmanaged); d != "" {
		t.Errorf("status.unmanaged (-want +got):\n%s", d)
	}
	var observed map[string]any
	w.must(json.Unmarshal(bucket.Status.Observed.Raw, &observed))
	if d := cmp.Diff(any(filter), observed["ipFilter"]); d != "" {
		t.Errorf("status.observed (-want +got):\n%s", d)
	}

	t.Log("its neighbours change, and are reset")
	edit(w, bucket, func(b *v1alpha1.Bucket) {
		b.Spec.StorageClass, b.Spec.Website = "NEARLINE", &v1alpha1.Website{MainPageSuffix: "index.html"}
	})
	w.ready(bucket)
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.StorageClass, b.Spec.Website = "", nil })
	w.ready(bucket)
	if d := cmp.Diff(any(filter), w.settings("fenced")["ipFilter"]); d != "" {
		t.Errorf("live (-want +got):\n%s", d)
	}

	t.Log("it goes")
	w.must(w.cloud.Storage.EditBucket("fenced", map[string]any{"ipFilter": nil}))
	w.settled(bucket)
	w.ready(bucket)
	if len(bucket.Status.Unmanaged) > 0 {
		t.Errorf("status.unmanaged still shows %v", bucket.Status.Unmanaged)
	}
}
