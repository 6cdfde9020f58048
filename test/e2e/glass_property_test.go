package e2e

import (
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// TestNoWriteThatTheGateShouldHaveStopped lets people break and close glasses, edit, delete and make anew, in Kubernetes and in
// the console, while the network is slow and the operator is killed and comes back. No write that arrives at Google Cloud may
// have been let out by a gate that could have known better, and once all glasses are closed all is as the manifests say.
func TestNoWriteThatTheGateShouldHaveStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := newLedger(w)
	w.start()
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		s := &siege{ledger: l, mark: w.cloud.Traffic.Mark(), runs: true}
		for _, name := range []string{"orders", "refunds"} {
			topic := topics.manifest(fmt.Sprintf("%s-%d", name, n), v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete}).(*v1alpha1.Topic)
			w.create(topic)
			s.topics = append(s.topics, topic)
		}
		for _, assault := range rapid.SliceOfN(rapid.SampledFrom(assaults), 8, 20).Draw(r, "assaults") {
			t.Log(assault.name)
			assault.do(s, r)
		}
		s.expectPeace()
	})
}

// siege is what two topics in one namespace go through.
type siege struct {
	*ledger
	topics []*v1alpha1.Topic
	mark   int64
	// runs says whether the operator runs.
	runs bool
}

// assault is something that happens.
type assault struct {
	name string
	do   func(s *siege, r *rapid.T)
}

func (a assault) String() string { return a.name }

var assaults = []assault{
	{"somebody breaks a glass", func(s *siege, r *rapid.T) { s.let(s.breaks(s.someGlass(r), time.Time{})) }},
	{"somebody breaks a glass for a moment", func(s *siege, r *rapid.T) {
		until := time.Now().Add(2500 * time.Millisecond).Truncate(time.Second)
		if err := s.breaks(s.someGlass(r), until); time.Now().Before(until) { // else it may have been refused, as over
			s.let(err)
		}
	}},
	{"somebody closes a glass", func(s *siege, r *rapid.T) { s.let(s.closes(s.someGlass(r))) }},
	{"a manifest is edited", func(s *siege, r *rapid.T) {
		seconds := someSeconds.Draw(r, "seconds")
		s.let(s.patch(s.someTopic(r), fmt.Sprintf(`{"spec":{"messageRetentionSeconds":%d}}`, seconds)))
	}},
	{"a topic is edited in the console", func(s *siege, r *rapid.T) {
		if topic := s.someTopic(r); s.isLive(topic) {
			topics.console(s.world).set(topic.Name, rapid.Bool().Draw(r, "on"))
		}
	}},
	{"a topic is deleted in the console", func(s *siege, r *rapid.T) {
		if topic := s.someTopic(r); s.isLive(topic) {
			topics.console(s.world).delete(topic.Name)
		}
	}},
	{"a manifest is deleted", func(s *siege, r *rapid.T) {
		topic := s.someTopic(r)
		var stored v1alpha1.Topic
		s.let(s.kube.Get(s.t.Context(), client.ObjectKeyFromObject(topic), &stored))
		if len(stored.Finalizers) == 0 { // its glass goes with it
			s.ends(topic, time.Now())
		}
		s.let(s.kube.Delete(s.t.Context(), &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: topic.Namespace, Name: topic.Name}}))
	}},
	{"a manifest is made anew", func(s *siege, r *rapid.T) {
		anew := topics.manifest(s.someTopic(r).Name, v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		anew.SetNamespace(s.namespace)
		s.let(s.kube.Create(s.t.Context(), anew))
	}},
	{"the network is slow", func(s *siege, r *rapid.T) {
		method := rapid.SampledFrom([]string{topics.getting, topics.creating, topics.updating, topics.deleting}).Draw(r, "method")
		latency := time.Duration(rapid.IntRange(20, 200).Draw(r, "ms")) * time.Millisecond
		s.cloud.Traffic.Inject(traffic.Fault{Match: call(method), Latency: latency, Times: rapid.IntRange(1, 3).Draw(r, "times")})
	}},
	{"a reply is lost", func(s *siege, r *rapid.T) {
		method := rapid.SampledFrom([]string{topics.creating, topics.updating, topics.deleting}).Draw(r, "method")
		s.cloud.Traffic.Inject(traffic.Fault{Match: call(method), LoseReply: true, Times: 1})
	}},
	{"the operator is killed", func(s *siege, _ *rapid.T) { s.stop(); s.runs = false }},
	{"the operator comes back", func(s *siege, _ *rapid.T) { s.run() }},
	{"the dust settles", func(s *siege, r *rapid.T) {
		topic := s.someTopic(r)
		if !s.runs || !s.isThere(topic) {
			return
		}
		stamp := time.Now().Format(time.RFC3339Nano)
		s.let(s.patch(topic, fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.ReconcileRequestedAtAnnotation, stamp)))
		s.eventually(topic.Name+" to be looked at", func() (bool, string) {
			err := s.read(topic)
			return apierrors.IsNotFound(err) || topic.Status.LastHandledReconcileAt == stamp, describe(topic)
		})
	}},
}

// let fails the test if something was refused for another reason than that there is no such topic, or that there is one.
func (s *siege) let(err error) {
	s.t.Helper()
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsAlreadyExists(err) {
		s.t.Fatal(err)
	}
}

func (s *siege) someTopic(r *rapid.T) *v1alpha1.Topic {
	return rapid.SampledFrom(s.topics).Draw(r, "topic")
}

func (s *siege) someGlass(r *rapid.T) client.Object {
	return rapid.SampledFrom([]client.Object{s.space(), s.topics[0], s.topics[1]}).Draw(r, "glass")
}

// patch changes a topic, whatever version it has.
func (s *siege) patch(topic *v1alpha1.Topic, patch string) error {
	changed := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: topic.Namespace, Name: topic.Name}}
	return s.kube.Patch(s.t.Context(), changed, client.RawPatch(types.MergePatchType, []byte(patch)))
}

func (s *siege) isLive(topic *v1alpha1.Topic) bool {
	_, there := s.cloud.PubSub.Topic(s.topicName(topic.Name))
	return there
}

func (s *siege) isThere(topic *v1alpha1.Topic) bool { return s.read(topic) == nil }

func (s *siege) run() {
	if !s.runs {
		s.start()
	}
	s.runs = true
}

// expectPeace closes all glasses and waits until all is as the manifests say.
func (s *siege) expectPeace() {
	s.t.Helper()
	s.cloud.Traffic.RemoveAll()
	for _, glass := range []client.Object{s.space(), s.topics[0], s.topics[1]} {
		s.let(s.closes(glass))
	}
	s.run()
	for _, topic := range s.topics {
		if s.isThere(topic) && topic.DeletionTimestamp.IsZero() {
			s.settled(topic)
			s.glass(topic, metav1.ConditionFalse)
			s.ready(topic)
			if want, live := *topic.Spec.MessageRetentionSeconds, s.liveTopic(topic.Name).GetMessageRetentionDuration().GetSeconds(); live != want {
				s.t.Errorf("%s keeps messages for %d s, want %d", topic.Name, live, want)
			}
			s.delete(topic)
		}
		s.goneOnceApproved(topic)
		if s.isLive(topic) {
			s.t.Errorf("%s is still there", topic.Name)
		}
		s.check(s.mark, topic)
	}
	if s.t.Failed() {
		s.t.FailNow()
	}
}
