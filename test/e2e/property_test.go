package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// TestATopicConvergesWhateverHappens lets people, the console, the network and the process do as they like with a topic, in
// any order, and looks at what it comes to when they are done.
func TestATopicConvergesWhateverHappens(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		s := &story{world: w, topic: aTopic(fmt.Sprintf("orders-%d", n), v1alpha1.TopicSpec{Labels: shop}), mark: w.cloud.Traffic.Mark()}
		w.create(s.topic)
		for _, turn := range rapid.SliceOfN(rapid.SampledFrom(turns), 3, 9).Draw(r, "turns") {
			t.Log(turn.name)
			turn.do(s, r)
		}
		w.cloud.Traffic.RemoveAll()
		s.expectConverged()
		w.delete(s.topic)
		w.gone(s.topic)
	})
}

// story is what happens to one topic.
type story struct {
	*world
	topic *v1alpha1.Topic
	mark  int64
	// deletions counts how often somebody deleted the topic in the console.
	deletions int
}

// turn is something that happens.
type turn struct {
	name string
	do   func(s *story, r *rapid.T)
}

func (t turn) String() string { return t.name }

var (
	someSeconds = rapid.Int64Range(600, 2678400)
	someLabels  = rapid.MapOfN(rapid.SampledFrom([]string{"team", "tier", "cost"}), rapid.SampledFrom([]string{"a", "b"}), 0, 3)
)

var turns = []turn{
	{"the manifest gets a retention", func(s *story, r *rapid.T) {
		edit(s.world, s.topic, func(o *v1alpha1.Topic) { o.Spec.MessageRetentionSeconds = new(someSeconds.Draw(r, "seconds")) })
	}},
	{"the retention leaves the manifest", func(s *story, _ *rapid.T) {
		edit(s.world, s.topic, func(o *v1alpha1.Topic) { o.Spec.MessageRetentionSeconds = nil })
	}},
	{"the manifest gets other labels", func(s *story, r *rapid.T) {
		edit(s.world, s.topic, func(o *v1alpha1.Topic) {
			o.Spec.Labels = v1alpha1.Labels{}
			for key, value := range someLabels.Draw(r, "labels") {
				o.Spec.Labels[key] = v1alpha1.LabelValue(value)
			}
		})
	}},
	{"somebody edits the topic in the console", func(s *story, r *rapid.T) {
		s.console(func(live *pubsubpb.Topic) {
			live.MessageRetentionDuration = seconds(someSeconds.Draw(r, "live seconds"))
			live.Labels["team"] = rapid.SampledFrom([]string{"a", "b"}).Draw(r, "live team")
		})
	}},
	{"somebody deletes the topic in the console", func(s *story, _ *rapid.T) {
		if s.cloud.PubSub.DeleteTopic(s.topicName(s.topic.Name)) == nil {
			s.deletions++
		}
	}},
	{"the object is looked at", func(s *story, _ *rapid.T) {
		annotate(s.world, s.topic, v1alpha1.ReconcileRequestedAtAnnotation, fmt.Sprint(s.cloud.Traffic.Mark()))
	}},
	{"the network fails", func(s *story, r *rapid.T) {
		method := rapid.SampledFrom([]string{topics.getting, topics.creating, topics.updating}).Draw(r, "method")
		fault := rapid.SampledFrom([]traffic.Fault{{LoseReply: true}, {Outage: true}, {Status: http.StatusServiceUnavailable}}).Draw(r, "fault")
		fault.Match, fault.Times = call(method), rapid.IntRange(1, 2).Draw(r, "times")
		s.cloud.Traffic.Inject(fault)
	}},
	{"the process is restarted", func(s *story, _ *rapid.T) { s.restart() }},
}

// console edits the topic if it is there.
func (s *story) console(change func(*pubsubpb.Topic)) {
	name := s.topicName(s.topic.Name)
	if _, there := s.cloud.PubSub.Topic(name); there {
		s.must(s.cloud.PubSub.EditTopic(name, change))
	}
}

// expectConverged waits until the topic is as its manifest says, and checks that nothing was made twice.
func (s *story) expectConverged() {
	s.t.Helper()
	s.settled(s.topic)
	s.ready(s.topic)
	live := s.liveTopic(s.topic.Name)
	if want := s.topic.Spec.MessageRetentionSeconds; want != nil && live.GetMessageRetentionDuration().GetSeconds() != *want {
		s.t.Errorf("retention is %v, want %d s", live.GetMessageRetentionDuration(), *want)
	}
	for key, want := range s.topic.Spec.Labels {
		if got := live.GetLabels()[key]; got != string(want) {
			s.t.Errorf("label %s is %q, want %q", key, got, want)
		}
	}
	if live.GetLabels()[v1alpha1.OwnerLabel] != s.ownerID {
		s.t.Errorf("it is not marked: %v", live.GetLabels())
	}
	if made := s.carriedOut(s.mark, topics.creating, s.topic.Name); made > 1+s.deletions {
		s.t.Errorf("made %d times, deleted in the console %d times", made, s.deletions)
	}
	if pending := s.topic.Status.Pending; len(pending) > 0 {
		s.t.Errorf("pending is left: %v", pending)
	}
	if s.t.Failed() {
		s.t.FailNow()
	}
}
