package plan_test

import (
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

var update = flag.Bool("update", false, "write testdata/folder/assessments.json anew")

// observed is a recorded look at a resource, and what is remembered of it.
type observed struct {
	// Status is the manifest's; none where Holdfast has not seen it yet.
	Status json.RawMessage `json:"status"`
	// Live is the resource written as a manifest. Absent says that there is none; Error says why nobody knows.
	Live     json.RawMessage `json:"live"`
	Identity kind.Identity   `json:"identity"`
	Foreign  bool            `json:"foreign"`
	Absent   bool            `json:"absent"`
	Error    *kind.Error     `json:"error"`
	// Policy is the IAM policy; PolicyError says why it could not be read.
	Policy      *iampolicy.Policy `json:"policy"`
	PolicyError *kind.Error       `json:"policyError"`
}

// assessed is what is said of a manifest.
type assessed struct {
	Manifest string      `json:"manifest"`
	Rule     string      `json:"rule"`
	Action   plan.Action `json:"action"`
	Reason   string      `json:"reason,omitempty"`
	Message  string      `json:"message,omitempty"`
	// Failed is the look that failed.
	Failed string `json:"failed,omitempty"`
	// Changes are how Google Cloud differs; none where nothing was seen that says so.
	Changes []v1alpha1.Change `json:"changes,omitempty"`
}

// TestAssessAFolder assesses a folder of manifests of all kinds against recorded observations. There is no cluster, no cloud, and no
// client of either: this is all that a command line needs in order to say what would be done.
func TestAssessAFolder(t *testing.T) {
	all := kinds.All(nil)
	now := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	source := folder(t, all)
	known := &inventory.Inventory{Source: source, Kinds: all, OwnerID: "cluster-a", Now: func() time.Time { return now }}

	var got []assessed
	for _, k := range all {
		objects := source.Manifests(k)
		if len(objects) == 0 {
			t.Errorf("the folder has no manifest of the kind %s", k.Kind)
		}
		for _, obj := range objects {
			env, err := known.Environment(t.Context(), k, obj)
			if err != nil {
				t.Fatal(err)
			}
			env.Self = iampolicy.Self{Email: "holdfast@ops.iam.gserviceaccount.com"}
			a := plan.Assess(plan.Manifest{Kind: k, Object: obj}, plan.RecordOf(obj.GetCommonStatus()), seen(t, k, obj), env)
			got = append(got, told(k, obj, a))
		}
	}
	compare(t, filepath.Join("testdata", "folder", "assessments.json"), got)
}

// folder reads the manifests, and gives each the status that is recorded for it.
func folder(t *testing.T, all []kind.Kind) *inventory.Folder {
	t.Helper()
	tree, err := manifests.Read(t.Context(), manifests.Options{Paths: []string{filepath.Join("testdata", "folder", "manifests")}, Kinds: all})
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range tree.Problems {
		t.Error(problem)
	}
	for _, obj := range tree.Objects {
		status := read(t, obj.GetObjectKind().GroupVersionKind().Kind, obj).Status
		if status == nil {
			continue
		}
		if err := json.Unmarshal([]byte(`{"status": `+string(status)+`}`), obj.Object); err != nil {
			t.Fatalf("the status of %s: %v", obj.GetName(), err)
		}
	}
	return tree.Folder(all)
}

// read is what is recorded for a manifest; nothing of one that was never looked at.
func read(t *testing.T, kind string, obj v1alpha1.Object) observed {
	t.Helper()
	file := filepath.Join("testdata", "folder", "observed", kind+"."+obj.GetNamespace()+"."+obj.GetName()+".json")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return observed{}
	}
	var o observed
	if err := errors.Join(err, yaml.UnmarshalStrict(text, &o)); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return o
}

// seen is the recorded look at a manifest's resource.
func seen(t *testing.T, k kind.Kind, obj v1alpha1.Object) plan.Observation {
	t.Helper()
	o := read(t, k.Kind, obj)
	seen := plan.Observation{
		Fields: plan.FieldsSeen{Looked: o.Absent || o.Live != nil, Err: o.Error, Exists: o.Live != nil, Foreign: o.Foreign},
		Policy: plan.PolicySeen{Looked: o.Policy != nil, Err: o.PolicyError},
	}
	if o.Absent {
		seen.Fields.Missing = &kind.Error{Class: kind.NotFound, Message: "there is none"}
	}
	if o.Policy != nil {
		seen.Policy.Policy = *o.Policy
	}
	if o.Live != nil {
		live := k.New()
		if err := yaml.UnmarshalStrict(o.Live, live); err != nil {
			t.Fatalf("%s %s: live: %v", k.Kind, obj.GetName(), err)
		}
		seen.Fields.Live = kind.Live{Object: live, Identity: o.Identity}
	}
	return seen
}

func told(k kind.Kind, obj v1alpha1.Object, a plan.Assessment) assessed {
	out := assessed{
		Manifest: k.Kind + " " + obj.GetNamespace() + "/" + obj.GetName(), Rule: a.Verdict.Rule, Action: a.Verdict.Action,
		Reason: a.Verdict.Reason, Message: a.Verdict.Message,
	}
	if !a.Verdict.Blind {
		out.Changes = plan.Bounded(k, a.Changes)
	}
	if err := a.Verdict.Err; err != nil {
		out.Failed = a.Verdict.Doing + ": " + string(err.Class) + ", missing is " + err.Permission + " on " + err.Resource
	}
	return out
}

// compare holds what is said against the golden file.
func compare(t *testing.T, file string, got []assessed) {
	t.Helper()
	if *update {
		text, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(text, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want []assessed
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("assessments (-want +got):\n%s", d)
	}
}
