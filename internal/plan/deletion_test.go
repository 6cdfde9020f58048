package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestWhatFreesADeletion is a part of its plan: it is approved with the deletion, hash for hash, and what is left of the plan needs no other
// approval. What else differs is not.
func TestWhatFreesADeletion(t *testing.T) {
	type told struct {
		Action  Action
		Freeing []string
		Plan    []string
	}
	const retention = "spec.retentionPolicy.retentionSeconds"
	deletion := []string{WholeResource}
	cases := map[string]struct {
		given []given
		want  told
	}{
		"nothing":                  {[]given{created, deleting, deletes}, told{Delete, nil, deletion}},
		"what does not free it":    {[]given{created, deleting, deletes, differs}, told{Delete, nil, deletion}},
		"a retention that leaves":  {[]given{created, deleting, deletes, differs, retained}, told{Delete, []string{retention}, []string{WholeResource, retention}}},
		"with its contents":        {[]given{created, deleting, empties, retained}, told{Delete, []string{retention}, []string{WholeResource, retention}}},
		"Approve":                  {[]given{owned, deleting, empties, retained, approve}, told{Hold, []string{retention}, []string{WholeResource, retention}}},
		"Approve, approved":        {[]given{owned, deleting, empties, retained, approve, approved}, told{Delete, []string{retention}, []string{WholeResource, retention}}},
		"an orphan":                {[]given{owned, deleting, retained}, told{Release, nil, deletion}},
		"glass":                    {[]given{owned, deleting, empties, retained, broken}, told{Leave, []string{retention}, []string{WholeResource, retention}}},
		"not a manifest that goes": {[]given{owned, retained}, told{Update, nil, []string{retention}}},
		"another installation's":   {[]given{owned, deleting, empties, retained, anotherOwner}, told{Leave, []string{retention}, []string{WholeResource, retention}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			a := aBucket().with(tc.given...).assess()
			if d := cmp.Diff(tc.want, told{a.Verdict.Action, a.Freeing.Paths(), a.Plan.Paths()}, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("assessment (-want +got):\n%s", d)
			}
		})
	}
}

func TestADeletionGoesOnUnderTheApprovalOfWhatFreedIt(t *testing.T) {
	s := aBucket().with(owned, deleting, empties, retained, approve, approved)
	s.record = s.assess().Record
	if s.record.Approved == nil {
		t.Fatal("the approval is not recorded before the first write of the plan")
	}
	s.live().Spec.RetentionPolicy = nil
	if v := s.assess().Verdict; v.Action != Delete {
		t.Errorf("freed, it waits again: %+v", v)
	}
	s.Object.SetGeneration(2)
	if v := s.assess().Verdict; v.Action != Hold || v.Reason != v1alpha1.ReasonAwaitingApproval {
		t.Errorf("edited, it does not wait: %+v", v)
	}
}
