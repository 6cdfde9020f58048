package gitops

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// TestCascade is scenario d: what the tool made is deleted with all that it made, and then the namespace; what said Orphan stays
// in Google Cloud, and while the glass is broken the deletion waits.
func TestCascade(t *testing.T) {
	t.Parallel()
	forEachTool(t, "cascade", func(s *scene) {
		objects := s.populate()
		s.t.Log("the Application or Kustomization is deleted")
		s.deletedWaits(objects, s.tool.remove)
		s.gone(s.tool.watched())
	})
}

// TestNamespaceDeletion does so for a namespace that the tool still syncs, which nobody wants and yet happens.
func TestNamespaceDeletion(t *testing.T) {
	t.Parallel()
	forEachTool(t, "namespace", func(s *scene) {
		objects := s.populate()
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
		s.t.Log("the namespace is deleted")
		s.deletedWaits(objects, func() { s.must(s.kube.Delete(s.t.Context(), namespace)) })
		s.gone(namespace)
	})
}

// populated are the objects of a cascade: the glass is broken on the one that says Delete.
type populated struct {
	kept, guarded *v1alpha1.Bucket
	topic         *v1alpha1.Topic
}

func (s *scene) populate() populated {
	s.t.Helper()
	p := populated{aBucket(s.namespace + "-kept"), aBucket(s.namespace + "-guarded"), aTopic("orders")}
	for _, obj := range []v1alpha1.Object{p.kept, p.guarded, p.topic} {
		obj.SetNamespace(s.namespace)
	}
	revision := s.commit("Create", map[string]string{
		"kept":    manifest("Bucket", p.kept.Name),
		"guarded": manifest("Bucket", p.guarded.Name, "deletionPolicy: Delete"),
		"topic":   manifest("Topic", p.topic.Name, "deletionPolicy: Delete"),
	})
	s.follow()
	s.until(revision, healthy)
	s.mustKubectl(installed.Ada, "annotate", "bucket", p.guarded.Name, v1alpha1.BreakGlassAnnotation+"="+incident)
	s.eventually("the glass to be acknowledged", func() (bool, string) {
		s.must(s.object(p.guarded))
		return p.guarded.GetCommonStatus().BreakGlass != nil, "no glass"
	})
	return p
}

// deletedWaits deletes, and shows that all ends but what the glass guards, and that too once the glass is closed and somebody has approved that
// it goes.
func (s *scene) deletedWaits(p populated, deletes func()) {
	s.t.Helper()
	mark := s.cloud.Traffic.Mark()
	deletes()
	s.gone(p.kept)
	s.gone(p.topic)
	s.check(s.bucket(p.kept.Name) != nil, "Orphan deleted")
	s.check(s.topic(p.topic.Name) == nil, "Delete did not delete")
	s.reason(p.guarded, v1alpha1.ReasonBreakGlass)
	s.check(!p.guarded.DeletionTimestamp.IsZero(), "the guarded bucket is not being deleted")
	s.check(!slices.Contains(s.writes(mark), "buckets.delete "+p.guarded.Name), "writes are %v", s.writes(mark))

	closed := time.Now()
	s.mustKubectl(installed.Ada, "annotate", "bucket", p.guarded.Name, v1alpha1.BreakGlassAnnotation+"-")
	s.reason(p.guarded, v1alpha1.ReasonAwaitingApproval)
	s.check(!slices.Contains(s.writes(mark), "buckets.delete "+p.guarded.Name), "writes are %v", s.writes(mark))
	s.mustKubectl(installed.Ada, "annotate", "--overwrite", "bucket", p.guarded.Name, v1alpha1.ApproveAnnotation+"="+p.guarded.Status.Plan.Hash)
	s.gone(p.guarded)
	s.t.Logf("the deletion ended %s after the glass was closed", time.Since(closed).Round(time.Second/10))
	s.check(s.bucket(p.guarded.Name) == nil, "Delete did not delete")
	s.check(s.bucket(p.kept.Name) != nil, "Orphan deleted")
}
