package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// TestMayBeShutDown: it is asked for only where it may explain something, and never for what is as it should be.
func TestMayBeShutDown(t *testing.T) {
	denied, missing := &kind.Error{Class: kind.Denied}, &kind.Error{Class: kind.NotFound}
	cases := map[string]struct {
		of    *situation
		given []given
		want  bool
	}{
		"it is there":                    {aBucket(), []given{owned}, false},
		"it is yet to be created":        {aBucket(), []given{absent}, false},
		"what was owned is not there":    {aBucket(), []given{recordedAnother, absent}, true},
		"what was just created is not":   {anAccount(), []given{justCreated, func(s *situation) { s.record.Identity = "1" }}, false},
		"what may be a stale look":       {anAccount(), []given{recordedAnother, missingSince(time.Minute), misses(3)}, false},
		"what was looked for so often":   {anAccount(), []given{recordedAnother, missingSince(time.Minute)}, true},
		"the fields are denied":          {aBucket(), []given{unreadable}, true},
		"Google is away":                 {aBucket(), []given{owned, away}, false},
		"the policy is denied":           {aProject(), []given{func(s *situation) { s.seen.Policy = PolicySeen{Err: denied} }}, true},
		"the policy's project is gone":   {aProject(), []given{func(s *situation) { s.seen.Policy = PolicySeen{Err: missing} }}, true},
		"a name that others hold is not": {aBucket(), []given{anotherProject}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := tc.of.with(tc.given...)
			if got := MayBeShutDown(s.Manifest, s.record, s.seen, s.env); got != tc.want {
				t.Errorf("asked: %v, want %v", got, tc.want)
			}
		})
	}
}

// TestLettingGo: the command is one that frees, whatever the manifest says now.
func TestLettingGo(t *testing.T) {
	for name, tc := range map[string]struct {
		given []given
		want  string
	}{
		"to be deleted": {[]given{deletes}, `kubectl patch -n shop bucket.gcp.holdfast.dev logs --type merge -p '{"spec":{"deletionPolicy":"Orphan"}}'`},
		"an orphan":     {nil, `kubectl patch -n shop bucket.gcp.holdfast.dev logs --type merge -p '{"spec":{"management":"Observe"}}'`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := LettingGo(aBucket().with(tc.given...).Manifest); !strings.HasSuffix(got, ": "+tc.want) {
				t.Errorf("got %s", got)
			}
		})
	}
}
