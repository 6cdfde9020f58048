package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func TestSteps(t *testing.T) {
	owned := func(s *situation) { s.record.Identity = "42/today" }
	destroys := func(s *situation) { s.Object.GetCommonSpec().DeletionPolicy = v1alpha1.DeletionDelete }
	observed := func(s *situation) { s.Object.GetCommonSpec().Management = v1alpha1.ManagementObserve }
	grants := func(s *situation) { s.bucket().Spec.IAM = &v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAdditive} }
	cases := map[string]struct {
		of      *situation
		decided bool
		// reads and writes are what is expected before the look.
		reads, writes []kind.Step
	}{
		"new":             {aBucket(), false, []kind.Step{kind.StepObserve}, []kind.Step{kind.StepCreate}},
		"edited":          {aBucket().with(owned), false, []kind.Step{kind.StepObserve}, []kind.Step{kind.StepUpdate}},
		"nothing to do":   {aBucket().with(owned), true, []kind.Step{kind.StepObserve}, nil},
		"only observed":   {aBucket().with(observed), false, []kind.Step{kind.StepObserve}, nil},
		"mentions IAM":    {aBucket().with(grants), false, []kind.Step{kind.StepObserve, kind.StepGetPolicy}, []kind.Step{kind.StepCreate, kind.StepSetPolicy}},
		"is orphaned":     {aBucket().with(owned, deleting), true, []kind.Step{kind.StepObserve}, []kind.Step{kind.StepUpdate}},
		"is deleted":      {aBucket().with(owned, deleting, destroys, grants), true, []kind.Step{kind.StepObserve}, []kind.Step{kind.StepDelete}},
		"is emptied":      {aBucket().with(owned, deleting, empties), true, []kind.Step{kind.StepObserve}, nil},
		"never owned":     {aBucket().with(deleting, destroys), true, []kind.Step{kind.StepObserve}, nil},
		"without labels":  {anAccount().with(owned, deleting), true, []kind.Step{kind.StepObserve}, nil},
		"a policy":        {aProject(), false, []kind.Step{kind.StepGetPolicy}, []kind.Step{kind.StepSetPolicy}},
		"a revoked one":   {aProject().with(deleting, destroys), true, []kind.Step{kind.StepGetPolicy}, []kind.Step{kind.StepSetPolicy}},
		"an orphaned one": {aProject().with(deleting), true, nil, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.reads, ReadSteps(tc.of.Manifest, tc.of.record)); d != "" {
				t.Errorf("reads (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tc.writes, LikelyWrites(tc.of.Manifest, tc.of.record, Environment{}, tc.decided)); d != "" {
				t.Errorf("likely writes (-want +got):\n%s", d)
			}
		})
	}
}

func TestStepsOfAnAssessment(t *testing.T) {
	fields := aBucket().with(func(s *situation) { s.live().Spec.Location = "US" }).assess().Fields
	writes := &PolicyPlan{}
	writes.Plan.Writes = true
	cases := map[string]struct {
		of   Assessment
		want []kind.Step
	}{
		"left alone":      {Assessment{Verdict: Verdict{Action: Leave}, Fields: fields, Policy: writes}, nil},
		"on hold":         {Assessment{Verdict: Verdict{Action: Hold}, Fields: fields, Policy: writes}, nil},
		"released":        {Assessment{Verdict: Verdict{Action: Release}}, nil},
		"nobody looked":   {Assessment{}, nil},
		"created":         {Assessment{Verdict: Verdict{Action: Create}, Policy: writes}, []kind.Step{kind.StepCreate, kind.StepSetPolicy}},
		"undeleted":       {Assessment{Verdict: Verdict{Action: Create}, Undelete: "42", Policy: writes}, []kind.Step{kind.StepUndelete}},
		"its fields":      {Assessment{Verdict: Verdict{Action: Update}, Fields: fields}, []kind.Step{kind.StepUpdate}},
		"its policy":      {Assessment{Verdict: Verdict{Action: Update}, Fields: &FieldsPlan{}, Policy: writes}, []kind.Step{kind.StepSetPolicy}},
		"without a label": {Assessment{Verdict: Verdict{Action: Unmark}}, []kind.Step{kind.StepUpdate}},
		"deleted":         {Assessment{Verdict: Verdict{Action: Delete}}, []kind.Step{kind.StepDelete}},
		"freed, deleted":  {Assessment{Verdict: Verdict{Action: Delete}, Freeing: diff.Changes{{Path: "spec.a"}}}, []kind.Step{kind.StepUpdate, kind.StepDelete}},
		"revoked":         {Assessment{Verdict: Verdict{Action: Revoke}, Policy: writes}, []kind.Step{kind.StepSetPolicy}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, tc.of.Writes()); d != "" {
				t.Errorf("writes (-want +got):\n%s", d)
			}
		})
	}
}
