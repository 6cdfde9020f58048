package sweep

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// Changes are what differs, however two listings differ, each once and in order.
func TestChangesAreTheDifference(t *testing.T) {
	draw := rapid.MapOfN(rapid.StringMatching(`(shop|bank)/[a-c]{1,2}`), rapid.Uint64Range(1, 3), 0, 8)
	rapid.Check(t, func(rt *rapid.T) {
		before, now, policies := draw.Draw(rt, "before"), draw.Draw(rt, "now"), draw.Draw(rt, "policies")
		projects := map[string]string{"1": "shop", "2": "bank"}
		changed := map[string]bool{}
		for name := range before {
			_, stays := now[name]
			changed[name] = !stays || before[name] != now[name] || policies[name] != 0 // which are there afterwards only
		}
		for name := range now {
			if _, was := before[name]; !was {
				changed[name] = true
			}
		}
		var want []string
		for name, is := range changed {
			if is {
				want = append(want, name)
			}
		}
		slices.Sort(want)
		var got []string
		for _, r := range Changes(
			listing(t, &scope{projects: projects, fields: before}), listing(t, &scope{projects: projects, fields: now, policies: policies}),
		) {
			got = append(got, r.Project+"/"+r.ID)
		}
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			rt.Errorf("changes (-want +got):\n%s", d)
		}
	})
}
