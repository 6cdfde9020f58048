package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
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
			m := Manifest{Kind: kind.Kind{Traits: kind.Traits{FieldTraits: fields}}, Object: obj}
			if got := m.isApproved(record, planHash(obj, record.PlanSequence, tc.plan), tc.plan); got != tc.want {
				t.Errorf("isApproved() = %v", got)
			}
		})
	}
}

// TestNoChangeIsGoodTwice: what was applied of a plan that goes on is approved no more, should somebody undo it.
func TestNoChangeIsGoodTwice(t *testing.T) {
	plan := diff.Changes{{Path: "spec.a", From: "1", To: "2"}, {Path: "spec.b", To: "3"}}
	all := &v1alpha1.ApprovedPlan{Hash: "x", Generation: 1, Changes: digests(plan, nil)}
	for name, tc := range map[string]struct {
		begun   *v1alpha1.ApprovedPlan
		applied diff.Changes
		want    diff.Changes
	}{
		"nothing was approved": {nil, plan, nil},
		"nothing was applied":  {all, nil, plan},
		"a part was":           {all, plan[:1], plan[1:]},
		"all was":              {all, plan, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []v1alpha1.PendingChange
			if left := StillApproved(tc.begun, tc.applied, nil); left != nil {
				got = left.Changes
			}
			if diff := cmp.Diff(digests(tc.want, nil), got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("still approved (-want +got):\n%s", diff)
			}
		})
	}
	if len(all.Changes) != len(plan) {
		t.Error("what was given has changed")
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
