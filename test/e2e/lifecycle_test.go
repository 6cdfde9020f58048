package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// deleting is a lifecycle rule that deletes objects, as Google has it.
func deleting(condition map[string]any) map[string]any {
	return map[string]any{"action": map[string]any{"type": "Delete"}, "condition": condition}
}

func rulesOf(rules ...any) map[string]any {
	return map[string]any{"lifecycle": map[string]any{"rule": rules}}
}

// deletesBy is a manifest with one lifecycle rule, which deletes objects.
func deletesBy(condition v1alpha1.LifecycleCondition) *v1alpha1.Bucket {
	return aBucket("archive", v1alpha1.BucketSpec{Lifecycle: &v1alpha1.Lifecycle{Rules: []v1alpha1.LifecycleRule{{
		Action: v1alpha1.LifecycleAction{Type: v1alpha1.LifecycleDelete}, Condition: condition,
	}}}})
}

// A condition of 0 spares objects: it is kept as strictly as any other.
func TestLifecycleConditionOfZero(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	want := rulesOf(deleting(map[string]any{"age": 30.0, "daysSinceNoncurrentTime": 0.0}))
	bucket := deletesBy(v1alpha1.LifecycleCondition{Age: new(int64(30)), DaysSinceNoncurrentTime: new(int64(0))})
	w.create(bucket)
	w.ready(bucket)
	if d := cmp.Diff(want["lifecycle"], w.settings("archive")["lifecycle"]); d != "" {
		t.Errorf("created (-want +got):\n%s", d)
	}

	t.Log("the console takes it away, and more objects would go")
	w.must(w.cloud.Storage.EditBucket("archive", rulesOf(deleting(map[string]any{"age": 30}))))
	w.settled(bucket)
	w.ready(bucket)
	if d := cmp.Diff(want["lifecycle"], w.settings("archive")["lifecycle"]); d != "" {
		t.Errorf("after the drift (-want +got):\n%s", d)
	}

	t.Log("it leaves the manifest")
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.Lifecycle.Rules[0].Condition.DaysSinceNoncurrentTime = nil })
	w.ready(bucket)
	want = rulesOf(deleting(map[string]any{"age": 30.0}))
	if d := cmp.Diff(want["lifecycle"], w.settings("archive")["lifecycle"]); d != "" {
		t.Errorf("without it (-want +got):\n%s", d)
	}
}

func TestALiveConditionOfZeroIsADifferenceForAdoption(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	live := rulesOf(deleting(map[string]any{"matchesPrefix": []any{"tmp/"}, "daysSinceCustomTime": 0}))
	live["name"] = "archive"
	w.must(w.cloud.Storage.CreateBucket(w.project, live))
	mark := w.cloud.Traffic.Mark()
	bucket := deletesBy(v1alpha1.LifecycleCondition{MatchesPrefix: []string{"tmp/"}})
	w.create(bucket)
	w.reason(bucket, v1alpha1.ReasonAwaitingAdoption)
	w.noWrites(mark)

	t.Log("a manifest that says so too matches")
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.Lifecycle.Rules[0].Condition.DaysSinceCustomTime = new(int64(0)) })
	w.ready(bucket)
	w.noWrites(mark)
}
