package plugin

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/preview/render"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// plan runs the command plan against the world's cloud.
func (w *world) plan(args ...string) result {
	w.t.Helper()
	return w.run(append(append([]string{"plan", "--gcp-identity=" + operator}, w.cloudArgs()...), args...)...)
}

// planned is the plan as JSON, which must have come out.
func (w *world) planned(args ...string) render.Document {
	w.t.Helper()
	got := w.plan(append(args, "-o", "json")...)
	var d render.Document
	if err := json.Unmarshal([]byte(got.stdout), &d); err != nil {
		w.t.Fatalf("%v: stdout %q, stderr %q", err, got.stdout, got.stderr)
	}
	return d
}

// exists makes the resource of a manifest in the cloud, as somebody else would.
func (w *world) exists(obj v1alpha1.Object, project string) {
	w.t.Helper()
	clients := w.clients()
	for _, k := range kinds.All(clients) {
		if k.Fields != nil && sameKind(k, obj) {
			_, err := k.Fields.Create(w.t.Context(), kind.Ref{Project: project, ID: k.ResourceID(obj)}, obj)
			w.must(err)
		}
	}
	w.must(clients.Close())
}

func sameKind(k kind.Kind, obj v1alpha1.Object) bool {
	of, _, err := scheme.ObjectKinds(obj)
	return err == nil && of[0].Kind == k.Kind
}

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

// story writes manifests, and makes what is there: of every effect one.
func (w *world) story() {
	w.t.Helper()
	w.write("manifests/buckets.yaml", `apiVersion: gcp.holdfast.dev/v1alpha1
kind: Bucket
metadata: {name: story-new, namespace: story}
spec:
  location: EU
  labels: {team: shop}
  iam:
    bindings:
    - role: roles/storage.objectViewer
      members: ["user:ada@example.com"]
      serviceAccountRefs: [{name: story-reader}]
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Bucket
metadata: {name: story-matches, namespace: story}
spec: {location: EU}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Bucket
metadata: {name: story-differs, namespace: story}
spec:
  versioning: {enabled: true}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Bucket
metadata: {name: story-never, namespace: story}
spec: {adoption: Never, location: EU}
`)
	w.write("manifests/topics.yaml", `apiVersion: gcp.holdfast.dev/v1alpha1
kind: Topic
metadata: {name: orders, namespace: story}
spec:
  labels: {team: shop}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Topic
metadata: {name: steady, namespace: story}
spec:
  labels: {team: shop}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Topic
metadata: {name: edited, namespace: story}
spec:
  labels: {team: ops}
  iam:
    bindings: [{role: roles/pubsub.admin, members: ["user:ada@example.com"]}]
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Topic
metadata: {name: unseen, namespace: story-denied}
spec: {}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Topic
metadata: {name: unbound, namespace: story-unbound}
spec: {}
`)
	w.write("manifests/accounts/reader.yaml", `apiVersion: gcp.holdfast.dev/v1alpha1
kind: ServiceAccount
metadata: {name: story-reader, namespace: story}
spec: {displayName: Reader}
`)
	eu := v1alpha1.BucketSpec{Location: "EU"}
	w.exists(&v1alpha1.Bucket{ObjectMeta: named("story-matches"), Spec: eu}, w.project)
	w.exists(&v1alpha1.Bucket{ObjectMeta: named("story-differs"), Spec: eu}, w.project)
	w.exists(&v1alpha1.Bucket{ObjectMeta: named("story-never"), Spec: eu}, w.project)
	w.makeNamespace("story-denied", map[string]string{v1alpha1.ProjectIDAnnotation: "denied-prod"})
	w.makeNamespace("story-unbound", nil)
	w.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Project: "denied-prod"}, Status: http.StatusForbidden})
	w.start()
	labels := v1alpha1.Labels{"team": "shop"}
	orders := &v1alpha1.Topic{ObjectMeta: named("orders"), Spec: v1alpha1.TopicSpec{Labels: labels, MessageRetentionSeconds: new(int64(600))}}
	steady := &v1alpha1.Topic{ObjectMeta: named("steady"), Spec: v1alpha1.TopicSpec{Labels: labels}}
	for _, obj := range []*v1alpha1.Topic{orders, steady, {ObjectMeta: named("edited"), Spec: v1alpha1.TopicSpec{Labels: labels}}} {
		w.create(obj)
		w.ready(obj)
	}
}

// TestPlan: one of every effect, in every format, with a cluster and without one.
func TestPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "story")
	w.story()
	writes := w.cloud.Traffic.Mark()
	for format, file := range map[string]string{"text": "plan.txt", "markdown": "plan.md", "json": "plan.json"} {
		got := w.plan("-f", "manifests", "-o", format)
		if got.code != 1 || got.stderr != "" {
			t.Errorf("%s ended with %d: %s", format, got.code, got.stderr)
		}
		w.golden(file, got.stdout)
	}
	w.write("namespaces/story.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: story, annotations: {holdfast.dev/project-id: story-prod}}\n")
	got := w.plan("-f", "manifests,namespaces", "--offline", "--project", "denied-prod")
	if got.code != 1 || got.stderr != "" {
		t.Errorf("offline ended with %d: %s", got.code, got.stderr)
	}
	w.golden("plan-offline.txt", got.stdout)
	for _, call := range w.cloud.Traffic.WritesSince(writes) {
		t.Errorf("planning made the call %s", call.Call)
	}
}

// TestPlanExitCodes: 0 nothing to do, 1 an error, 2 changes.
func TestPlanExitCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "exits")
	w.exists(&v1alpha1.Topic{ObjectMeta: named("there")}, w.project)
	topic := func(name, spec string) string {
		return "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: {name: " + name + ", namespace: exits}\nspec: {" + spec + "}\n"
	}
	w.write("adopt.yaml", topic("there", ""))
	w.write("create.yaml", topic("new", ""))
	w.write("hold.yaml", topic("there", "labels: {a: b}"))
	w.write("refused.yaml", topic("there", "adoption: Never"))
	w.write("broken.yaml", "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\n\tmetadata: x\n---\n")
	w.write("kind.yaml", "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Buckett\nmetadata: {name: a, namespace: exits}\n")
	w.write("version.yaml", "apiVersion: gcp.holdfast.dev/v2\nkind: Topic\nmetadata: {name: a, namespace: exits}\n")
	w.write("field.yaml", topic("there", "labls: {a: b}"))
	w.write("empty/readme.txt", "nothing to plan")
	cases := map[string]struct {
		code int
		says string // on stdout
	}{
		"adopt.yaml": {0, "1 to adopt\n"}, "create.yaml": {2, "1 to create\n"}, "hold.yaml": {2, "1 on hold\n"},
		"refused.yaml": {1, "1 refused\n"}, "empty": {0, "no manifests\n"},
		"broken.yaml": {1, "1 not valid\n"}, "kind.yaml": {1, "1 not valid\n"}, "version.yaml": {1, "1 not valid\n"}, "field.yaml": {1, "1 not valid\n"},
		"create.yaml,broken.yaml": {1, "1 to create, 1 not valid\n"},
	}
	for files, want := range cases {
		got := w.plan("-f", files)
		if got.code != want.code || !strings.HasSuffix(got.stdout, want.says) || got.stderr != "" {
			t.Errorf("%s ended with %d, %q", files, got.code, got.stdout+got.stderr)
		}
	}
	w.golden("plan-problems.txt", w.plan("-f", "broken.yaml,kind.yaml,version.yaml,field.yaml,create.yaml").stdout)
	stdin := w.command(append([]string{"plan", "-f", "-"}, w.cloudArgs()...)...)
	stdin.Stdin = strings.NewReader(topic("new", ""))
	if got := w.finish(stdin); got.code != 2 || !strings.Contains(got.stdout, "+ Topic exits/new: create") {
		t.Errorf("standard input ended with %+v", got)
	}
}

// TestPlanSaysWhatIsWrong: one line on stderr that says what to do, and nothing on stdout.
func TestPlanSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "wrong")
	w.write("topic.yaml", "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: {name: orders, namespace: wrong}\n")
	w.write("away.kubeconfig", "apiVersion: v1\nkind: Config\ncurrent-context: away\nclusters: [{name: away, cluster: {server: 'https://127.0.0.1:1'}}]\n"+
		"contexts: [{name: away, context: {cluster: away}}]\n")
	cases := map[string]struct {
		cmd  *exec.Cmd
		says string
	}{
		"no files":             {w.command("plan"), "nothing to plan: name files or folders with -f"},
		"no such format":       {w.command("plan", "-f", "topic.yaml", "-o", "yaml"), `invalid value "yaml" for --output: must be one of text, markdown, json`},
		"a project":            {w.command("plan", "-f", "topic.yaml", "--project", "p"), "--project is for --offline"},
		"two inputs":           {w.command("plan", "-f", "-", "--against", "main"), "standard input has no other version"},
		"kubectl's -s":         {w.command("plan", "-f", "topic.yaml", "-s", "https://127.0.0.1:6443"), "plan has no -s: with it, --server is the URL of a plan server"},
		"kubectl's -s, before": {w.command("-s", "https://127.0.0.1:6443", "plan", "-f", "topic.yaml"), "plan has no -s"},
		"the API server":       {w.command("plan", "-f", "topic.yaml", "--server", "https://127.0.0.1:6443"), "no token says who asks the plan server"},
		"no such file":         {w.command("plan", "-f", "nothing.yaml"), "nothing.yaml"},
		"no credentials":       {w.command("plan", "-f", "topic.yaml", "--offline", "--project", "p"), "gcloud auth application-default login"},
		"no cluster": {
			w.command(append([]string{"plan", "-f", "topic.yaml", "--kubeconfig", "away.kubeconfig"}, w.cloudArgs()...)...),
			"to plan without it: --offline",
		},
		"no context": {
			w.command(append([]string{"plan", "-f", "topic.yaml", "--context", "nowhere"}, w.cloudArgs()...)...), "nowhere",
		},
	}
	for name, tc := range cases {
		got := w.finish(tc.cmd)
		if got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, tc.says) || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestPlanAgainst: what a change does, deletions, resets and revocations included, by two folders and by git.
func TestPlanAgainst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "change")
	namespace := "apiVersion: v1\nkind: Namespace\nmetadata: {name: change, annotations: {holdfast.dev/project-id: change-prod}}\n"
	topic := func(name, spec string) string {
		return "---\napiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: {name: " + name + ", namespace: change}\nspec: {" + spec + "}\n"
	}
	policy := func(spec string) string {
		return "---\napiVersion: gcp.holdfast.dev/v1alpha1\nkind: ProjectPolicy\nmetadata: {name: team, namespace: change}\nspec: {" + spec + "}\n"
	}
	const viewer, browser = `{role: roles/viewer, members: ["user:ada@example.com"]}`, `{role: roles/browser, members: ["user:ada@example.com"]}`
	w.write("before/all.yaml", namespace+topic("same", "labels: {a: b}")+topic("edited", "labels: {a: b}, messageRetentionSeconds: 600")+
		topic("deleted", "deletionPolicy: Delete")+topic("orphaned", "")+policy("deletionPolicy: Delete, bindings: ["+viewer+", "+browser+"]"))
	w.write("after/all.yaml", namespace+topic("same", "labels: {a: b}")+topic("edited", "labels: {a: b}")+topic("added", "")+
		policy("deletionPolicy: Delete, bindings: ["+viewer+"]"))
	ab := v1alpha1.Labels{"a": "b"}
	w.exists(&v1alpha1.Topic{ObjectMeta: named("same"), Spec: v1alpha1.TopicSpec{Labels: ab}}, w.project)
	w.exists(&v1alpha1.Topic{ObjectMeta: named("edited"), Spec: v1alpha1.TopicSpec{Labels: ab, MessageRetentionSeconds: new(int64(600))}}, w.project)
	w.exists(&v1alpha1.Topic{ObjectMeta: named("deleted")}, w.project)
	w.exists(&v1alpha1.Topic{ObjectMeta: named("orphaned")}, w.project)
	w.granted("roles/viewer", "roles/browser")
	got := w.plan("-f", "after", "--against", "before", "--offline")
	if got.code != 2 || got.stderr != "" {
		t.Errorf("ended with %d: %s", got.code, got.stderr)
	}
	w.golden("plan-against.txt", got.stdout)

	w.git("init", "-q", "-b", "main")
	w.must(exec.Command("cp", "-r", filepath.Join(w.folder, "before"), filepath.Join(w.folder, "live")).Run())
	w.git("add", "live")
	w.git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "before")
	w.must(exec.Command("cp", filepath.Join(w.folder, "after", "all.yaml"), filepath.Join(w.folder, "live", "all.yaml")).Run())
	of := w.plan("-f", "live", "--against", "main", "--offline")
	if of.code != 2 || of.stdout != got.stdout {
		t.Errorf("by git: %d, stderr %s\n%s", of.code, of.stderr, of.stdout)
	}
	none := w.plan("-f", "after", "--against", "after", "--offline")
	if none.code != 0 || !strings.HasSuffix(none.stdout, "no manifests\n") {
		t.Errorf("no change is %+v", none)
	}
	left := w.plan("-f", "empty", "--against", "before", "--offline")
	if left.code != 1 { // there is no such folder
		t.Errorf("no folder is %+v", left)
	}
}

func (w *world) git(args ...string) {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "git", args...)
	cmd.Dir = w.folder
	if said, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("git %v: %v\n%s", args, err, said)
	}
}

// granted has Ada granted roles on the project.
func (w *world) granted(roles ...string) {
	w.t.Helper()
	clients := w.clients()
	k, _ := kind.Named(kinds.All(clients), "ProjectPolicy")
	ref := kind.Ref{Project: w.project}
	policy, err := k.Policy.Get(w.t.Context(), ref)
	w.must(err)
	for _, role := range roles {
		policy = withGrant(policy, role, "user:ada@example.com")
	}
	_, err = k.Policy.Set(w.t.Context(), ref, policy)
	w.must(err)
	w.must(clients.Close())
}
