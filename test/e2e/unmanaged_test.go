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
	w.must(w.cloud.Storage.CreateBucket(w.project, map[string]any{
		"name": "paused", "softDeletePolicy": map[string]any{"hardDeletePause": map[string]any{"enabled": true}},
	}))
	live := func() map[string]any {
		var document map[string]any
		shown, _ := w.cloud.Storage.Bucket("paused")
		w.must(json.Unmarshal([]byte(encoded(w, shown)), &document))
		return document["softDeletePolicy"].(map[string]any)
	}
	pause := live()["hardDeletePause"]
	mark := w.cloud.Traffic.Mark()
	bucket := aBucket("paused", v1alpha1.BucketSpec{StorageClass: v1alpha1.StorageClassStandard})
	w.create(bucket)
	w.ready(bucket)
	w.noWrites(mark)
	shown := []v1alpha1.UnmanagedField{{Path: "spec.softDeletePolicy.hardDeletePause", Value: encoded(w, pause)}}
	if d := cmp.Diff(shown, bucket.Status.Unmanaged); d != "" {
		t.Errorf("status.unmanaged (-want +got):\n%s", d)
	}
	var observed map[string]any
	w.must(json.Unmarshal(bucket.Status.Observed.Raw, &observed))
	if d := cmp.Diff(pause, observed["softDeletePolicy"].(map[string]any)["hardDeletePause"]); d != "" {
		t.Errorf("status.observed (-want +got):\n%s", d)
	}

	t.Log("its neighbours change, and are reset")
	edit(w, bucket, func(b *v1alpha1.Bucket) {
		b.Spec.StorageClass, b.Spec.SoftDeletePolicy = "NEARLINE", &v1alpha1.SoftDeletePolicy{RetentionSeconds: new(int64(864000))}
	})
	w.ready(bucket)
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.StorageClass, b.Spec.SoftDeletePolicy = "", nil })
	w.ready(bucket)
	policy := live()
	if policy["retentionDurationSeconds"] != "604800" {
		t.Errorf("softDeletePolicy.retentionDurationSeconds: %v", policy["retentionDurationSeconds"])
	}
	if d := cmp.Diff(pause, policy["hardDeletePause"]); d != "" {
		t.Errorf("live (-want +got):\n%s", d)
	}

	t.Log("it goes")
	w.must(w.cloud.Storage.EditBucket("paused", map[string]any{"softDeletePolicy": map[string]any{"hardDeletePause": nil}}))
	w.settled(bucket)
	w.ready(bucket)
	if len(bucket.Status.Unmanaged) > 0 {
		t.Errorf("status.unmanaged still shows %v", bucket.Status.Unmanaged)
	}
}
