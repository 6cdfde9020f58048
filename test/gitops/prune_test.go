package gitops

import (
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// TestABadPruneAndABadMergeDestroyNothing: the tool prunes all that a namespace has, and then sets age: 0 on every bucket. Both are on hold; the
// first is taken back, the second let through.
func TestABadPruneAndABadMergeDestroyNothing(t *testing.T) {
	t.Parallel()
	forEachTool(t, "prune", func(s *scene) {
		const count = 6
		var buckets []v1alpha1.Object
		all := func(lifecycle string) map[string]string {
			manifests := map[string]string{"kept": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: kept\n"} // or there would be nothing to apply
			for i := range count {
				name := fmt.Sprintf("%s-logs-%d", s.namespace, i)
				manifests[name] = manifest("Bucket", name, "deletionPolicy: Delete", "lifecycle: {rules: ["+lifecycle+"]}")
			}
			return manifests
		}
		revision := s.commit("Create", all(""))
		for i := range count {
			bucket := aBucket(fmt.Sprintf("%s-logs-%d", s.namespace, i))
			bucket.Namespace = s.namespace
			buckets = append(buckets, bucket)
		}
		s.follow()
		s.until(revision, healthy)

		mark := s.cloud.Traffic.Mark()
		nothing := all("")
		for name := range nothing {
			if name != "kept" {
				nothing[name] = ""
			}
		}
		pruned := s.commit("Remove everything", nothing)
		onHold := s.onHold(buckets)
		// The rest the namespace bears, if the tool takes more than ten seconds from it to the next.
		s.check(len(onHold) > 0 && len(s.writes(mark)) == count-len(onHold), "on hold are %d, writes are %v", len(onHold), s.writes(mark))
		s.t.Logf("on hold are %d of %d", len(onHold), count)
		s.t.Log("it was a mistake: the resources stay, and the commit is reverted")
		mark = s.cloud.Traffic.Mark()
		for _, bucket := range onHold {
			s.mustKubectl(installed.Ada, "patch", "bucket", bucket.GetName(), "--type=merge", "-p", `{"spec":{"deletionPolicy":"Orphan"}}`)
		}
		for _, bucket := range onHold { // or the tool would apply to one that goes, and make it say Delete again
			s.gone(bucket)
		}
		reverted := s.revert(pruned)
		s.until(reverted, healthy)
		for _, write := range s.writes(mark) {
			s.check(!strings.HasPrefix(write, "buckets.delete"), "a bucket was deleted: %s", write)
		}

		mark = s.cloud.Traffic.Mark()
		merged := s.commit("Delete what is old", all("{action: {type: Delete}, condition: {age: 0}}"))
		onHold = s.onHold(buckets)
		s.until(merged, held, red)
		s.check(len(onHold) > 0 && len(s.writes(mark)) == count-len(onHold), "on hold are %d, writes are %v", len(onHold), s.writes(mark))
		s.t.Logf("on hold are %d of %d", len(onHold), count)
		s.t.Log("it is meant: an administrator lets it through, which the tool does not undo")
		until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		s.mustKubectl(installed.Ada, "annotate", "namespace", s.namespace, v1alpha1.AllowDestructiveUntilAnnotation+"="+until)
		s.until(merged, healthy)
		s.check(len(s.writes(mark)) == count, "writes are %v", s.writes(mark))
	})
}

// onHold waits until each of some buckets is on hold, or gone, or has a lifecycle that deletes; and returns those that are on hold.
func (s *scene) onHold(objects []v1alpha1.Object) (held []v1alpha1.Object) {
	s.t.Helper()
	s.eventually("all to be on hold or let through", func() (bool, string) {
		held = nil
		for _, obj := range objects {
			err := s.object(obj)
			if apierrors.IsNotFound(err) {
				continue
			}
			s.must(err)
			ready := meta.FindStatusCondition(obj.GetCommonStatus().Conditions, v1alpha1.ConditionReady)
			lifecycle := obj.(*v1alpha1.Bucket).Spec.Lifecycle
			switch {
			case ready == nil || ready.ObservedGeneration != obj.GetGeneration():
				return false, obj.GetName()
			case ready.Reason == v1alpha1.ReasonDestructionOnHold:
				held = append(held, obj.DeepCopyObject().(v1alpha1.Object))
			case ready.Reason != v1alpha1.ReasonUpToDate || lifecycle == nil || len(lifecycle.Rules) == 0:
				return false, obj.GetName()
			}
		}
		return true, ""
	})
	return held
}
