package plugin

import (
	"net/http"
	"strings"
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// diff runs the command diff in the world's namespace.
func (w *world) diff(args ...string) result {
	w.t.Helper()
	return w.run(append(append([]string{"diff", "-n", w.namespace, "--gcp-identity=" + operator}, w.cloudArgs()...), args...)...)
}

// TestDiff: live against the manifest now, with the exit codes of kubectl diff; and what makes the manifest agree with it does.
func TestDiff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "console")
	w.start()
	topic := &v1alpha1.Topic{ObjectMeta: named("orders"), Spec: v1alpha1.TopicSpec{
		Labels: v1alpha1.Labels{"team": "shop", "tier": "gold"}, MessageRetentionSeconds: new(int64(600)),
		IAM: &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{
			{Role: "roles/pubsub.viewer", Members: []v1alpha1.IAMMember{"user:ada@example.com", "user:bob@example.com"}},
		}},
	}}
	w.create(topic)
	w.ready(topic)
	if got := w.diff("topic/orders"); got != (result{}) {
		t.Errorf("no difference is %+v", got)
	}
	if got := w.diff("topic/orders", "--accept"); got != (result{}) {
		t.Errorf("nothing to accept is %+v", got)
	}
	w.must(w.cloud.PubSub.EditTopic("projects/console-prod/topics/orders", func(live *pubsubpb.Topic) {
		live.Labels["team"] = "ops"
		delete(live.Labels, "tier")
		live.Labels["unmanaged"] = "x"
		live.MessageRetentionDuration = durationpb.New(1200e9)
	}))
	w.revoke("orders", "user:bob@example.com")
	got := w.diff("topics.gcp.holdfast.dev/orders")
	if got.code != 1 || got.stderr != "" {
		t.Errorf("a difference ended with %d: %s", got.code, got.stderr)
	}
	w.golden("diff.txt", got.stdout)

	patch := w.diff("topic/orders", "--accept")
	if patch.code != 1 {
		t.Errorf("accepting ended with %+v", patch)
	}
	w.golden("diff-accept.yaml", patch.stdout)
	w.write("all.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: console}\n---\n"+w.manifestOf(topic)+"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: orders}\n")
	whole := w.diff("topic/orders", "--accept", "-f", "all.yaml")
	if whole.code != 1 || !strings.HasSuffix(whole.stdout, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: orders}\n") {
		t.Errorf("accepting into a file ended with %+v", whole)
	}
	w.write("new.yaml", strings.Split(whole.stdout, "---\n")[1])
	if got := w.plan("-f", "new.yaml"); got.code != 0 {
		t.Errorf("what was accepted is planned as %s%s", got.stdout, got.stderr)
	}
	asJSON, err := yaml.YAMLToJSON([]byte(patch.stdout))
	w.must(err)
	w.stop()
	w.get(topic)
	w.must(w.kube.Patch(t.Context(), topic, client.RawPatch("application/merge-patch+json", asJSON)))
	if got := w.diff("topic/orders"); got != (result{}) {
		t.Errorf("after accepting, the difference is %+v", got)
	}
}

// manifestOf is an object as somebody has it in a file.
func (w *world) manifestOf(obj v1alpha1.Object) string {
	w.t.Helper()
	file := obj.DeepCopyObject().(*v1alpha1.Topic)
	file.ObjectMeta = named(obj.GetName())
	file.Namespace, file.Status = obj.GetNamespace(), v1alpha1.TopicStatus{}
	file.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Topic"))
	text, err := yaml.Marshal(file)
	w.must(err)
	return string(text)
}

// revoke takes all roles on a topic from a member.
func (w *world) revoke(topic, member string) {
	w.t.Helper()
	clients := w.clients()
	k, _ := kind.Named(kinds.All(clients), "Topic")
	ref := kind.Ref{Project: w.project, ID: topic}
	policy, err := k.Policy.Get(w.t.Context(), ref)
	w.must(err)
	_, err = k.Policy.Set(w.t.Context(), ref, withoutMember(policy, member))
	w.must(err)
	w.must(clients.Close())
}

// TestDiffOfWhatIsNotThere shows all of the manifest.
func TestDiffOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "absent")
	w.create(&v1alpha1.Topic{ObjectMeta: named("orders"), Spec: v1alpha1.TopicSpec{Labels: v1alpha1.Labels{"team": "shop"}}})
	got := w.diff("topic/orders")
	if got.code != 1 || !strings.Contains(got.stdout, "+spec:\n+  labels:\n+    team: shop\n") {
		t.Errorf("got %+v", got)
	}
}

// TestDiffSaysWhatIsWrong, with the exit code of an error.
func TestDiffSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "different")
	w.create(&v1alpha1.Topic{ObjectMeta: named("denied")})
	w.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Resource: "denied"}, Status: http.StatusForbidden})
	cases := map[string]struct {
		args []string
		says string
	}{
		"no argument":   {nil, "diff takes one manifest: KIND/NAME"},
		"no name":       {[]string{"topic"}, "diff takes one manifest: KIND/NAME"},
		"no such kind":  {[]string{"buckett/a"}, `there is no kind "buckett": the kinds are bucket, topic, serviceaccount, projectpolicy`},
		"no such one":   {[]string{"topic/nobody"}, `"nobody" not found`},
		"denied":        {[]string{"topic/denied"}, "permission pubsub.topics.get is missing on "},
		"only a file":   {[]string{"topic/denied", "-f", "x.yaml"}, "-f is for --accept"},
		"no such flags": {[]string{"--nothing"}, "unknown flag: --nothing"},
	}
	for name, tc := range cases {
		got := w.diff(tc.args...)
		want := 2
		if name == "no such flags" { // which is not even this command's to say
			want = 1
		}
		if got.code != want || got.stdout != "" || !strings.Contains(got.stderr, tc.says) || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
