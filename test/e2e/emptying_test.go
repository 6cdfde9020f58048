package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// emptied is a bucket that goes with its contents.
func emptied(name string, spec v1alpha1.BucketSpec) *v1alpha1.Bucket {
	spec.DeletionPolicy = v1alpha1.DeletionDeleteWithContents
	return aBucket(name, spec)
}

// putAll writes objects that are there before the bucket is deleted.
func (w *world) putAll(bucket string, names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.must(w.cloud.Storage.PutObject(bucket, name, []byte("hello")))
	}
}

// patchObject changes an object in the console.
func (w *world) patchObject(bucket, name, patch string) {
	w.t.Helper()
	w.request(http.MethodPatch, "/emulator/storage/b/"+bucket+"/o/"+url.PathEscape(name), patch)
}

// objects are the names of the objects that are left in a bucket, sorted.
func (w *world) objects(bucket string) []string {
	return slices.Sorted(maps.Keys(w.cloud.Storage.Generations(bucket)))
}

// remaining is what status says of what is left, and of which the names begin with the names of objects.
func remaining(bucket *v1alpha1.Bucket) map[string][]string {
	left := map[string][]string{}
	if bucket.Status.Deletion == nil {
		return left
	}
	for _, r := range bucket.Status.Deletion.Remaining {
		for _, name := range r.Names {
			name, _, _ = strings.Cut(name, "#")
			left[r.Why] = append(left[r.Why], name)
		}
	}
	return left
}

// message waits until Ready has a reason and a message with some text in it.
func (w *world) message(obj v1alpha1.Object, reason string, texts ...string) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%s to be %s with %q", obj.GetName(), reason, texts), func() (bool, string) {
		w.get(obj)
		c := condition(obj, v1alpha1.ConditionReady)
		return c != nil && c.Reason == reason && !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(c.Message, text) }), describe(obj)
	})
}

// TestWhatIsHeldIsSkipped: everything else goes; what is held or retained is counted and named, with what frees it, and nobody tries to
// delete it.
func TestWhatIsHeldIsSkipped(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := emptied("logs", v1alpha1.BucketSpec{ObjectRetention: &v1alpha1.ObjectRetention{Mode: "Enabled"}, Versioning: &v1alpha1.Versioning{Enabled: new(true)}})
	w.create(bucket)
	w.ready(bucket)
	w.putAll("logs", "a", "b", "c", "d", "e")
	until := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	w.patchObject("logs", "b", `{"temporaryHold": true}`)
	w.patchObject("logs", "c", `{"eventBasedHold": true}`)
	w.patchObject("logs", "d", `{"retention": {"mode": "Unlocked", "retainUntilTime": "`+until.Format(time.RFC3339)+`"}}`)
	mark := w.cloud.Traffic.Mark()
	w.delete(bucket)
	w.message(bucket, v1alpha1.ReasonNotEmpty, "--no-temporary-hold", "--no-event-based-hold", "until "+until.Format(time.RFC3339), "2 object generations deleted")
	if d := cmp.Diff([]string{"b", "c", "d"}, w.objects("logs")); d != "" {
		t.Errorf("left (-want +got):\n%s", d)
	}
	want := map[string][]string{
		"object generations under a temporary hold": {"b"}, "object generations under an event-based hold": {"c"},
		"object generations under a retention of their own": {"d"},
	}
	if d := cmp.Diff(want, remaining(bucket)); d != "" {
		t.Errorf("status.deletion.remaining (-want +got):\n%s", d)
	}
	if strings.Contains(condition(bucket, v1alpha1.ConditionReady).Message, "DeleteWithContents") {
		t.Errorf("it advises what is set: %s", describe(bucket))
	}
	w.settled(bucket)
	if n := w.cloud.Traffic.Count(call("objects.delete")); n != 2 {
		t.Errorf("%d calls of objects.delete, want one for each object that can go", n)
	}
	if n := w.carriedOut(mark, "buckets.delete", ""); n > 0 || w.cloud.Traffic.Count(call("buckets.delete")) > 0 {
		t.Error("a bucket was to be deleted that is known not to be empty")
	}

	t.Log("what is let go of goes with the next look")
	w.patchObject("logs", "b", `{"temporaryHold": false}`)
	w.patchObject("logs", "c", `{"eventBasedHold": false}`)
	w.request(http.MethodPatch, "/emulator/storage/b/logs/o/d?overrideUnlockedRetention=true", `{"retention": null}`)
	annotate(w, bucket, v1alpha1.ReconcileRequestedAtAnnotation, "now")
	w.gone(bucket)
}

// TestARetentionThatEndsIsWaitedFor, and not for longer.
func TestARetentionThatEndsIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := emptied("logs", v1alpha1.BucketSpec{ObjectRetention: &v1alpha1.ObjectRetention{Mode: "Enabled"}})
	w.create(bucket)
	w.ready(bucket)
	w.putAll("logs", "a")
	until := time.Now().Add(aWhile).UTC()
	w.patchObject("logs", "a", `{"retention": {"mode": "Locked", "retainUntilTime": "`+until.Format(time.RFC3339Nano)+`"}}`)
	w.delete(bucket)
	w.message(bucket, v1alpha1.ReasonNotEmpty, "nobody can remove it")
	w.gone(bucket)
	if n := w.cloud.Traffic.Count(call("objects.delete")); n != 1 {
		t.Errorf("%d calls of objects.delete, want 1", n)
	}
}

// TestARefusalStopsNothingElse: what the list does not tell, be it a hold or a missing permission, keeps no other object from being deleted.
func TestARefusalStopsNothingElse(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault  traffic.Fault
		reason string
	}{
		"a hold":      {traffic.Fault{Status: http.StatusForbidden, Reason: "objectUnderActiveHold", Message: "Object 'logs/x' is under active Temporary hold and cannot be deleted."}, v1alpha1.ReasonNotEmpty},
		"a retention": {traffic.Fault{Status: http.StatusPreconditionFailed, Reason: "retentionPolicyNotMet", Message: "Object 'logs/x' is subject to bucket's retention policy."}, v1alpha1.ReasonNotEmpty},
		"a denial":    {traffic.Fault{Status: http.StatusForbidden}, v1alpha1.ReasonDenied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			bucket := emptied("logs", v1alpha1.BucketSpec{})
			w.create(bucket)
			w.ready(bucket)
			for i := range 150 {
				w.putAll("logs", fmt.Sprintf("o-%03d", i))
			}
			forgetCreation(w, bucket) // or what is denied would be waited for
			tc.fault.Match, tc.fault.Times = call("objects.delete"), 1
			w.cloud.Traffic.Inject(tc.fault)
			first := w.cloud.Traffic.Pause(call("objects.list"))
			t.Cleanup(first.Release)
			w.delete(bucket)
			w.reached(first)
			again := w.cloud.Traffic.Pause(call("objects.list"))
			t.Cleanup(again.Release)
			first.Release()
			w.reason(bucket, tc.reason)
			if left := w.objects("logs"); len(left) != 1 {
				t.Errorf("%d objects are left, want the one that was refused: %q", len(left), left)
			}
			again.Release()
			annotate(w, bucket, v1alpha1.ReconcileRequestedAtAnnotation, "now")
			w.gone(bucket)
		})
	}
}

// TestEditsThatFreeContentsAreApplied though the manifest is being deleted; others are not.
func TestEditsThatFreeContentsAreApplied(t *testing.T) {
	t.Parallel()
	retained := v1alpha1.BucketSpec{RetentionPolicy: &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(86400))}}
	for name, tc := range map[string]struct {
		policy v1alpha1.DeletionPolicy
		spec   v1alpha1.BucketSpec
		edit   func(*v1alpha1.BucketSpec)
		// frees are what is sent; empty for nothing, and then the bucket stays.
		frees string
		left  []string
	}{
		"the retention leaves the manifest": {
			v1alpha1.DeletionDeleteWithContents, retained, func(s *v1alpha1.BucketSpec) { s.RetentionPolicy = nil }, `{"retentionPolicy":null}`, nil,
		},
		"the retention is cleared": {
			v1alpha1.DeletionDeleteWithContents, retained, func(s *v1alpha1.BucketSpec) { s.RetentionPolicy = &v1alpha1.RetentionPolicy{} }, `{"retentionPolicy":null}`, nil,
		},
		"something else beside it": {
			v1alpha1.DeletionDeleteWithContents, retained, func(s *v1alpha1.BucketSpec) {
				s.RetentionPolicy, s.Labels, s.StorageClass = nil, v1alpha1.Labels{"team": "shop"}, "COLDLINE"
			}, `{"retentionPolicy":null}`, nil,
		},
		"something else": {
			v1alpha1.DeletionDeleteWithContents, retained, func(s *v1alpha1.BucketSpec) { s.Labels = v1alpha1.Labels{"team": "shop"} }, "", []string{"a"},
		},
		"a longer retention": {
			v1alpha1.DeletionDeleteWithContents, retained, func(s *v1alpha1.BucketSpec) { s.RetentionPolicy.RetentionSeconds = new(int64(86401)) }, "", []string{"a"},
		},
		"a lock": {
			v1alpha1.DeletionDeleteWithContents, retained, func(s *v1alpha1.BucketSpec) { s.RetentionPolicy.Locked = new(true) }, "", []string{"a"},
		},
		"no hold of what is added": {
			v1alpha1.DeletionDeleteWithContents, v1alpha1.BucketSpec{DefaultEventBasedHold: new(true)},
			func(s *v1alpha1.BucketSpec) { s.DefaultEventBasedHold = new(false) }, `{"defaultEventBasedHold":false}`, []string{"a"},
		},
		"of a bucket that is not emptied": {
			v1alpha1.DeletionDelete, retained, func(s *v1alpha1.BucketSpec) { s.RetentionPolicy = nil }, `{"retentionPolicy":null}`, []string{"a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			tc.spec.DeletionPolicy = tc.policy
			bucket := aBucket("logs", *tc.spec.DeepCopy())
			w.create(bucket)
			w.ready(bucket)
			w.putAll("logs", "a")
			w.delete(bucket)
			w.reason(bucket, v1alpha1.ReasonNotEmpty)
			mark := w.cloud.Traffic.Mark()
			edit(w, bucket, func(b *v1alpha1.Bucket) { tc.edit(&b.Spec) })
			if len(tc.left) > 0 {
				w.reason(bucket, v1alpha1.ReasonNotEmpty)
			} else {
				w.gone(bucket)
			}
			sent := ""
			for _, write := range w.cloud.Traffic.WritesSince(mark) {
				if write.Method == "buckets.patch" {
					sent += strings.TrimSpace(write.Request)
				}
			}
			if sent != tc.frees {
				t.Errorf("sent is %s, want %s", sent, tc.frees)
			}
			if d := cmp.Diff(tc.left, w.objects("logs"), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("left (-want +got):\n%s", d)
			}
		})
	}
}

// TestEditsThatFreeContentsWaitForApproval with the deletion, under management Approve: one approval is for both.
func TestEditsThatFreeContentsWaitForApproval(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := emptied("logs", v1alpha1.BucketSpec{RetentionPolicy: &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(86400))}})
	w.create(bucket)
	w.ready(bucket)
	w.putAll("logs", "a", "b")
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.Management = v1alpha1.ManagementApprove })
	w.ready(bucket)
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.RetentionPolicy = nil })
	w.reason(bucket, v1alpha1.ReasonAwaitingApproval)
	mark := w.cloud.Traffic.Mark()
	w.delete(bucket)
	w.eventually("the plan to be the deletion", func() (bool, string) {
		w.get(bucket)
		plan := bucket.Status.Plan
		return plan != nil && len(plan.Changes) == 2 && plan.Changes[0].Path == "resource" && plan.Changes[1].Path == "spec.retentionPolicy.retentionSeconds", fmt.Sprintf("%+v", plan)
	})
	w.noWrites(mark)
	deleting := w.cloud.Traffic.Pause(call("objects.delete"))
	approve(w, bucket)
	w.reached(deleting)
	w.stop() // the approval outlives the process, though the plan has another hash by now
	deleting.Release()
	w.start()
	w.gone(bucket)
	if n := w.carriedOut(mark, "buckets.patch", ""); n != 1 {
		t.Errorf("%d patches of the bucket, want 1", n)
	}
}

// TestAnEditThatFreesContentsWaitsForTheGlass like any write.
func TestAnEditThatFreesContentsWaitsForTheGlass(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := emptied("logs", v1alpha1.BucketSpec{RetentionPolicy: &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(86400))}})
	w.create(bucket)
	w.ready(bucket)
	w.putAll("logs", "a")
	w.delete(bucket)
	w.reason(bucket, v1alpha1.ReasonNotEmpty)
	nextSecond() // or it would count as deleted in the incident
	annotate(w, bucket, v1alpha1.BreakGlassAnnotation, incident)
	w.broken(bucket)
	mark := w.cloud.Traffic.Mark()
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.RetentionPolicy = nil })
	w.reason(bucket, v1alpha1.ReasonBreakGlass)
	w.noWrites(mark)
	glasses["object"].close(w, bucket)
	w.gone(bucket)
}

// TestFoldersGoWithTheirBucket, the deepest first, and only where there can be some.
func TestFoldersGoWithTheirBucket(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := emptied("tree", v1alpha1.BucketSpec{
		HierarchicalNamespace: &v1alpha1.HierarchicalNamespace{Enabled: new(true)}, UniformBucketLevelAccess: &v1alpha1.UniformBucketLevelAccess{Enabled: new(true)},
	})
	w.create(bucket)
	w.ready(bucket)
	w.putAll("tree", "logs/2026/01/one", "logs/2026/02/two", "other/three")
	mark := w.cloud.Traffic.Mark()
	w.delete(bucket)
	w.gone(bucket)
	if _, there := w.liveBucket("tree"); there {
		t.Error("the bucket is still there")
	}
	if n := w.carriedOut(mark, "folders.delete", ""); n != 5 {
		t.Errorf("%d folders were deleted, want 5", n)
	}
	counts := w.cloud.Traffic.Counts()
	if counts["storage folders.delete"] != 5 || counts["storage buckets.delete"] != 1 || counts["storage managedFolders.list"] > 0 || counts["storage anywhereCaches.list"] > 0 {
		t.Errorf("needless calls: %v", counts)
	}
}

// TestMoreFoldersThanAPageHas: the folders of a page are deleted before those that they are in, which an earlier page has.
func TestMoreFoldersThanAPageHas(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := emptied("tree", v1alpha1.BucketSpec{
		HierarchicalNamespace: &v1alpha1.HierarchicalNamespace{Enabled: new(true)}, UniformBucketLevelAccess: &v1alpha1.UniformBucketLevelAccess{Enabled: new(true)},
	})
	w.create(bucket)
	w.ready(bucket)
	for i := range 1200 {
		w.request(http.MethodPost, "/emulator/storage/b/tree/folders?recursive=true", fmt.Sprintf(`{"name": "logs/deep/%04d/"}`, i))
	}
	w.delete(bucket)
	w.gone(bucket)
	if n := w.cloud.Traffic.Count(call("folders.delete")); n > 1202+4 {
		t.Errorf("%d calls of folders.delete for 1202 folders", n)
	}
}

// TestManagedFoldersAndCachesAreLookedForWhenNothingElseIsLeft. A cache is disabled, and the bucket goes once Google has deleted it.
func TestManagedFoldersAndCachesAreLookedForWhenNothingElseIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ahead atomic.Int64
	w.cloud = emulator.StartTest(t, emulator.Options{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	w.start()
	bucket := emptied("logs", v1alpha1.BucketSpec{UniformBucketLevelAccess: &v1alpha1.UniformBucketLevelAccess{Enabled: new(true)}})
	w.create(bucket)
	w.ready(bucket)
	w.putAll("logs", "a/one")
	for _, name := range []string{"a/", "a/b/"} {
		w.request(http.MethodPost, "/emulator/storage/b/logs/managedFolders", `{"name": "`+name+`"}`)
	}
	w.request(http.MethodPost, "/emulator/storage/b/logs/anywhereCaches", `{"zone": "us-central1-a"}`)
	mark := w.cloud.Traffic.Mark()
	w.delete(bucket)
	w.message(bucket, v1alpha1.ReasonDeleting, "waiting", "Anywhere Caches which are disabled (us-central1-a)", "about an hour")
	if n := w.carriedOut(mark, "managedFolders.delete", ""); n != 2 || bucket.Status.Deletion.FoldersDeleted != 2 {
		t.Errorf("%d managed folders are deleted, and status says %+v", n, bucket.Status.Deletion)
	}
	w.settled(bucket)
	if n := w.cloud.Traffic.Count(call("anywhereCaches.disable")); n != 1 {
		t.Errorf("the cache was disabled %d times", n)
	}
	ahead.Store(int64(time.Hour))
	annotate(w, bucket, v1alpha1.ReconcileRequestedAtAnnotation, "now")
	w.gone(bucket)
}

// TestAPermissionForWhatIsNotThereIsNotNeeded: who may not list caches can delete a bucket that has none.
func TestAPermissionForWhatIsNotThereIsNotNeeded(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	for _, method := range []string{"anywhereCaches.list", "managedFolders.list", "folders.list"} {
		w.cloud.Traffic.Inject(traffic.Fault{Match: call(method), Status: http.StatusForbidden})
	}
	bucket := emptied("logs", v1alpha1.BucketSpec{UniformBucketLevelAccess: &v1alpha1.UniformBucketLevelAccess{Enabled: new(true)}})
	w.create(bucket)
	w.ready(bucket)
	w.putAll("logs", "a")
	deleting := w.cloud.Traffic.Pause(call("buckets.delete"))
	w.delete(bucket)
	w.reached(deleting)
	w.putAll("logs", "late")
	deleting.Release()
	w.gone(bucket)
}

// TestTheAdviceFitsTheDeletionPolicy: with Delete it says what counts, and what would delete it.
func TestTheAdviceFitsTheDeletionPolicy(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := aBucket("logs", v1alpha1.BucketSpec{
		CommonSpec: v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete}, Versioning: &v1alpha1.Versioning{Enabled: new(true)},
	})
	w.create(bucket)
	w.ready(bucket)
	w.putAll("logs", "a")
	w.request(http.MethodDelete, "/emulator/storage/b/logs/o/a", "") // which leaves a noncurrent generation
	w.delete(bucket)
	w.message(bucket, v1alpha1.ReasonNotEmpty, "DeleteWithContents", "noncurrent", "soft-deleted objects do not count")
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.DeletionPolicy = v1alpha1.DeletionDeleteWithContents })
	w.gone(bucket)
}

// TestOrphanStopsTheEmptying at the next batch, and nothing else is deleted.
func TestOrphanStopsTheEmptying(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := fullBucket(w, 130)
	deleting := w.cloud.Traffic.Pause(call("objects.delete"))
	w.delete(bucket)
	w.reached(deleting)
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.DeletionPolicy = v1alpha1.DeletionOrphan })
	deleting.Release()
	w.gone(bucket)
	left := 0
	for _, n := range w.cloud.Storage.Generations("logs") {
		left += n
	}
	if live, there := w.liveBucket("logs"); left != 160 || !there || len(live.Labels) > 0 {
		t.Errorf("%d generations are left, want 160: all but the batch that was under way; bucket %+v", left, live)
	}
}

// TestAnsweredOrNot: calls that fail or whose replies are lost now and then do not slow the rest down, and all objects go.
func TestAnsweredOrNot(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]traffic.Fault{
		"unavailable": {Status: http.StatusServiceUnavailable}, "lost replies": {LoseReply: true}, "throttled": {Status: http.StatusTooManyRequests, RetryAfter: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			bucket := fullBucket(w, 130)
			fault.Match, fault.Times = call("objects.delete"), 7
			w.cloud.Traffic.Inject(fault)
			mark := w.cloud.Traffic.Mark()
			w.delete(bucket)
			w.gone(bucket)
			if n := w.carriedOut(mark, "objects.delete", ""); n != 260 {
				t.Errorf("%d generations were deleted, want each once", n)
			}
		})
	}
}

// TestKilledAtEachCallOfAnEmptying kills the process at each call of a deletion that frees contents, or deletes folders, before the bucket.
func TestKilledAtEachCallOfAnEmptying(t *testing.T) {
	t.Parallel()
	hierarchy := func(b *v1alpha1.Bucket) {
		b.Spec.HierarchicalNamespace = &v1alpha1.HierarchicalNamespace{Enabled: new(true)}
		b.Spec.UniformBucketLevelAccess = &v1alpha1.UniformBucketLevelAccess{Enabled: new(true)}
	}
	retention := func(b *v1alpha1.Bucket) {
		b.Spec.RetentionPolicy = &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(86400))}
	}
	for name, tc := range map[string]struct {
		spec   func(*v1alpha1.Bucket)
		before func(*world, *v1alpha1.Bucket)
		step   func(*world, v1alpha1.Object)
		writes []string
	}{
		"folders": {
			hierarchy, func(*world, *v1alpha1.Bucket) {}, func(w *world, obj v1alpha1.Object) { w.delete(obj) },
			[]string{"objects.delete", "objects.delete", "folders.delete", "buckets.delete"},
		},
		"a retention": {
			retention, func(w *world, b *v1alpha1.Bucket) { w.delete(b); w.reason(b, v1alpha1.ReasonNotEmpty) },
			func(w *world, obj v1alpha1.Object) {
				edit(w, obj, func(o v1alpha1.Object) { o.(*v1alpha1.Bucket).Spec.RetentionPolicy = nil })
			},
			[]string{"buckets.patch", "objects.delete", "objects.delete", "buckets.delete"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killAtEachCall(t, buckets, crashing{
				before: func(w *world, k kind, obj v1alpha1.Object) {
					bucket := obj.(*v1alpha1.Bucket)
					bucket.Spec.DeletionPolicy = v1alpha1.DeletionDeleteWithContents
					bucket.Spec.Versioning = nil
					tc.spec(bucket)
					createdAndReady(w, k, obj)
					w.putAll(bucket.Name, "a", "logs/b")
					tc.before(w, bucket)
				},
				step: func(w *world, _ kind, obj v1alpha1.Object) { tc.step(w, obj) },
				after: func(w *world, k kind, obj v1alpha1.Object) {
					w.gone(obj)
					if k.console(w).look(obj.GetName()).there {
						w.t.Errorf("the %s is still there", k.Name)
					}
				},
				writes: func(kind) []string { return tc.writes },
			})
		})
	}
}
