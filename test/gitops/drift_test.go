package gitops

import (
	"os"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestDrift is scenario b: drift in Google Cloud is corrected without the tools noticing a difference, and while nothing
// happens nobody writes anything.
func TestDrift(t *testing.T) {
	t.Parallel()
	forEachTool(t, "drift", func(s *scene) {
		bucket, topic := s.namespace+"-invoices", "orders"
		revision := s.commit("Create", map[string]string{
			"bucket": manifest("Bucket", bucket, "versioning: {enabled: true}", "labels: {team: shop}"),
			"topic":  manifest("Topic", topic, "labels: {team: shop}"),
		})
		s.follow()
		s.until(revision, healthy)
		mark, writes := s.mark(), s.cloud.Traffic.Mark()

		s.must(s.cloud.Storage.EditBucket(bucket, map[string]any{"versioning": map[string]any{"enabled": false}}))
		s.must(s.cloud.PubSub.EditTopic("projects/"+s.project+"/topics/"+topic, func(live *pubsubpb.Topic) { live.Labels["team"] = "bank" }))
		s.eventually("the drift to be corrected", func() (bool, string) {
			label := s.topic(topic).GetLabels()["team"]
			return s.field(bucket, "versioning", "enabled") == true && label == "shop", label
		})
		if diff := cmp.Diff(map[string]int{"buckets.patch " + bucket: 1, "Publisher.UpdateTopic " + topic: 1}, counted(s.writes(writes))); diff != "" {
			s.t.Errorf("writes to Google Cloud (-want +got):\n%s", diff)
		}
		s.reason(aBucket(bucket), v1alpha1.ReasonUpToDate)
		s.reason(aTopic(topic), v1alpha1.ReasonUpToDate)
		// Ready says the same all along, and what was written is stored after it.
		var last string
		since := time.Now()
		s.eventually("nothing more to be stored", func() (bool, string) {
			var now string
			for _, obj := range []v1alpha1.Object{aBucket(bucket), aTopic(topic)} {
				s.must(s.object(obj))
				now += " " + obj.GetResourceVersion()
			}
			if now != last {
				last, since = now, time.Now()
			}
			return time.Since(since) > 3*time.Second, now
		})
		for _, obj := range []v1alpha1.Object{aBucket(bucket), aTopic(topic)} {
			s.must(s.object(obj))
			s.check(obj.GetGeneration() == 1, "%s has generation %d, so somebody changed its spec", obj.GetName(), obj.GetGeneration())
		}

		s.idle(s.namespace)
		for _, v := range s.history(mark) {
			// Flux says at each interval that it is looking; a difference or an ailment would be another state.
			s.check(v.State != red && v.State != held && v.Revision == revision, "%s noticed: %s", s.tool, v)
			s.check(!s.tool.tellsHealth() || v.State == healthy, "%s noticed: %s", s.tool, v)
		}
	})
}

// idle lets time pass and holds everybody to writing nothing, neither to the namespace's objects nor to Google Cloud.
func (s *scene) idle(namespace string) {
	s.t.Helper()
	lasting := 90 * time.Second
	if text := os.Getenv("HOLDFAST_IDLE"); text != "" {
		var err error
		lasting, err = time.ParseDuration(text)
		s.must(err)
	}
	began, err := s.audit.size()
	s.must(err)
	mark := s.cloud.Traffic.Mark()
	s.t.Logf("nothing happens for %s", lasting)
	select {
	case <-time.After(lasting):
	case <-s.t.Context().Done():
		s.t.Fatal("the test is over")
	}
	deeds, err := s.audit.since(began, namespace)
	s.must(err)
	for _, deed := range deeds {
		s.t.Errorf("while nothing happened: %s", deed)
	}
	if writes := s.writes(mark); len(writes) > 0 {
		s.t.Errorf("while nothing happened Google Cloud was asked for %v", writes)
	}
	reads := 0
	for _, entry := range s.cloud.Traffic.Since(mark) {
		if entry.Project == s.project {
			reads++
		}
	}
	s.check(reads > 0, "Google Cloud was not even looked at, so nothing is shown")
	s.t.Logf("in %s Google Cloud was read from %d times, and nobody wrote", lasting, reads)
}

func counted(texts []string) map[string]int {
	counts := map[string]int{}
	for _, text := range texts {
		counts[text]++
	}
	return counts
}
