package gitops

import (
	"strings"
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// TestAdoption is scenario f: manifests for what is there and matches are committed, which costs no write; what differs waits
// with its plan until a person has approved it.
func TestAdoption(t *testing.T) {
	t.Parallel()
	forEachTool(t, "adoption", func(s *scene) {
		alike, different := s.namespace+"-alike", s.namespace+"-different"
		for _, name := range []string{alike, different} {
			s.must(s.cloud.Storage.CreateBucket(s.project, map[string]any{
				"name": name, "location": "EUROPE-WEST3", "versioning": map[string]any{"enabled": true}, "labels": map[string]any{"team": "shop"},
			}))
		}
		s.must(s.cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: "projects/" + s.project + "/topics/orders", Labels: map[string]string{"team": "shop"}}))
		mark := s.cloud.Traffic.Mark()
		revision := s.commit("Take over what matches", map[string]string{
			"bucket": manifest("Bucket", alike, "location: EUROPE-WEST3", "versioning: {enabled: true}", "labels: {team: shop}"),
			"topic":  manifest("Topic", "orders", "labels: {team: shop}"),
		})
		s.follow()
		s.until(revision, healthy)
		s.check(len(s.writes(mark)) == 0, "taking over what matches wrote %v", s.writes(mark))

		revision = s.commit("Take over what differs", map[string]string{
			"different": manifest("Bucket", different, "location: EUROPE-WEST3", "versioning: {enabled: false}"),
		})
		v := s.until(revision, red, held)
		s.check(strings.Contains(v.Says, different), "%s does not say which object waits: %s", s.tool, v)
		s.check(!s.tool.tellsHealth() || v.State == held && strings.Contains(v.Says, "holdfast.dev/approve"), "%s does not say what to do: %s", s.tool, v)
		obj := aBucket(different)
		s.reason(obj, v1alpha1.ReasonAwaitingAdoption)
		plan := obj.GetCommonStatus().Plan
		if plan == nil || len(plan.Changes) != 1 || plan.Changes[0].Path != "spec.versioning.enabled" {
			s.t.Fatalf("the plan is %+v", plan)
		}
		s.check(len(s.writes(mark)) == 0, "before it was approved: %v", s.writes(mark))

		s.mustKubectl(installed.Ada, "annotate", "bucket", different, v1alpha1.ApproveAnnotation+"="+plan.Hash)
		s.until(revision, healthy)
		s.check(s.field(different, "versioning", "enabled") == false, "the bucket is %v", s.bucket(different))
	})
}
