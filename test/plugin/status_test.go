package plugin

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// statusWorld has a manifest in each state but Waiting and Differing.
func statusWorld(t *testing.T) *world {
	w := newWorld(t, "status")
	w.liveTopic("held", "billing")
	w.start()
	for _, obj := range []*v1alpha1.Topic{
		topic("ready"), topic("held"),
		topic("observed", func(t *v1alpha1.Topic) { t.Spec.Management = v1alpha1.ManagementObserve }),
		topic("waits", func(t *v1alpha1.Topic) {
			t.Spec.IAM = &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{{
				Role: "roles/pubsub.publisher", ServiceAccountRefs: []v1alpha1.ServiceAccountRef{{Name: "orders"}},
			}}}
		}),
		topic("broken"),
	} {
		w.create(obj)
	}
	w.reason(topicIn(w, "ready"), v1alpha1.ReasonUpToDate)
	w.reason(topicIn(w, "held"), v1alpha1.ReasonAwaitingAdoption)
	w.reason(topicIn(w, "observed"), v1alpha1.ReasonNotFound)
	w.reason(topicIn(w, "waits"), v1alpha1.ReasonAwaitingReference)
	w.reason(topicIn(w, "broken"), v1alpha1.ReasonUpToDate)
	w.ends(w.as(installed.Ada, "break-glass", "open", "-n", "status", "topic/broken", "--reason", "INC-4711: partner needs access"), 0,
		"Topic status/broken: acknowledged: no write is in flight, and none will start\n", "")
	w.team("broken", "partner")
	w.ends(w.as(installed.Ada, "reconcile", "-n", "status", "topic/broken"), 0, "Topic status/broken: Glass, Open", "")
	return w
}

// inFlight is told of a write that ended in the very second in which the glass was broken.
var inFlight = regexp.MustCompile(`(?m)^ +in flight when it was broken: .*\n`)

// topicIn is a topic of a world, to be read.
func topicIn(w *world, name string) *v1alpha1.Topic {
	t := &v1alpha1.Topic{}
	t.Namespace, t.Name = w.namespace, name
	return t
}

func TestStatus(t *testing.T) {
	t.Parallel()
	w := statusWorld(t)
	for name, args := range map[string][]string{
		"fleet.txt":     {"-n", "status"},
		"fleet.wide":    {"topics", "-n", "status", "-o", "wide"},
		"fleet.all":     {"topic", "-n", "status", "--all"},
		"ready.txt":     {"-n", "status", "topic/ready"},
		"held.txt":      {"-n", "status", "pstopic", "held"},
		"held.json":     {"-n", "status", "topic.gcp.holdfast.dev/held", "-o", "json"},
		"broken.txt":    {"-n", "status", "topics/broken"},
		"waits.txt":     {"-n", "status", "topic/waits"},
		"observed.yaml": {"-n", "status", "topic/observed", "-o", "yaml"},
	} {
		got := w.run(append([]string{"status"}, args...)...)
		w.ends(got, 0, "", "")
		if got.stderr != "" {
			t.Errorf("%s: stderr %s", name, got.stderr)
		}
		printed := got.stdout
		if !strings.HasSuffix(name, "json") && !strings.HasSuffix(name, "yaml") {
			printed = inFlight.ReplaceAllString(steady(printed), "")
		}
		w.golden("status/"+name, printed)
	}

	var summary struct {
		Kinds []struct {
			Kind   string
			Total  int
			States map[string]int
		}
		Attention []struct{ Name, State string }
	}
	got := w.run("status", "-n", "status", "-o", "json")
	w.must(json.Unmarshal([]byte(got.stdout), &summary))
	if len(summary.Kinds) != 4 || summary.Kinds[1].Total != 5 || summary.Kinds[1].States["OnHold"] != 1 || len(summary.Attention) != 4 {
		t.Errorf("got %+v", summary)
	}

	t.Log("a selector that matches nothing, and what is not there")
	w.ends(w.run("status", "-n", "status", "-l", "app=other"), 0, "Topic            0", "")
	w.ends(w.run("status", "-n", "status", "topic/none"), 1, "", "error: there is no Topic status/none; -n sets another namespace")
	w.ends(w.run("status", "subscription/x"), 1, "", `error: there is no kind "subscription": the kinds are bucket, topic, serviceaccount, projectpolicy`)
	w.ends(w.run("status", "topic/x", "-A"), 1, "", "error: -A and -l select among many manifests")
	w.ends(w.as("eve", "status", "-n", "status"), 1, "", "cannot list resource")
}

// TestStatusWatch: each change is a line, also those that come while the API server is away; an interrupt is no fault.
func TestStatusWatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "watch")
	w.start()
	w.create(topic("before"))
	w.ready(topicIn(w, "before"))
	front, kubeconfig := w.newFront()
	watch := w.startPlugin(w.command("status", "-n", "watch", "-w", "--kubeconfig", kubeconfig))
	w.prints(watch, "ProjectPolicy")
	w.eventually("four watches", func() (bool, string) {
		asked := front.asked("watch=")
		return len(asked) >= 4, strings.Join(asked, "\n")
	})
	w.create(topic("during"))
	w.prints(watch, "Topic watch/during: Waiting → Ready, UpToDate")

	front.CloseClientConnections()
	w.create(topic("away"))
	w.prints(watch, "Topic watch/away: ")
	w.must(w.kube.Delete(t.Context(), topicIn(w, "before")))
	w.prints(watch, "Topic watch/before: gone")
	if code := w.interrupted(watch); code != 0 {
		_, stderr := watch.printed()
		t.Errorf("exit code %d: %s", code, stderr)
	}
	stdout, stderr := watch.printed()
	if strings.Contains(stdout, "Topic watch/before: Ready, ") || stderr != "" {
		t.Errorf("what had not changed was told, or there are complaints:\n%s\n%s", stdout, stderr)
	}
}

func TestStatusWatchOfOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "watch-one")
	w.start()
	w.create(topic("one"))
	w.create(topic("other"))
	w.ready(topicIn(w, "one"))
	w.ready(topicIn(w, "other"))
	watch := w.startPlugin(w.command("status", "-n", "watch-one", "topic/one", "-w"))
	w.prints(watch, "External name:")
	edit(w, topicIn(w, "other"), func(t *v1alpha1.Topic) { t.Spec.Management = v1alpha1.ManagementObserve; t.Spec.Labels["team"] = "x" })
	edit(w, topicIn(w, "one"), func(t *v1alpha1.Topic) { t.Spec.Management = v1alpha1.ManagementObserve; t.Spec.Labels["team"] = "x" })
	w.prints(watch, "Topic watch-one/one: ")
	if code := w.interrupted(watch); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if stdout, _ := watch.printed(); strings.Contains(stdout, "watch-one/other") {
		t.Errorf("another one was told of:\n%s", stdout)
	}
}

// fleetOf makes so many topics that no operator looks at, of a size that is usual with their status.
func (w *world) fleetOf(from, to int) {
	w.t.Helper()
	group, ctx := errgroup.WithContext(w.t.Context())
	group.SetLimit(16)
	for i := from; i < to; i++ {
		group.Go(func() error {
			obj := topic(fmt.Sprintf("t-%05d", i))
			obj.Namespace = w.namespace
			obj.Annotations = map[string]string{"padding": strings.Repeat("x", 4096)}
			return w.kube.Create(ctx, obj)
		})
	}
	w.must(group.Wait())
}

func kubectl() string { return filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl") }

// TestStatusOfAFleet: a fleet is read in pages, and what is kept does not grow with it. HOLDFAST_FLEET sets its size.
func TestStatusOfAFleet(t *testing.T) {
	size := sizeOf(t, "HOLDFAST_FLEET", 2000)
	w := newWorld(t, "fleet")
	front, kubeconfig := w.newFront()
	run := func(args ...string) measured {
		got := w.measure(w.command(append(args, "--kubeconfig", kubeconfig)...))
		w.ends(got.result, 0, "", "")
		return got
	}
	small := size / 4
	w.fleetOf(0, small)
	before := run("status", "-n", "fleet")
	w.fleetOf(small, size)
	after := run("status", "-n", "fleet")
	listing := run("status", "-n", "fleet", "--all")
	get := w.command()
	get.Path, get.Args = kubectl(), []string{"kubectl", "get", "gcp", "-n", "fleet", "--kubeconfig", kubeconfig}
	theirs := w.measure(get)
	w.ends(theirs.result, 0, "", "")
	t.Logf("status of %d manifests: %s; of %d: %s; each in a line: %s; kubectl get: %s", size, after, small, before, listing, theirs)
	if !strings.Contains(steady(after.stdout), fmt.Sprintf("Topic  %d", size)) {
		t.Errorf("not all are counted:\n%s", after.stdout)
	}
	if !strings.Contains(after.stdout, fmt.Sprintf("… and %d more that are not Ready", size-20)) {
		t.Errorf("the list is not bounded:\n%s", after.stdout)
	}
	pages := len(front.asked("GET", "/topics?", "limit=500"))
	if want := (small+499)/500 + 3*((size+499)/500); pages != want {
		t.Errorf("%d pages, want %d", pages, want)
	}
	for what, m := range map[string]measured{"status": after, "status --all": listing} {
		w.within(what, m)
		if ratio := m.memory / before.memory; ratio > 1.5 {
			t.Errorf("%s of four times as many manifests takes %.2f times the memory, %.0f MiB", what, ratio, m.memory)
		}
	}
}

// TestDrift: what differs is listed field by field; the exit code says whether anything does.
func TestDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "drift")
	w.liveTopic("held", "billing")
	w.start()
	w.create(topic("same"))
	w.ready(topicIn(w, "same"))
	got := w.run("drift", "-n", "drift")
	w.ends(got, 0, "", "Nothing differs.\n")
	if got.stdout != "" {
		t.Errorf("stdout %q", got.stdout)
	}
	w.create(topic("held"))
	w.reason(topicIn(w, "held"), v1alpha1.ReasonAwaitingAdoption)
	got = w.run("drift", "-n", "drift")
	w.ends(got, 2, "Topic drift/held: OnHold, AwaitingAdoption", "")
	w.golden("drift/text", steady(got.stdout))
	got = w.run("drift", "-n", "drift", "-o", "json")
	w.ends(got, 2, "", "")
	w.golden("drift/json", got.stdout)
	w.ends(w.run("drift", "-n", "drift", "topic/same"), 0, "", "")
	w.ends(w.run("drift", "-n", "drift", "-l", "app=shop", "topic", "-o", "wide"), 2, "project drift-prod", "")
	w.ends(w.as("eve", "drift", "-n", "drift"), 1, "", "cannot list resource")
}

// isTrue says whether a condition of a topic is True.
func (w *world) isTrue(name, condition string) bool {
	obj := topicIn(w, name)
	w.get(obj)
	return meta.IsStatusConditionTrue(obj.Status.Conditions, condition)
}
