package metrics

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestSeriesAreBoundedAndKeepTheirPlace does anything with a metric of three series, and holds it against a set.
func TestSeriesAreBoundedAndKeepTheirPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, abnormal := newSeries("x", "x"), map[Key]bool{}
		s.most = 3
		key := rapid.Custom(func(t *rapid.T) Key { return Key{Name: fmt.Sprint(rapid.IntRange(0, 7).Draw(t, "n"))} })
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			before, k := names(s.shown), key.Draw(t, "key")
			if rapid.Bool().Draw(t, "set") {
				s.set(k, "p", 1)
				abnormal[k] = true
			} else {
				s.remove(k)
				delete(abnormal, k)
			}
			for name := range before {
				if _, still := s.shown[name]; !still && abnormal[name] {
					t.Fatalf("%v lost its series though it is abnormal still", name)
				}
			}
			if len(s.shown) != min(len(abnormal), s.most) {
				t.Fatalf("%d series for %d objects", len(s.shown), len(abnormal))
			}
			all := names(s.shown)
			for k := range s.omitted {
				if all[k] {
					t.Fatalf("%v is both shown and omitted", k)
				}
				all[k] = true
			}
			if d := cmp.Diff(abnormal, all); d != "" {
				t.Fatalf("known (-want +got):\n%s", d)
			}
		}
	})
}

func names(samples map[Key]sample) map[Key]bool {
	out := map[Key]bool{}
	for k := range samples {
		out[k] = true
	}
	return out
}

func TestOmittedSeriesAreCounted(t *testing.T) {
	c := New()
	c.drifted.most = 1
	c.Show(logs, bucket("Drifted=True:Differs"))
	c.Show(Key{"bucket", "shop", "media"}, bucket("Drifted=True:Differs"))
	expect(t, c, []string{"holdfast_object_series_omitted"},
		`holdfast_object_series_omitted{metric="holdfast_break_glass_opened_timestamp_seconds"} 0`,
		`holdfast_object_series_omitted{metric="holdfast_object_drifted_timestamp_seconds"} 1`,
		`holdfast_object_series_omitted{metric="holdfast_object_not_ready_timestamp_seconds"} 0`,
		`holdfast_object_series_omitted{metric="holdfast_object_plan_changes"} 0`)
	c.Forget(logs)
	expect(t, c, []string{"holdfast_object_drifted_timestamp_seconds"},
		`holdfast_object_drifted_timestamp_seconds{kind="bucket",name="media",namespace="shop",project="shop-project"} 1000000`)
}
