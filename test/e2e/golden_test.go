package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// TestGoldenConversations holds what is said to Google Cloud, and what it answers, in each step of a resource's life against
// testdata/golden. What each field says when it comes and goes is in the tests of resetting; accounts and policies, which have steps of
// their own, are in golden_iam_test.go.
func TestGoldenConversations(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{topics, buckets} {
		t.Run(k.title, func(t *testing.T) {
			t.Parallel()
			expectGoldenLife(t, k)
		})
	}
}

func expectGoldenLife(t *testing.T, k kind) {
	t.Helper()
	w := startWorld(t)
	// What came to be since the project was listed last would be found by the refusal of a create.
	found := func(id string, on bool) { k.console(w).create(id, on); w.restart() }
	say := func(step string, do func()) {
		t.Helper()
		mark := w.cloud.Traffic.Mark()
		do()
		w.golden(k.Name+"/"+step, mark)
	}
	obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
	say("create", func() { w.create(obj); w.ready(obj) })
	say("no-op", func() { w.settled(obj) })
	say("update", func() { edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) }); w.ready(obj) })
	say("update-labels", func() {
		edit(w, obj, func(o v1alpha1.Object) { setLabels(o, v1alpha1.Labels{"team": "bank", "tier": "gold"}) })
		w.ready(obj)
	})
	say("reset", func() { edit(w, obj, func(o v1alpha1.Object) { k.set(o, nil) }); w.ready(obj) })
	say("reset-label", func() { edit(w, obj, func(o v1alpha1.Object) { setLabels(o, shop) }); w.ready(obj) })
	console := k.console(w).(interface {
		label(id string, labels map[string]string)
	})
	console.label("orders", map[string]string{"team": "bank"})
	say("drift", func() { w.settled(obj); w.ready(obj) })
	say("delete", func() { w.delete(obj); w.gone(obj) })

	found("alike", true)
	alike := k.manifest("alike", v1alpha1.CommonSpec{})
	say("adopt", func() { w.create(alike); w.ready(alike) })
	say("orphan-unmarked", func() { w.delete(alike); w.gone(alike) })

	found("different", false)
	different := k.manifest("different", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways})
	say("adopt-different", func() { w.create(different); w.ready(different) })
	say("orphan", func() { w.delete(different); w.gone(different) })

	console.label("different", map[string]string{v1alpha1.OwnerLabel: "another-cluster"})
	w.restart()
	taken := k.manifest("different", v1alpha1.CommonSpec{})
	say("conflict", func() { w.create(taken); w.reason(taken, v1alpha1.ReasonConflict) })
}

// setLabels changes the labels in a manifest of a topic or a bucket.
func setLabels(obj v1alpha1.Object, labels v1alpha1.Labels) {
	switch o := obj.(type) {
	case *v1alpha1.Topic:
		o.Spec.Labels = labels
	case *v1alpha1.Bucket:
		o.Spec.Labels = labels
	}
}

// golden compares the calls since a mark with a file below testdata/golden, which -update writes anew.
func (w *world) golden(name string, mark int64) {
	w.t.Helper()
	got := w.conversation(mark)
	path := filepath.Join("testdata", "golden", name+".log")
	if *update {
		w.must(os.MkdirAll(filepath.Dir(path), 0o750))
		w.must(os.WriteFile(path, []byte(got), 0o600))
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		w.t.Errorf("reading the conversation of %s: %v; -update writes it", name, err)
		return
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		w.t.Errorf("the conversation of %s (-want +got); -update writes it anew:\n%s", name, d)
	}
}

// conversation writes the calls since a mark as text: what is asked after >, what is answered after <. What is asked again and answered the
// same is there once: how often that is depends on the time.
func (w *world) conversation(mark int64) string {
	var said []string
	manifest := regexp.MustCompile(`^` + w.namespace + `/[a-z-]+@\d+$|^sweep of ` + w.project + `$`)
	for _, e := range w.cloud.Traffic.Since(mark) {
		if !manifest.MatchString(e.Reason) {
			w.t.Errorf("%s %s says that it is for %q", e.Method, asked(e), e.Reason)
		}
		said = append(said, fmt.Sprintf("> %s %s\n%s< %d\n%s\n", e.Method, asked(e), body(w, e.Request), e.Status, body(w, e.Response)))
	}
	return w.timeless(strings.Join(slices.Compact(said), ""))
}

func asked(e traffic.Entry) string { return strings.TrimSpace(e.HTTPMethod + " " + e.Path) }

// body writes JSON with its keys in order, a line each. Access control lists are long and nobody's concern here.
func body(w *world, text string) string {
	w.t.Helper()
	if text == "" {
		return ""
	}
	var value any
	w.must(json.Unmarshal([]byte(text), &value))
	if document, ok := value.(map[string]any); ok {
		delete(document, "acl")
		delete(document, "defaultObjectAcl")
	}
	pretty, err := json.MarshalIndent(value, "", "  ")
	w.must(err)
	return string(pretty) + "\n"
}

var volatile = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`), "$${time}"},
	{regexp.MustCompile(`("generation": )"\d+"`), `$1"$${generation}"`},
	{regexp.MustCompile(`("etag": )"(?:[^"\\]|\\.)*"`), `$1"$${etag}"`},
	{regexp.MustCompile(`("holdfast-created-by": )"[^"]*"`), `$1"$${creator}"`},
	// Those of accounts, which are made from their names.
	{regexp.MustCompile(`"1\d{20}"`), `"$${uniqueId}"`},
	{regexp.MustCompile(`/serviceAccounts/1\d{20}`), `/serviceAccounts/$${uniqueId}`},
}

// timeless puts placeholders in the place of what is another in each run.
func (w *world) timeless(text string) string {
	for _, v := range volatile {
		text = v.pattern.ReplaceAllString(text, v.with)
	}
	return strings.NewReplacer(
		w.cloud.Projects.NumberText(w.project), "${projectNumber}", w.project, "${projectId}",
		w.namespace, "${namespace}", w.ownerID, "${ownerId}",
	).Replace(text)
}
