package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

var testTraits = Traits{Name: "bucket", Labels: true, Fields: diff.Fields{
	"spec.location": {Immutable: "it is fixed when the bucket is created"},
	"spec.retentionPolicy.locked": {Hold: func(c diff.Change) string {
		if c.To == "true" {
			return "this locks the retention policy for good"
		}
		return ""
	}},
}}

func TestDecide(t *testing.T) {
	versioning := diff.Changes{{Path: "spec.versioning.enabled", From: "false", To: "true"}}
	location := diff.Changes{{Path: "spec.location", From: `"EU"`, To: `"US"`}}
	lock := diff.Changes{{Path: "spec.retentionPolicy.locked", From: "false", To: "true"}}
	manage := v1alpha1.CommonSpec{Management: v1alpha1.ManagementManage, Adoption: v1alpha1.AdoptionIfMatches}
	with := func(change func(*v1alpha1.CommonSpec)) v1alpha1.CommonSpec {
		s := manage
		change(&s)
		return s
	}
	observe := with(func(s *v1alpha1.CommonSpec) { s.Management = v1alpha1.ManagementObserve })
	approve := with(func(s *v1alpha1.CommonSpec) { s.Management = v1alpha1.ManagementApprove })
	never := with(func(s *v1alpha1.CommonSpec) { s.Adoption = v1alpha1.AdoptionNever })
	always := with(func(s *v1alpha1.CommonSpec) { s.Adoption = v1alpha1.AdoptionAlways })

	cases := map[string]struct {
		facts  facts
		action action
		reason string
	}{
		"absent: created":                            {facts{spec: manage}, actionCreate, ""},
		"absent, Observe: said":                      {facts{spec: observe}, actionNone, v1alpha1.ReasonNotFound},
		"absent, Approve: the creation waits":        {facts{spec: approve}, actionHold, v1alpha1.ReasonAwaitingApproval},
		"absent, Approve, approved: created":         {facts{spec: approve, approved: true}, actionCreate, ""},
		"absent, glass: held":                        {facts{spec: manage, glassOpen: true}, actionNone, v1alpha1.ReasonBreakGlass},
		"absent, Never: created, nothing was there":  {facts{spec: never}, actionCreate, ""},
		"another project's: conflict":                {facts{spec: manage, exists: true, wrongProject: true}, actionNone, v1alpha1.ReasonConflict},
		"another project's, Observe: conflict too":   {facts{spec: observe, exists: true, wrongProject: true}, actionNone, v1alpha1.ReasonConflict},
		"another owner's: conflict":                  {facts{spec: always, exists: true, mark: markForeign, held: true}, actionNone, v1alpha1.ReasonConflict},
		"another owner's, Observe: may be looked at": {facts{spec: observe, exists: true, mark: markForeign}, actionNone, v1alpha1.ReasonUpToDate},
		"there before and alike: taken over":         {facts{spec: manage, exists: true}, actionNone, v1alpha1.ReasonUpToDate},
		"there before and different: waits":          {facts{spec: manage, exists: true, changes: versioning}, actionHold, v1alpha1.ReasonAwaitingAdoption},
		"there before, approved: changed":            {facts{spec: manage, exists: true, changes: versioning, approved: true}, actionUpdate, ""},
		"there before, Always: changed":              {facts{spec: always, exists: true, changes: versioning}, actionUpdate, ""},
		"there before, Never: conflict":              {facts{spec: never, exists: true}, actionNone, v1alpha1.ReasonConflict},
		"held, Never: managed on":                    {facts{spec: never, exists: true, held: true, changes: versioning}, actionUpdate, ""},
		"held and different: changed":                {facts{spec: manage, exists: true, held: true, changes: versioning}, actionUpdate, ""},
		"held and different, Observe: said":          {facts{spec: observe, exists: true, held: true, changes: versioning}, actionNone, v1alpha1.ReasonDiffers},
		"held and different, Approve: waits":         {facts{spec: approve, exists: true, held: true, changes: versioning}, actionHold, v1alpha1.ReasonAwaitingApproval},
		"held and different, glass: held back":       {facts{spec: manage, exists: true, held: true, changes: versioning, glassOpen: true}, actionNone, v1alpha1.ReasonBreakGlass},
		"held and alike, glass: up to date":          {facts{spec: manage, exists: true, held: true, glassOpen: true}, actionNone, v1alpha1.ReasonUpToDate},
		"an immutable field: said, nothing written":  {facts{spec: manage, exists: true, held: true, changes: append(versioning, location...)}, actionNone, v1alpha1.ReasonImmutable},
		"a lock waits":                               {facts{spec: manage, exists: true, held: true, changes: lock}, actionHold, v1alpha1.ReasonAwaitingApproval},
		"a lock waits though adoption is Always":     {facts{spec: always, exists: true, changes: lock}, actionHold, v1alpha1.ReasonAwaitingApproval},
		"approval does not open the glass":           {facts{spec: approve, exists: true, held: true, changes: versioning, approved: true, glassOpen: true}, actionNone, v1alpha1.ReasonBreakGlass},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.facts.traits = testTraits
			got := decide(tc.facts)
			if got.action != tc.action || got.reason != tc.reason {
				t.Errorf("decide() = action %d, reason %q (%s); want action %d, reason %q", got.action, got.reason, got.message, tc.action, tc.reason)
			}
			if (got.action == actionNone || got.action == actionHold) && got.message == "" {
				t.Error("nothing is written, and nobody is told why")
			}
		})
	}
}

func TestDecideNamesWhatIsImmutable(t *testing.T) {
	got := decide(facts{traits: testTraits, exists: true, held: true, changes: diff.Changes{{Path: "spec.location", From: `"EU"`, To: `"US"`}}})
	want := decision{actionNone, v1alpha1.ReasonImmutable, `spec.location is "EU" and cannot become "US": it is fixed when the bucket is created`}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(decision{})); d != "" {
		t.Errorf("decision (-want +got):\n%s", d)
	}
}

func TestEveryReasonHasAStanding(t *testing.T) {
	for _, reason := range []string{
		v1alpha1.ReasonUpToDate, v1alpha1.ReasonProgressing, v1alpha1.ReasonUnavailable, v1alpha1.ReasonThrottled, v1alpha1.ReasonDeleting,
		v1alpha1.ReasonInvalid, v1alpha1.ReasonImmutable, v1alpha1.ReasonNotApplied, v1alpha1.ReasonDenied, v1alpha1.ReasonConflict,
		v1alpha1.ReasonProjectUnbound, v1alpha1.ReasonProjectNotAllowed, v1alpha1.ReasonBindingChanged, v1alpha1.ReasonAwaitingApproval,
		v1alpha1.ReasonAwaitingAdoption, v1alpha1.ReasonDiffers, v1alpha1.ReasonNotFound, v1alpha1.ReasonNotEmpty, v1alpha1.ReasonBreakGlass,
	} {
		if _, ok := standings[reason]; !ok {
			t.Errorf("reason %s has no standing", reason)
		}
	}
}
