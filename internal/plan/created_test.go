package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func crowded(labels int) given {
	return func(s *situation) {
		s.bucket().Spec.Labels = v1alpha1.Labels{}
		for i := range labels {
			s.bucket().Spec.Labels[fmt.Sprintf("l%d", i)] = ""
		}
	}
}

// TestCreating: a create carries the proof of which manifest it is for, as long as Google has room for it.
func TestCreating(t *testing.T) {
	for name, tc := range map[string]struct {
		of   *situation
		want bool
	}{
		"a bucket":                     {aBucket(), true},
		"with room for one more":       {aBucket().with(crowded(60)), true},
		"with as many as there may be": {aBucket().with(crowded(61)), false},
		"an account, without labels":   {anAccount(), false},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(tc.of.env.Ref.Ownership)
			label, has := Creating(tc.of.Manifest, tc.of.env.Ref).Ownership[v1alpha1.CreatorLabel]
			if has != tc.want || has && (!strings.HasPrefix(label, "1_") || !labelValue.MatchString(label)) || len(tc.of.env.Ref.Ownership) != before {
				t.Errorf("created by %q, want some: %t; the marks are %v", label, tc.want, tc.of.env.Ref.Ownership)
			}
		})
	}
}

// TestWhatProvesItself: a write needs no record before it where live shows afterwards all that it takes on.
func TestWhatProvesItself(t *testing.T) {
	for name, tc := range map[string]struct {
		of   *situation
		want bool
	}{
		"a create with labels":                  {aBucket().with(absent), true},
		"a create with too many":                {aBucket().with(absent, crowded(61)), false},
		"a recreation, with what it had before": {aBucket().with(absent, recordedAnother), false},
		"a create without labels":               {anAccount(), false},
		"a create that was approved":            {aBucket().with(absent, approve, approved), false},
		"a create that grants something":        {aBucket().with(absent, grantsAda), false},
		"an undelete":                           {anAccount().with(undeletable, recordedAnother), false},
		"an update that takes a field on":       {aBucket().with(owned, differs), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.of.assess().ProvesItself(tc.of.Manifest, tc.of.record); got != tc.want {
				t.Errorf("proves itself: %t, want %t", got, tc.want)
			}
		})
	}
}

// TestWhatACreateHasSet is known from the label if nothing is on record, so that it is reset when it leaves the manifest; and what somebody else
// may have set is not.
func TestWhatACreateHasSet(t *testing.T) {
	versioning := []string{"spec.versioning.enabled"}
	leaves := func(s *situation) { s.bucket().Spec.Versioning = nil }
	for name, tc := range map[string]struct {
		given []given
		want  []string // the changes
	}{
		"nothing is left to do":                 {[]given{createdByIt}, nil},
		"what leaves the manifest is reset":     {[]given{createdByIt, leaves}, versioning},
		"be it that its value is another since": {[]given{createdByIt, leaves, func(s *situation) { s.live().Spec.Labels = nil }}, versioning},
		"unless somebody has set something":     {[]given{createdByIt, leaves, func(s *situation) { s.live().Spec.RequesterPays = new(true) }}, nil},
		"or it was another manifest's":          {[]given{createdByIt, leaves, func(s *situation) { s.Object.SetUID("another") }}, nil},
		"or the record knows better":            {[]given{createdByIt, leaves, owned, justCreated}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := aBucket().with(mayLose).with(tc.given...).assess()
			if d := cmp.Diff(tc.want, a.Changes.Paths(), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
		})
	}
}
