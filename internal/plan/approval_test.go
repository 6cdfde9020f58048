package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

func TestIsApproved(t *testing.T) {
	fields := diff.Fields{"spec.b": {Default: "0"}}
	plan := diff.Changes{{Path: "spec.a", From: "1", To: "2"}, {Path: "spec.b", To: "3"}}
	begun := func(generation int64, changes diff.Changes) *v1alpha1.ApprovedPlan {
		return &v1alpha1.ApprovedPlan{Generation: generation, Changes: digests(changes, fields)}
	}
	hashed := func(o *v1alpha1.Topic, r *Record) {
		o.Annotations = map[string]string{v1alpha1.ApproveAnnotation: planHash(o, r.PlanSequence, plan)}
	}
	cases := map[string]struct {
		given func(*v1alpha1.Topic, *Record)
		plan  diff.Changes
		want  bool
	}{
		"nobody approved":                       {func(*v1alpha1.Topic, *Record) {}, plan, false},
		"its hash":                              {hashed, plan, true},
		"the hash of another plan":              {hashed, plan[:1], false},
		"the hash of an older generation":       {func(o *v1alpha1.Topic, r *Record) { hashed(o, r); o.Generation++ }, plan, false},
		"the hash of a namesake":                {func(o *v1alpha1.Topic, r *Record) { hashed(o, r); o.UID = "other" }, plan, false},
		"a hash that was used up":               {func(o *v1alpha1.Topic, r *Record) { hashed(o, r); r.PlanSequence++ }, plan, false},
		"an empty annotation":                   {func(o *v1alpha1.Topic, _ *Record) { o.Annotations = map[string]string{v1alpha1.ApproveAnnotation: ""} }, plan, false},
		"what is left of a plan that has begun": {func(_ *v1alpha1.Topic, r *Record) { r.Approved = begun(1, plan) }, plan[1:], true},
		"what is left, now explicitly at its default": {
			func(_ *v1alpha1.Topic, r *Record) { r.Approved = begun(1, plan) }, diff.Changes{{Path: "spec.b", From: "0", To: "3"}}, true,
		},
		"begun for an older generation":     {func(_ *v1alpha1.Topic, r *Record) { r.Approved = begun(0, plan) }, plan[1:], false},
		"more than what has begun":          {func(_ *v1alpha1.Topic, r *Record) { r.Approved = begun(1, plan[:1]) }, plan, false},
		"another value than what has begun": {func(_ *v1alpha1.Topic, r *Record) { r.Approved = begun(1, plan) }, diff.Changes{{Path: "spec.b", To: "4"}}, false},
		"from another value, to the same":   {func(_ *v1alpha1.Topic, r *Record) { r.Approved = begun(1, plan) }, diff.Changes{{Path: "spec.a", From: "9", To: "2"}}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			obj, record := shopTopic(), Record{}
			tc.given(obj, &record)
			if got := isApproved(obj, record, planHash(obj, record.PlanSequence, tc.plan), tc.plan, fields); got != tc.want {
				t.Errorf("isApproved() = %v", got)
			}
		})
	}
}

func TestAPlanInStatusIsBoundedAndItsHashIsNot(t *testing.T) {
	obj := shopTopic()
	var plan diff.Changes
	for i := range mostChanges + 3 {
		plan = append(plan, diff.Change{Path: fmt.Sprintf("spec.labels[k%02d]", i), To: `"` + strings.Repeat("é", longestText) + `"`})
	}
	assessed := func(changes diff.Changes) Assessment {
		return Assessment{Plan: changes, Hash: planHash(obj, 0, changes), Verdict: Verdict{Message: "because"}}
	}
	shown := assessed(plan).Show()
	if len(shown.Changes) != mostChanges || shown.Omitted != 3 {
		t.Errorf("%d changes are shown and %d omitted", len(shown.Changes), shown.Omitted)
	}
	if text := shown.Changes[0].To; len(text) > longestText+len("…") || !strings.HasSuffix(text, "…") || strings.ContainsRune(text, '�') {
		t.Errorf("a long value is shown as %d bytes: %s", len(text), text)
	}
	plan[len(plan)-1].To = `"x"`
	if other := assessed(plan).Show(); other.Hash == shown.Hash {
		t.Error("a change that is not shown does not change the hash")
	}
}

func TestApprovalRecordsWhoAndWhat(t *testing.T) {
	obj := shopTopic()
	plan := diff.Changes{{Path: "spec.a", To: "2"}}
	hash := planHash(obj, 0, plan)
	obj.Annotations = map[string]string{v1alpha1.ApproveAnnotation: hash, v1alpha1.ApproveByAnnotation: "ada"}
	want := &v1alpha1.ApprovedPlan{Hash: hash, Generation: 1, By: "ada", Changes: []v1alpha1.PendingChange{{Path: "spec.a", Digest: diff.Change{To: " to 2"}.Digest()}}}
	if d := cmp.Diff(want, approval(obj, hash, plan, nil)); d != "" {
		t.Errorf("approval (-want +got):\n%s", d)
	}
}
