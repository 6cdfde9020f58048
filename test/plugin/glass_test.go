package plugin

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/installed"
)

const reason = "INC-4711: partner needs access"

// TestBreakGlass: opened, listed, extended, and closed once somebody has seen what will be put back.
func TestBreakGlass(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "glass")
	w.start()
	w.create(topic("exports"))
	w.ready(topicIn(w, "exports"))
	glass := func(args ...string) result {
		t.Helper()
		return w.as(installed.Ada, append([]string{"break-glass"}, args...)...)
	}
	w.ends(w.run("break-glass", "list", "-n", "glass"), 0, "", "No glass is broken.\n")
	w.ends(glass("close", "-n", "glass", "topic/exports"), 1, "", "error: Topic glass/exports: the glass is not broken")

	w.ends(glass("open", "-n", "glass", "topic/exports", "--reason", reason, "--for", "2h"), 0,
		"Topic glass/exports: acknowledged: no write is in flight, and none will start\n", "")
	open := topicIn(w, "exports")
	w.get(open)
	if open.Annotations[v1alpha1.BreakGlassByAnnotation] != installed.Ada || open.Status.BreakGlass.Until == nil || !w.isTrue("exports", v1alpha1.ConditionBreakGlass) {
		t.Errorf("got %v, %+v", open.Annotations, open.Status.BreakGlass)
	}
	w.ends(glass("open", "-n", "glass", "topic/exports", "--reason", "INC-1: something else"), 1, "", "the glass is broken already, by ada: "+reason)

	w.team("exports", "partner")
	w.ends(w.as(installed.Ada, "reconcile", "-n", "glass", "topic/exports"), 0, "differs in 1 field", "")
	got := w.run("break-glass", "list", "-n", "glass", "-o", "wide")
	w.ends(got, 0, "", "")
	w.golden("glass/list", steady(got.stdout))
	var listed struct {
		Scope, By, Reason string
		Acknowledged      bool
		PutBack           []v1alpha1.Change
	}
	w.must(json.Unmarshal([]byte(w.run("break-glass", "list", "-n", "glass", "-o", "json").stdout), &listed))
	if listed.Scope != "Object" || listed.By != "ada" || !listed.Acknowledged || len(listed.PutBack) != 1 {
		t.Errorf("got %+v", listed)
	}

	was := open.Status.BreakGlass.Until.Time
	w.ends(glass("extend", "-n", "glass", "topic/exports", "--for", "4h"), 0, "the glass is broken until", "")
	w.get(open)
	until, err := time.Parse(time.RFC3339, open.Annotations[v1alpha1.BreakGlassUntilAnnotation])
	if err != nil || until.Sub(was) < time.Hour || open.Annotations[v1alpha1.BreakGlassAnnotation] != reason {
		t.Errorf("got %v", open.Annotations)
	}

	t.Log("nobody answers, somebody says no, and nothing happens")
	w.ends(w.answering("", installed.Ada, "break-glass", "close", "-n", "glass", "topic/exports"), 1, "", "error: nothing was done, for nobody answered; --yes answers in advance")
	got = w.answering("n\n", installed.Ada, "break-glass", "close", "-n", "glass", "topic/exports")
	w.ends(got, 1, "", "error: nothing was done")
	w.golden("glass/close", got.stderr)
	if !w.isTrue("exports", v1alpha1.ConditionBreakGlass) || w.liveTeam("exports") != "partner" {
		t.Error("the glass was closed all the same")
	}
	w.ends(w.answering("y\n", installed.Ada, "break-glass", "close", "-n", "glass", "topic/exports"), 0, "Topic glass/exports: Ready, UpToDate", "")
	if team := w.liveTeam("exports"); team != "shop" {
		t.Errorf("the team is %q", team)
	}
	w.get(open)
	if history := open.Status.BreakGlassHistory; len(history) != 1 || history[0].ClosedBy != installed.Ada || history[0].Reason != reason {
		t.Errorf("the history is %+v", history)
	}
	got = w.run("status", "-n", "glass", "topic/exports")
	w.ends(got, 0, "Glass broken before, the last time first (1):", "")
}

// TestBreakGlassIsRefused in the policies' own words, with how to get what is missing.
func TestBreakGlassIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "refused")
	w.create(topic("exports"))
	open := []string{"break-glass", "open", "-n", "refused", "topic/exports", "--wait=false", "--reason"}
	w.ends(w.as(installed.Bob, append(open, reason)...), 1, "",
		"error: Topic refused/exports: bob may not change holdfast.dev/break-glass here: the RBAC verb break-glass on topics.gcp.holdfast.dev is missing. "+
			"Who administers the namespace can grant it: kubectl create rolebinding -n refused bob-holdfast-break-glass --clusterrole=holdfast-break-glass --user=bob\n")
	w.ends(w.as(installed.Ada, append(open, "short")...), 1, "", "needs a reason of at least ten characters")
	w.ends(w.as(installed.GitOps, append(open, reason)...), 1, "", "only a person may")
	w.ends(w.as("eve", append(open, reason)...), 1, "", `User "eve" cannot get resource "topics"`)
	w.ends(w.as(installed.Ada, open[:len(open)-1]...), 1, "", "error: say why, with --reason")
	w.ends(w.as(installed.Bob, "break-glass", "open", "-n", "refused", "--namespace-wide", "--wait=false", "--reason", reason), 1, "",
		"--clusterrole=holdfast-break-glass-namespaces --user=bob")
	obj := topicIn(w, "exports")
	w.get(obj)
	if len(obj.Annotations) > 0 {
		t.Errorf("got %v", obj.Annotations)
	}
}

// TestBreakGlassOfMany: more than one are listed and asked about; those that are refused do not keep the others.
func TestBreakGlassOfMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "many")
	w.start()
	for _, name := range []string{"aaa", "bbb", "ccc"} {
		w.create(topic(name))
	}
	w.create(topic("other", func(t *v1alpha1.Topic) { t.ObjectMeta.Labels["app"] = "other" }))
	for _, name := range []string{"aaa", "bbb", "ccc", "other"} {
		w.ready(topicIn(w, name))
	}
	open := []string{"break-glass", "open", "-n", "many", "-l", "app=shop", "--reason", reason}
	got := w.answering("no\n", installed.Ada, open...)
	w.ends(got, 1, "", "  Topic many/aaa\n  Topic many/bbb\n  Topic many/ccc\nBreak the glass of these 3? [y/N]")
	if w.isTrue("aaa", v1alpha1.ConditionBreakGlass) {
		t.Error("nobody had said yes")
	}
	w.ends(w.as(installed.Ada, "break-glass", "open", "-n", "many", "topic/bbb", "--reason", "INC-1: it was broken before"), 0, "acknowledged", "")
	got = w.answering("y\n", installed.Ada, open...)
	w.ends(got, 1, "Topic many/ccc: acknowledged", "Topic many/bbb: the glass is broken already, by ada: INC-1: it was broken before")
	if !w.isTrue("aaa", v1alpha1.ConditionBreakGlass) || !w.isTrue("ccc", v1alpha1.ConditionBreakGlass) || w.isTrue("other", v1alpha1.ConditionBreakGlass) {
		t.Error("the glass of a and c was to be broken, and of no other")
	}
	got = w.as(installed.Ada, "break-glass", "close", "-n", "many", "topic", "-l", "app", "--yes")
	w.ends(got, 0, "Topic many/bbb: Ready, UpToDate", "")
	for _, name := range []string{"aaa", "bbb", "ccc"} {
		if w.isTrue(name, v1alpha1.ConditionBreakGlass) {
			t.Errorf("the glass of %s is broken", name)
		}
	}
}

// TestBreakGlassOfANamespace: all manifests in it acknowledge, and are told of at its end.
func TestBreakGlassOfANamespace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "wide")
	w.start()
	w.create(topic("aaa"))
	w.create(topic("bbb"))
	w.ready(topicIn(w, "aaa"))
	w.ready(topicIn(w, "bbb"))
	w.ends(w.answering("y\n", installed.Ada, "break-glass", "open", "-n", "wide", "--namespace-wide", "--reason", reason), 0,
		"Namespace wide: acknowledged by all 2 manifests: no write is in flight, and none will start\n",
		"  Topic wide/aaa\n  Topic wide/bbb\nBreak the glass of Namespace wide, which is that of these 2? [y/N]")
	w.team("aaa", "partner")
	w.ends(w.as(installed.Ada, "reconcile", "-n", "wide", "topic/aaa"), 0, "Topic wide/aaa: Glass", "")
	got := w.run("break-glass", "list", "-n", "wide")
	w.ends(got, 0, "namespace/wide", "")
	w.golden("glass/namespace", steady(got.stdout))
	w.ends(w.as(installed.Ada, "break-glass", "close", "-n", "wide", "topic/aaa"), 1, "", "the glass is that of its Namespace: kubectl holdfast break-glass close -n wide --namespace-wide")
	got = w.answering("y\n", installed.Ada, "break-glass", "close", "-n", "wide", "--namespace-wide")
	w.ends(got, 0, "Namespace wide: no manifest is under its glass any more\n",
		"Topic wide/aaa: differs; Holdfast will put back:\n  ~ spec.labels[team]: \"partner\" -> \"shop\"\nClose the glass of Namespace wide? [y/N]")
	namespace := &corev1.Namespace{}
	w.must(w.kube.Get(t.Context(), client.ObjectKey{Name: "wide"}, namespace))
	if _, broken := namespace.Annotations[v1alpha1.BreakGlassAnnotation]; broken {
		t.Errorf("got %v", namespace.Annotations)
	}
	w.eventually("a to be corrected", func() (bool, string) { team := w.liveTeam("aaa"); return team == "shop", team })
}

// TestBreakGlassWithoutAnOperator: the glass is broken all the same, and the command says that nobody has acknowledged it.
func TestBreakGlassWithoutAnOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "alone")
	w.create(topic("exports"))
	w.create(topic("patient"))
	got := w.as(installed.Ada, "break-glass", "open", "-n", "alone", "topic/exports", "--reason", reason, "--timeout", "12s")
	w.ends(got, 1, "Topic alone/exports: the glass is broken\n", "Does the operator run? Ask `kubectl holdfast doctor`")
	w.ends(got, 1, "", "error: not so after 12s: Topic alone/exports: Holdfast has not acknowledged it yet")
	w.ends(w.as(installed.Ada, "break-glass", "open", "-n", "alone", "topic/patient", "--reason", reason, "--wait=false"), 0, "", "")
	for _, name := range []string{"exports", "patient"} {
		obj := topicIn(w, name)
		w.get(obj)
		if obj.Annotations[v1alpha1.BreakGlassAnnotation] != reason {
			t.Errorf("%s: %v", name, obj.Annotations)
		}
	}
	w.ends(w.run("status", "-n", "alone", "topic/exports"), 0, "Topic alone/exports: Glass, Unacknowledged", "")
}

// TestBreakGlassWhileAWriteIsInFlight: the acknowledgement is waited for, and an interrupt leaves the glass broken.
func TestBreakGlassWhileAWriteIsInFlight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "flight")
	w.timeout = patience // that of the write, in which the plugin has to come to ask
	w.start()
	w.create(topic("exports"))
	w.ready(topicIn(w, "exports"))
	updating := w.cloud.Traffic.Pause(traffic.Call{Method: "Publisher.UpdateTopic"})
	t.Cleanup(updating.Release)
	edit(w, topicIn(w, "exports"), func(t *v1alpha1.Topic) { t.Spec.Labels["team"] = "billing" })
	select {
	case <-updating.Reached():
	case <-time.After(patience):
		t.Fatal("nothing was written")
	}
	open := w.startPlugin(w.command("break-glass", "open", "-n", "flight", "topic/exports", "--reason", reason, "--as", installed.Ada))
	w.prints(open, "waiting: Topic flight/exports: ")
	if code := w.interrupted(open); code != 1 {
		t.Errorf("exit code %d", code)
	}
	updating.Release()
	w.eventually("the acknowledgement", func() (bool, string) {
		obj := topicIn(w, "exports")
		w.get(obj)
		return w.isTrue("exports", v1alpha1.ConditionBreakGlass), describe(obj)
	})
}

// TestApprove: exactly the plan that was seen is approved, and what becomes of it is told.
func TestApprove(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "approve")
	w.liveTopic("held", "billing")
	w.start()
	w.create(topic("held"))
	w.reason(topicIn(w, "held"), v1alpha1.ReasonAwaitingAdoption)
	held := topicIn(w, "held")
	w.get(held)
	approve := []string{"approve", "-n", "approve", "topic/held"}
	w.ends(w.as(installed.Ada, append(approve, "--yes", "--hash", strings.Repeat("0", 64))...), 1, "", "the plan on hold is another one by now, "+held.Status.Plan.Hash)
	got := w.answering("n\n", installed.Ada, approve...)
	w.ends(got, 1, "", "error: nothing was done")
	w.golden("approve/asked", got.stderr)
	w.ends(w.as(installed.Bob, append(approve, "--yes")...), 1, "",
		"bob may not approve here: the RBAC verb approve on topics.gcp.holdfast.dev is missing. Who administers the namespace can grant it: "+
			"kubectl create rolebinding -n approve bob-holdfast-approve --clusterrole=holdfast-approve --user=bob")
	if team := w.liveTeam("held"); team != "billing" {
		t.Errorf("the team is %q", team)
	}
	w.ends(w.answering("yes\n", installed.Ada, approve...), 0, "Topic approve/held: applied: ", "")
	if team := w.liveTeam("held"); team != "shop" {
		t.Errorf("the team is %q", team)
	}
	w.ends(w.as(installed.Ada, approve...), 1, "", "error: Topic approve/held: no plan waits for approval: Ready, UpToDate")
}

// TestApproveWhatChanges: the plan that is approved is not that which waits by now.
func TestApproveWhatChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "changes")
	w.liveTopic("held", "billing")
	w.start()
	w.create(topic("held"))
	w.reason(topicIn(w, "held"), v1alpha1.ReasonAwaitingAdoption)
	asked := w.command("approve", "-n", "changes", "topic/held", "--as", installed.Ada)
	answer, err := asked.StdinPipe()
	w.must(err)
	approving := w.startPlugin(asked)
	w.prints(approving, "Approve this plan? [y/N]")
	was := topicIn(w, "held")
	w.get(was)
	edit(w, topicIn(w, "held"), func(t *v1alpha1.Topic) { t.Spec.Labels["team"] = "warehouse" })
	w.eventually("another plan", func() (bool, string) {
		now := topicIn(w, "held")
		w.get(now)
		return now.Status.Plan != nil && now.Status.Plan.Hash != was.Status.Plan.Hash && now.Status.ObservedGeneration == now.Generation, describe(now)
	})
	_, err = answer.Write([]byte("y\n"))
	w.must(err)
	w.prints(approving, "error: Topic changes/held: the plan on hold is another one by now")
	_ = approving.Wait()
	if code := approving.ProcessState.ExitCode(); code != 1 || w.liveTeam("held") != "billing" {
		t.Errorf("exit code %d, the team is %s", code, w.liveTeam("held"))
	}
}

// TestReconcile: Holdfast looks now, at one and at many.
func TestReconcile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "reconcile")
	w.start()
	w.create(topic("aaa"))
	w.create(topic("bbb"))
	w.ready(topicIn(w, "aaa"))
	w.ready(topicIn(w, "bbb"))
	w.team("aaa", "partner")
	w.ends(w.as(installed.Bob, "reconcile", "-n", "reconcile", "topic/aaa"), 0, "Topic reconcile/aaa: ", "")
	w.eventually("a to be corrected", func() (bool, string) { team := w.liveTeam("aaa"); return team == "shop", team })
	w.team("bbb", "partner")
	w.ends(w.answering("", installed.Bob, "reconcile", "-n", "reconcile", "-l", "app=shop"), 1, "", "Have Holdfast look at 2 manifests now? [y/N]")
	w.ends(w.as(installed.Bob, "reconcile", "-n", "reconcile", "topics", "-l", "app=shop", "--yes"), 0, "Topic reconcile/bbb: ", "")
	w.eventually("b to be corrected", func() (bool, string) { team := w.liveTeam("bbb"); return team == "shop", team })
	w.ends(w.as(installed.Bob, "reconcile", "-n", "reconcile", "topic/aaa", "topic/none", "--yes"), 1, "", "Topic reconcile/none: ")
	w.ends(w.as(installed.Bob, "reconcile"), 1, "", "error: name manifests as KIND/NAME, or select them with -l or -A")
	w.must(installed.Grant(w.kube, "carol", "holdfast-break-glass"))
	w.ends(w.as("carol", "reconcile", "-n", "reconcile", "topic/aaa"), 1, "", "for everything else the RBAC verb update is missing")
}
