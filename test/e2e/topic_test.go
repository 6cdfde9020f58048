package e2e

import (
	"maps"
	"strings"
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func aTopic(name string, spec v1alpha1.TopicSpec) *v1alpha1.Topic {
	return &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}
}

func (w *world) topicName(id string) string { return "projects/" + w.project + "/topics/" + id }

func (w *world) liveTopic(id string) *pubsubpb.Topic {
	w.t.Helper()
	live, there := w.cloud.PubSub.Topic(w.topicName(id))
	if !there {
		w.t.Fatalf("topic %s does not exist", id)
	}
	return live
}

func TestTopicLifecycle(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	topic := aTopic("orders", v1alpha1.TopicSpec{
		CommonSpec:              v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete},
		Labels:                  v1alpha1.Labels{"team": "shop"},
		MessageRetentionSeconds: new(int64(3600)),
	})
	mark := w.cloud.Traffic.Mark()

	w.create(topic)
	w.ready(topic)
	if d := cmp.Diff([]string{"Publisher.CreateTopic"}, w.writes(mark)); d != "" {
		t.Errorf("writes of a create (-want +got):\n%s", d)
	}
	if n := w.cloud.Traffic.Total(); n != 2 {
		t.Errorf("a create took %d calls, want one read and one write: %v", n, w.cloud.Traffic.Counts())
	}
	want := map[string]string{"team": "shop", "holdfast-owner": w.ownerID, "holdfast-namespace": w.namespace, "holdfast-name": "orders"}
	got := maps.Clone(w.liveTopic("orders").GetLabels())
	if creator := got[v1alpha1.CreatorLabel]; !strings.HasPrefix(creator, string(topic.UID)+"_") {
		t.Errorf("created by %q, want %s", creator, topic.UID)
	}
	delete(got, v1alpha1.CreatorLabel)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("labels (-want +got):\n%s", d)
	}

	t.Log("nothing to do: one read, no write anywhere but the record of the request")
	w.cloud.Traffic.ResetCounts()
	w.settled(topic)
	if d := cmp.Diff(map[string]int{"pubsub Publisher.GetTopic": 1}, w.cloud.Traffic.Counts()); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}

	t.Log("an edit sends only what changed")
	mark = w.cloud.Traffic.Mark()
	edit(w, topic, func(o *v1alpha1.Topic) { o.Spec.MessageRetentionSeconds = new(int64(7200)) })
	w.ready(topic)
	if got := w.liveTopic("orders").GetMessageRetentionDuration().GetSeconds(); got != 7200 {
		t.Errorf("retention is %d s, want 7200", got)
	}
	if d := cmp.Diff([]string{"Publisher.UpdateTopic"}, w.writes(mark)); d != "" {
		t.Errorf("writes of an update (-want +got):\n%s", d)
	}

	t.Log("a field that leaves the manifest is reset")
	edit(w, topic, func(o *v1alpha1.Topic) { o.Spec.MessageRetentionSeconds, o.Spec.Labels = nil, nil })
	w.ready(topic)
	if live := w.liveTopic("orders"); live.GetMessageRetentionDuration() != nil || live.GetLabels()["team"] != "" {
		t.Errorf("not reset: %v", live)
	}

	t.Log("deleting the manifest deletes the topic, as it says")
	w.delete(topic)
	w.gone(topic)
	if _, there := w.cloud.PubSub.Topic(w.topicName("orders")); there {
		t.Error("the topic is still there")
	}
}

func TestTopicIsOrphanedByDefaultAndLosesItsMarks(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	topic := aTopic("orders", v1alpha1.TopicSpec{Labels: v1alpha1.Labels{"team": "shop"}})
	w.create(topic)
	w.ready(topic)

	w.delete(topic)
	w.gone(topic)
	if d := cmp.Diff(map[string]string{"team": "shop"}, w.liveTopic("orders").GetLabels()); d != "" {
		t.Errorf("labels of the orphan (-want +got):\n%s", d)
	}
}

func TestTopicDriftIsCorrected(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	topic := aTopic("orders", v1alpha1.TopicSpec{MessageRetentionSeconds: new(int64(3600)), Labels: v1alpha1.Labels{"team": "shop"}})
	w.create(topic)
	w.ready(topic)

	if err := w.cloud.PubSub.EditTopic(w.topicName("orders"), func(live *pubsubpb.Topic) {
		live.MessageRetentionDuration = nil
		live.Labels["team"], live.Labels["cost"] = "bank", "42"
	}); err != nil {
		t.Fatal(err)
	}
	w.settled(topic)
	w.ready(topic)
	live := w.liveTopic("orders")
	if live.GetMessageRetentionDuration().GetSeconds() != 3600 || live.GetLabels()["team"] != "shop" {
		t.Errorf("not corrected: %v", live)
	}
	if live.GetLabels()["cost"] != "42" {
		t.Errorf("a label that nobody declared was removed: %v", live)
	}
}
