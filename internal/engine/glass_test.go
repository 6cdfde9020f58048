package engine

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestAStaleNamespaceDoesNotCloseARecord: the gate reads the Namespace uncached and may know of its glass before the cache
// does. The next pass, for whatever reason it comes, must not take that for a closing.
func TestAStaleNamespaceDoesNotCloseARecord(t *testing.T) {
	topic := shopTopic()
	topic.Status.BreakGlass = &v1alpha1.BreakGlass{Scope: v1alpha1.BreakGlassOnNamespace, Reason: "INC-4711: partner needs access", By: "ada", Since: metav1.Now()}
	glass := map[string]string{v1alpha1.BreakGlassAnnotation: "INC-4711: partner needs access", v1alpha1.BreakGlassByAnnotation: "ada"}
	r, topics := testReconciler(t, topic)
	r.uncached = fake.NewClientBuilder().WithScheme(r.scheme).WithObjects(shopNamespace(glass)).Build()
	stored, err := reconcileOnce(t, r)
	if err != nil || stored.Status.BreakGlass == nil || len(stored.Status.BreakGlassHistory) > 0 {
		t.Errorf("pass: %v; open is %+v, behind it %+v", err, stored.Status.BreakGlass, stored.Status.BreakGlassHistory)
	}
	if len(topics.live) > 0 {
		t.Errorf("written is %v", topics.live)
	}
}
