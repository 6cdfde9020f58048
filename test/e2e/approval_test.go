package e2e

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

func TestObserveNeverWrites(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		mark := w.cloud.Traffic.Mark()
		obj := k.manifest("orders", v1alpha1.CommonSpec{Management: v1alpha1.ManagementObserve, DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.reason(obj, k.absent())

		k.console(w).create("orders", false)
		w.settled(obj)
		w.reason(obj, v1alpha1.ReasonDiffers)
		if d := cmp.Diff(k.paths("orders"), paths(obj.GetCommonStatus().Drift)); d != "" {
			t.Errorf("drift (-want +got):\n%s", d)
		}

		k.console(w).set("orders", true)
		w.settled(obj)
		w.ready(obj)
		if finalizers := obj.GetFinalizers(); len(finalizers) > 0 {
			t.Errorf("it has finalizers: %v", finalizers)
		}

		w.delete(obj)
		w.gone(obj)
		if !k.console(w).look("orders").there {
			t.Errorf("the %s is gone", k.Name)
		}
		w.noWrites(mark)
	})
}

func TestWhatIsGoneShowsNoOutputs(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	observe := v1alpha1.CommonSpec{Management: v1alpha1.ManagementObserve}
	topic, bucket := aTopic("orders", v1alpha1.TopicSpec{CommonSpec: observe}), aBucket("orders", v1alpha1.BucketSpec{CommonSpec: observe})
	topics.console(w).create("orders", true)
	buckets.console(w).create("orders", true)
	w.create(topic)
	w.create(bucket)
	w.ready(topic)
	w.ready(bucket)
	if topic.Status.Name == "" || bucket.Status.URL == "" {
		t.Fatalf("no outputs of what is there: topic %q, bucket %q", topic.Status.Name, bucket.Status.URL)
	}
	topics.console(w).delete("orders")
	buckets.console(w).delete("orders")
	w.settled(topic)
	w.settled(bucket)
	w.reason(topic, v1alpha1.ReasonNotFound)
	w.reason(bucket, v1alpha1.ReasonNotFound)
	if d := cmp.Diff(v1alpha1.TopicStatus{CommonStatus: topic.Status.CommonStatus}, topic.Status); d != "" {
		t.Errorf("outputs of a topic that is gone (-want +got):\n%s", d)
	}
	if d := cmp.Diff(v1alpha1.BucketStatus{CommonStatus: bucket.Status.CommonStatus}, bucket.Status); d != "" {
		t.Errorf("outputs of a bucket that is gone (-want +got):\n%s", d)
	}
}

func TestObserveLooksAtWhatAnotherOwnerHolds(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		k.console(w).create("orders", true)
		if k.is(ownerLabels) {
			k.console(w).take("orders")
		}
		obj := k.manifest("orders", v1alpha1.CommonSpec{Management: v1alpha1.ManagementObserve})
		w.create(obj)
		w.ready(obj)
	})
}

func TestFromManageToObserveAndDeleted(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		mark := w.cloud.Traffic.Mark()
		edit(w, obj, func(o v1alpha1.Object) { o.GetCommonSpec().Management = v1alpha1.ManagementObserve })
		w.ready(obj)
		w.delete(obj)
		w.gone(obj)
		w.noWrites(mark)
		if !k.console(w).look("orders").there {
			t.Errorf("the %s is gone, though only to be observed", k.Name)
		}
	})
}

func TestApproveHoldsCreateUpdateAndDelete(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		mark := w.cloud.Traffic.Mark()
		obj := k.manifest("orders", v1alpha1.CommonSpec{Management: v1alpha1.ManagementApprove, DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		w.noWrites(mark)
		approve(w, obj)
		w.ready(obj)

		mark = w.cloud.Traffic.Mark()
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		w.noWrites(mark)
		approve(w, obj)
		w.ready(obj)
		if k.console(w).look("orders").on {
			t.Error("the approved update is not there")
		}

		mark = w.cloud.Traffic.Mark()
		w.delete(obj)
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		w.noWrites(mark)
		approve(w, obj)
		w.gone(obj)
		if k.console(w).look("orders").there {
			t.Errorf("the %s is still there", k.Name)
		}
		if d := cmp.Diff([]string{k.deleting}, w.writes(mark)); d != "" {
			t.Errorf("writes of the deletion (-want +got):\n%s", d)
		}
	})
}

// unapproved creates an object whose resource is written only with approval; its creation waits for one.
func unapproved(w *world, k kind) v1alpha1.Object {
	w.t.Helper()
	obj := k.manifest("orders", v1alpha1.CommonSpec{Management: v1alpha1.ManagementApprove})
	w.create(obj)
	w.reason(obj, v1alpha1.ReasonAwaitingApproval)
	return obj
}

// lose deletes the resource in the console, and expects that recreating it waits for an approval of its own.
func lose(w *world, k kind, obj v1alpha1.Object) {
	w.t.Helper()
	k.console(w).delete("orders")
	mark := w.cloud.Traffic.Mark()
	w.settled(obj)
	w.reason(obj, v1alpha1.ReasonAwaitingApproval)
	w.noWrites(mark)
}

func TestAnEditAfterTheApprovalInvalidatesIt(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		mark := w.cloud.Traffic.Mark()
		obj := unapproved(w, k)
		edit(w, obj, func(o v1alpha1.Object) {
			o.SetAnnotations(map[string]string{v1alpha1.ApproveAnnotation: o.GetCommonStatus().Plan.Hash})
			k.team(o, "bank")
		})
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		w.noWrites(mark)
	})
}

func TestDriftUnderApproveWaitsToo(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := unapproved(w, k)
		created := approve(w, obj)
		w.ready(obj)

		t.Log("deleted in the console: making it again is a plan of its own, and the old hash does not release it")
		forgetCreation(w, obj)
		lose(w, k, obj)
		if obj.GetCommonStatus().Plan.Hash == created {
			t.Errorf("the hash %s is good twice", created)
		}
	})
}

func TestAHashIsUsedUpThoughTheReplyWasLost(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := unapproved(w, k)
		w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.creating), Times: 1, LoseReply: true})
		approve(w, obj)
		w.ready(obj)

		forgetCreation(w, obj)
		lose(w, k, obj)
	})
}

func TestOrphaningUnderApproveLeavesTheMarks(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := unapproved(w, k)
		approve(w, obj)
		w.ready(obj)
		mark := w.cloud.Traffic.Mark()
		w.delete(obj)
		w.gone(obj)
		w.noWrites(mark)

		t.Log("and the next manifest of the name takes it up again")
		again := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(again)
		w.ready(again)
		w.noWrites(mark)
	})
}

func TestLockingARetentionWaits(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]v1alpha1.BucketSpec{
		"on a bucket that has the policy": {RetentionPolicy: &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(3600))}},
		"on a bucket that has none":       {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			bucket := aBucket("ledger", first)
			w.create(bucket)
			w.ready(bucket)
			mark := w.cloud.Traffic.Mark()
			edit(w, bucket, lock)
			w.reason(bucket, v1alpha1.ReasonAwaitingApproval)
			w.noWrites(mark)
			approve(w, bucket)
			w.ready(bucket)
			w.expectLocked("ledger")
		})
	}
}

func TestANewBucketIsMadeAndItsLockWaits(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := aBucket("ledger", v1alpha1.BucketSpec{})
	lock(bucket)
	w.create(bucket)
	w.reason(bucket, v1alpha1.ReasonAwaitingApproval)
	if live, there := w.liveBucket("ledger"); !there || live.RetentionPolicy.RetentionPeriod != "3600" || live.RetentionPolicy.IsLocked {
		t.Errorf("bucket is there: %v, with %+v", there, live.RetentionPolicy)
	}
	approve(w, bucket)
	w.ready(bucket)
	w.expectLocked("ledger")
}

func TestAnApprovedNewBucketIsMadeAndLockedUnderOneApproval(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := aBucket("ledger", v1alpha1.BucketSpec{CommonSpec: v1alpha1.CommonSpec{Management: v1alpha1.ManagementApprove}})
	lock(bucket)
	w.create(bucket)
	w.reason(bucket, v1alpha1.ReasonAwaitingApproval)
	approve(w, bucket)
	w.ready(bucket)
	w.expectLocked("ledger")
	w.events(bucket, v1alpha1.ReasonAwaitingApproval, "Created", "Updated")
}

func TestAPartlyAppliedPlanGoesOnUnderItsApproval(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := aBucket("ledger", v1alpha1.BucketSpec{})
	w.create(bucket)
	w.ready(bucket)
	edit(w, bucket, lock)
	w.reason(bucket, v1alpha1.ReasonAwaitingApproval)
	locking := call("buckets.lockRetentionPolicy")
	w.cloud.Traffic.Inject(traffic.Fault{Match: locking, Status: http.StatusServiceUnavailable})
	approve(w, bucket)
	w.reason(bucket, v1alpha1.ReasonUnavailable)
	if live, _ := w.liveBucket("ledger"); live.RetentionPolicy.RetentionPeriod != "3600" || live.RetentionPolicy.IsLocked {
		t.Errorf("after the first half the bucket has %+v", live.RetentionPolicy)
	}

	t.Log("the second half goes on after a restart, and without a second approval")
	w.stop()
	w.cloud.Traffic.RemoveAll()
	w.start()
	w.ready(bucket)
	w.expectLocked("ledger")
	if bucket.GetCommonStatus().Approved != nil {
		t.Error("the approval outlives its plan")
	}
}

func TestAPartlyAppliedPlanStopsWhenTheManifestChanges(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := aBucket("ledger", v1alpha1.BucketSpec{})
	w.create(bucket)
	w.ready(bucket)
	edit(w, bucket, lock)
	w.reason(bucket, v1alpha1.ReasonAwaitingApproval)
	w.cloud.Traffic.Inject(traffic.Fault{Match: call("buckets.lockRetentionPolicy"), Status: http.StatusServiceUnavailable})
	approve(w, bucket)
	w.reason(bucket, v1alpha1.ReasonUnavailable)

	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.RetentionPolicy.RetentionSeconds = new(int64(7200)) })
	w.reason(bucket, v1alpha1.ReasonAwaitingApproval)
	w.cloud.Traffic.RemoveAll()
	w.settled(bucket)
	w.reason(bucket, v1alpha1.ReasonAwaitingApproval)
	if live, _ := w.liveBucket("ledger"); live.RetentionPolicy.IsLocked {
		t.Error("the policy was locked under the approval of another generation")
	}
}

func lock(b *v1alpha1.Bucket) {
	b.Spec.RetentionPolicy = &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(3600)), Locked: new(true)}
}

func (w *world) expectLocked(id string) {
	w.t.Helper()
	if live, _ := w.liveBucket(id); !live.RetentionPolicy.IsLocked {
		w.t.Errorf("the retention policy is not locked: %+v", live.RetentionPolicy)
	}
}
