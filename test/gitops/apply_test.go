package gitops

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// TestApply is scenario a: a commit creates, changes, removes fields and prunes; the tool is healthy exactly when Google Cloud
// is right; and a bad manifest turns it red, with our sentence in it.
func TestApply(t *testing.T) {
	t.Parallel()
	forEachTool(t, "apply", func(s *scene) {
		bucket, topic := s.namespace+"-invoices", "orders"
		invoices := func(spec ...string) string {
			return manifest("Bucket", "invoices", append([]string{"resourceID: " + bucket, "location: EUROPE-WEST3", "deletionPolicy: Delete"}, spec...)...)
		}
		orders := func(spec ...string) string {
			return manifest("Topic", topic, append([]string{"labels: {team: shop}"}, spec...)...)
		}

		s.t.Log("create")
		creating := s.hold("buckets.insert")
		revision := s.commit("Create", map[string]string{"bucket": invoices("versioning: {enabled: true}"), "topic": orders("messageRetentionSeconds: 3600")})
		s.follow()
		s.neverBefore(revision, creating)
		s.check(s.field(bucket, "versioning", "enabled") == true, "the bucket is %v", s.bucket(bucket))
		s.check(s.topic(topic).GetMessageRetentionDuration().GetSeconds() == 3600, "the topic is %v", s.topic(topic))
		if diff := cmp.Diff([]string{"Bucket/invoices", "Topic/orders"}, s.says().Inventory); diff != "" {
			s.t.Errorf("%s has made (-want +got):\n%s", s.tool, diff)
		}

		s.t.Log("change")
		updating := s.hold("buckets.patch")
		revision = s.commit("Change", map[string]string{"bucket": invoices("versioning: {enabled: false}"), "topic": orders("messageRetentionSeconds: 7200")})
		s.neverBefore(revision, updating)
		s.check(s.field(bucket, "versioning", "enabled") == false, "the bucket is %v", s.bucket(bucket))
		s.check(s.topic(topic).GetMessageRetentionDuration().GetSeconds() == 7200, "the topic is %v", s.topic(topic))

		s.t.Log("remove fields, which takes data from all that the namespace has, so that somebody has to let it")
		until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		s.mustKubectl(installed.Ada, "annotate", "namespace", s.namespace, v1alpha1.AllowDestructiveUntilAnnotation+"="+until)
		updating = s.hold("Publisher.UpdateTopic")
		revision = s.commit("Remove fields", map[string]string{"bucket": invoices(), "topic": orders()})
		s.neverBefore(revision, updating)
		s.check(s.topic(topic).GetMessageRetentionDuration() == nil, "the topic is %v", s.topic(topic))

		s.t.Log("a manifest that the API server refuses")
		bad := s.commit("Move the bucket", map[string]string{"bucket": strings.ReplaceAll(invoices(), "EUROPE-WEST3", "US-EAST1")})
		if v := s.until(bad, red); !strings.Contains(v.Says, "location") || !strings.Contains(v.Says, "cannot be changed") {
			s.t.Errorf("our sentence is missing: %s", v)
		}
		s.until(s.revert(bad), healthy)

		s.t.Log("a manifest that Holdfast refuses")
		bad = s.commit("Reach for another project", map[string]string{"topic2": manifest("Topic", "payments", "projectID: somebody-elses")})
		if v := s.until(bad, red); !strings.Contains(v.Says, "payments") {
			s.t.Errorf("%s does not say which object: %s", s.tool, v)
		} else if s.tool.tellsHealth() && !strings.Contains(v.Says, s.reason(aTopic("payments"), v1alpha1.ReasonProjectNotAllowed)) {
			s.t.Errorf("our sentence is missing: %s", v)
		}
		s.check(s.topic("payments") == nil, "there is a topic")
		s.until(s.revert(bad), healthy)

		s.t.Log("prune")
		mark := s.cloud.Traffic.Mark()
		revision = s.commit("Remove both, keep one", map[string]string{"bucket": "", "topic": "", "other": manifest("Topic", "refunds")})
		s.until(revision, healthy)
		orphan, deleted := aTopic(topic), aBucket("invoices")
		orphan.Namespace, deleted.Namespace = s.namespace, s.namespace
		s.gone(orphan)
		s.gone(deleted)
		s.check(s.bucket(bucket) == nil, "Delete did not delete")
		s.check(s.topic(topic) != nil, "Orphan deleted")
		s.check(!slices.Contains(s.writes(mark), "Publisher.DeleteTopic "+topic), "writes are %v", s.writes(mark))
	})
}
