package gitops

import (
	"strings"
	"testing"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

const incident = "INC-4711: partner needs access"

// TestBreakGlass is scenario c: the glass that a person breaks by kubectl survives the tools; a commit made meanwhile is held
// and shown as held, while other objects go on; closing it rolls the commit out.
func TestBreakGlass(t *testing.T) {
	t.Parallel()
	forEachTool(t, "glass", func(s *scene) {
		bucket := s.namespace + "-exports"
		exports := func(enabled string) string { return manifest("Bucket", bucket, "versioning: {enabled: "+enabled+"}") }
		orders := func(seconds string) string { return manifest("Topic", "orders", "messageRetentionSeconds: "+seconds) }
		revision := s.commit("Create", map[string]string{"bucket": exports("false"), "topic": orders("3600")})
		s.follow()
		s.until(revision, healthy)

		s.mustKubectl(installed.Ada, "annotate", "bucket", bucket, v1alpha1.BreakGlassAnnotation+"="+incident)
		s.eventually("the glass to be acknowledged", func() (bool, string) {
			out := s.mustKubectl(installed.Ada, "get", "bucket", bucket, "-o", "wide")
			return strings.Contains(out, "Open") && strings.Contains(out, installed.Ada), out
		})
		if s.tool.tellsHealth() {
			s.suspended(revision, bucket, incident)
		}

		s.t.Log("somebody changes the bucket in the console, and a commit wants it otherwise")
		s.must(s.cloud.Storage.EditBucket(bucket, map[string]any{"labels": map[string]any{"incident": "4711"}}))
		mark := s.cloud.Traffic.Mark()
		revision = s.commit("Switch versioning on, keep messages longer", map[string]string{"bucket": exports("true"), "topic": orders("7200")})
		s.reason(aBucket(bucket), v1alpha1.ReasonBreakGlass)
		if v := s.until(revision, red, held); !strings.Contains(v.Says, bucket) {
			s.t.Errorf("%s does not say which object is held: %s", s.tool, v)
		}
		s.eventually("the others to go on", func() (bool, string) {
			live := s.topic("orders")
			return live.GetMessageRetentionDuration().GetSeconds() == 7200, live.String()
		})
		if s.tool.tellsHealth() {
			s.suspended(revision, bucket, "spec.versioning.enabled")
		}

		s.t.Log("the tools apply again and again, and heal what people change in the cluster")
		s.mustKubectl(installed.Ada, "patch", "bucket", bucket, "--type=merge", `--patch={"spec":{"versioning":{"enabled":false}}}`)
		s.eventually("git's word to be back", func() (bool, string) {
			obj := aBucket(bucket)
			s.must(s.object(obj))
			return obj.Spec.Versioning != nil && *obj.Spec.Versioning.Enabled, "versioning is off"
		})
		for range 3 { // intervals of Flux's, and refreshes of Argo CD's
			looked := s.mark()
			s.tool.refresh()
			s.eventually("the tool to look again", func() (bool, string) { return s.recorder.count() > looked+2, "no new verdict" })
		}
		obj := aBucket(bucket)
		s.must(s.object(obj))
		s.check(obj.Annotations[v1alpha1.BreakGlassAnnotation] == incident, "annotations are %v", obj.Annotations)
		s.check(obj.GetCommonStatus().BreakGlass != nil && obj.GetCommonStatus().BreakGlass.By == installed.Ada, "the glass is %+v", obj.GetCommonStatus().BreakGlass)
		for _, write := range s.writes(mark) {
			s.check(!strings.Contains(write, bucket), "while the glass was broken: %s", write)
		}
		s.check(s.field(bucket, "versioning", "enabled") != true, "versioning is on")

		s.t.Log("closing it rolls the commit out")
		closed := time.Now()
		s.mustKubectl(installed.Ada, "annotate", "bucket", bucket, v1alpha1.BreakGlassAnnotation+"-")
		s.eventually("the held commit to be rolled out", func() (bool, string) {
			return s.field(bucket, "versioning", "enabled") == true, "versioning is off"
		})
		s.t.Logf("rolled out %s after the glass was closed", time.Since(closed).Round(time.Second/10))
		s.until(revision, healthy)
		s.must(s.object(obj))
		if history := obj.GetCommonStatus().BreakGlassHistory; len(history) != 1 || history[0].ClosedBy != installed.Ada {
			s.t.Errorf("the history is %+v", history)
		}
	})
}

// suspended waits until Argo CD shows an object, and with it the Application, as Suspended, and with some words.
func (s *scene) suspended(revision, bucket, words string) {
	s.t.Helper()
	s.eventually("the object to be shown as Suspended", func() (bool, string) {
		v := s.says()
		return v.Revision == revision && v.State == held && v.Health["Bucket/"+bucket] == "Suspended" && strings.Contains(v.Says, words), v.String()
	})
}
