package engine

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// TestAManifestThatMovedIsNotTakenForUnwritten: the process of the other shard may have created the resource and ended before it stored that.
// One that was created in this shard since is this process's own.
func TestAManifestThatMovedIsNotTakenForUnwritten(t *testing.T) {
	for name, tc := range map[string]struct {
		created time.Duration // after the process began; the namespace moved after ten minutes, if at all
		moved   bool
		kept    bool
	}{
		"created since the process began":         {created: time.Minute},
		"created in the other shard":              {created: time.Minute, moved: true, kept: true},
		"created when the namespace moved":        {created: 10 * time.Minute, moved: true, kept: true},
		"created since the namespace moved":       {created: 11 * time.Minute, moved: true},
		"created before the process began":        {created: -time.Minute, kept: true},
		"created before it, and moved since then": {created: -time.Minute, moved: true, kept: true},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now().Truncate(time.Second)
			topic := shopTopic()
			topic.Spec.DeletionPolicy = v1alpha1.DeletionDelete
			topic.Finalizers = []string{v1alpha1.Finalizer}
			topic.CreationTimestamp = metav1.NewTime(began.Add(tc.created))
			r, topics := testReconciler(t, topic)
			topics.live["orders"] = v1alpha1.TopicSpec{MessageRetentionSeconds: new(int64(3600)), Labels: v1alpha1.Labels{
				"team": "shop", "holdfast-owner": "cluster", "holdfast-namespace": "shop", "holdfast-name": "orders", "holdfast-created-by": "1_x",
			}}
			now := began
			r.now = func() time.Time { return now }
			r.tenants.now = r.now
			r.writes.begin(began)
			if now = began.Add(10 * time.Minute); tc.moved {
				moveShop(t, r)
			}
			now = began.Add(20 * time.Minute)
			if err := r.client.Delete(t.Context(), topic); err != nil {
				t.Fatal(err)
			}
			stored, _ := reconcileOnce(t, r) // it cannot delete the resource: nothing tells that its definition stays
			if kept := stored != nil; kept != tc.kept {
				t.Errorf("the manifest is kept: %v, want %v", kept, tc.kept)
			}
		})
	}
}

// TestUnrecordedIsOfOneObject: not of the next one of its name, and not after the object is gone or another shard's.
func TestUnrecordedIsOfOneObject(t *testing.T) {
	record := plan.Record{Identity: "1_x"}
	r, _ := testReconciler(t)
	topic, next := shopTopic(), shopTopic()
	next.UID = "2"
	r.unrecorded.note(topic, record)
	if _, ok := r.unrecorded.recall(topic); !ok {
		t.Error("nothing is kept")
	}
	if is, ok := r.unrecorded.recall(next); ok {
		t.Errorf("of another object of the name: %+v", is)
	}
	r.forget(types.NamespacedName{Namespace: "shop", Name: "orders"})
	if len(r.unrecorded.of) > 0 {
		t.Errorf("kept of what is gone: %v", r.unrecorded.of)
	}
}
