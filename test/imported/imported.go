// Package imported checks that the manifest which an import writes of a resource is good, for the tests of kinds, which draw resources.
package imported

import (
	"context"

	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/importer"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// Check imports a resource: its manifest is one that the API server takes, and assessed against the resource it changes nothing.
func Check(t *rapid.T, k kind.Kind, ref kind.Ref, live kind.Live) {
	check := importer.Offline(context.Background())
	composed, err := importer.Compose(importer.Resource{Kind: k, Ref: ref, Live: live, Policy: &iampolicy.Policy{}}, "shop", check)
	if err != nil || composed.Refused != "" {
		t.Fatalf("importing: %v %s", err, composed.Refused)
	}
	if problems := check(composed.Object); len(problems) > 0 {
		t.Errorf("the API server would refuse it: %+v", problems)
	}
	obj := k.New()
	if err := composed.Object.Into(obj); err != nil {
		t.Fatal(err)
	}
	seen := plan.Observation{Fields: plan.FieldsSeen{Looked: true, Exists: true, Live: live}}
	got := plan.Assess(plan.Manifest{Kind: k, Object: obj}, plan.Record{}, seen, plan.Environment{Ref: ref})
	if len(got.Changes) > 0 || got.Verdict.Action != plan.Leave || got.Verdict.Reason != "UpToDate" {
		t.Errorf("%s: %s %s, changes %v", composed.Object.Object, got.Verdict.Reason, got.Verdict.Message, got.Changes)
	}
}
