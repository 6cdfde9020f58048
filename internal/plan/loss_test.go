package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// created is a resource that the manifest has created.
func created(s *situation) { owned(s); justCreated(s) }

func TestWhatLosesDataWaits(t *testing.T) {
	hold := func(reason string) decided { return decided{Hold, reason} }
	loses := hold(v1alpha1.ReasonDataLoss)
	cases := map[string]struct {
		given []given
		want  decided
	}{
		"a change":                                   {[]given{created, lossy}, loses},
		"a reset to the default":                     {[]given{created, lossyReset}, loses},
		"a change, approved":                         {[]given{created, lossy, approved}, decided{Update, ""}},
		"a change, allowed":                          {[]given{created, lossy, mayLose}, decided{Update, ""}},
		"the other way round":                        {[]given{created, differs}, decided{Update, ""}},
		"on create":                                  {[]given{lossy, absent}, decided{Create, ""}},
		"on adoption":                                {[]given{lossy}, hold(v1alpha1.ReasonAwaitingAdoption)},
		"on adoption, Always":                        {[]given{lossy, always}, loses},
		"on adoption, Always, allowed":               {[]given{lossy, always, mayLose}, decided{Update, ""}},
		"Approve asks already":                       {[]given{created, lossy, approve, mayLose}, hold(v1alpha1.ReasonAwaitingApproval)},
		"Observe writes nothing":                     {[]given{created, lossy, observe}, decided{Leave, v1alpha1.ReasonDiffers}},
		"a lock is another matter":                   {[]given{created, locks, mayLose}, hold(v1alpha1.ReasonAwaitingApproval)},
		"deleting what was created":                  {[]given{created, deleting, deletes}, decided{Delete, ""}},
		"deleting what was adopted":                  {[]given{owned, deleting, deletes}, loses},
		"deleting what was adopted, written to":      {[]given{owned, marked, deleting, deletes}, loses},
		"deleting what was adopted, with contents":   {[]given{owned, deleting, empties}, loses},
		"deleting what was adopted, approved":        {[]given{owned, deleting, empties, approved}, decided{Delete, ""}},
		"deleting what was adopted, allowed":         {[]given{owned, deleting, empties, mayLose}, decided{Delete, ""}},
		"deleting what was adopted, Orphan":          {[]given{owned, deleting}, decided{Release, ""}},
		"deleting what was adopted, in an incident":  {[]given{owned, deleting, deletes, hadGlass, mayLose}, hold(v1alpha1.ReasonAwaitingApproval)},
		"deleting what was adopted, and now Observe": {[]given{owned, deleting, deletes, observe}, decided{Release, ""}},
		"deleting what is gone":                      {[]given{owned, deleting, deletes, absent}, decided{Release, ""}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := aBucket().with(tc.given...).assess().Verdict
			if d := cmp.Diff(tc.want, decided{got.Action, got.Reason}); d != "" {
				t.Errorf("verdict (-want +got):\n%s\n%+v", d, got)
			}
			const command = "kubectl annotate --overwrite namespace shop holdfast.dev/allow=DataLoss"
			if got.Reason == v1alpha1.ReasonDataLoss && !strings.Contains(got.Message, command) {
				t.Errorf("it does not say how to go on: %s", got.Message)
			}
		})
	}
}

func TestLosses(t *testing.T) {
	cases := map[string]struct {
		given []given
		want  []Loss
	}{
		"none":                     {[]given{created, differs}, nil},
		"a change":                 {[]given{created, lossy}, []Loss{{"spec.versioning.enabled", "no noncurrent versions are kept"}}},
		"a reset":                  {[]given{created, lossyReset}, []Loss{{"spec.versioning.enabled", "no noncurrent versions are kept"}}},
		"a change that is allowed": {[]given{created, lossy, mayLose}, []Loss{{"spec.versioning.enabled", "no noncurrent versions are kept"}}},
		"a create":                 {[]given{lossy, absent}, nil},
		"a deletion":               {[]given{created, deleting, deletes}, []Loss{{WholeResource, "the bucket is deleted"}}},
		"one with contents":        {[]given{created, deleting, empties}, []Loss{{WholeResource, "the bucket and everything in it are deleted"}}},
		"an orphan":                {[]given{created, deleting}, nil},
		"grants":                   {[]given{created, grantsAda, nobodyIsLive}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, aBucket().with(tc.given...).assess().Losses); d != "" {
				t.Errorf("losses (-want +got):\n%s", d)
			}
		})
	}
}

// TestAdoptingIsNotCreating: what was recorded of a create proves nothing of a resource that somebody else made in its place.
func TestAdoptingIsNotCreating(t *testing.T) {
	for name, tc := range map[string]struct {
		given []given
		want  bool
	}{
		"created, its reply lost":           {[]given{marked, justCreated}, true},
		"created":                           {[]given{created}, true},
		"created, changed since":            {[]given{created, differs}, true},
		"another of the name, alike":        {[]given{recordedAnother, justCreated}, false},
		"another, and changed on adoption":  {[]given{recordedAnother, justCreated, differs, always}, false},
		"created, nothing recorded":         {[]given{createdByIt}, true},
		"marked, and not created by it":     {[]given{marked}, false},
		"created by a manifest before it":   {[]given{createdByIt, func(s *situation) { s.Object.SetUID("another") }}, false},
		"in another project":                {[]given{createdByIt, anotherProject}, false},
		"adopted after a create had failed": {[]given{justCreated}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := aBucket().with(tc.given...).assess().Record.CreateTime != nil; got != tc.want {
				t.Errorf("counts as created: %t", got)
			}
		})
	}
}
