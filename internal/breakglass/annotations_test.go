package breakglass

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestClear(t *testing.T) {
	const key, by, until = v1alpha1.BreakGlassAnnotation, v1alpha1.BreakGlassByAnnotation, v1alpha1.BreakGlassUntilAnnotation
	cases := map[string]struct {
		annotations map[string]string
		want        map[string]any
	}{
		"nothing there":           {nil, map[string]any{}},
		"open":                    {map[string]string{key: "INC", by: "ada"}, map[string]any{}},
		"open until later":        {map[string]string{key: "INC", by: "ada", until: at(1).Format(time.RFC3339)}, map[string]any{}},
		"a time nobody can read":  {map[string]string{key: "INC", until: "tomorrow"}, map[string]any{}},
		"its time is over":        {map[string]string{key: "INC", by: "ada", until: at(0).Format(time.RFC3339)}, map[string]any{key: nil, by: nil, until: nil, v1alpha1.BreakGlassClosedByAnnotation: "expired"}},
		"left without a glass":    {map[string]string{by: "ada", until: at(1).Format(time.RFC3339)}, map[string]any{by: nil, until: nil}},
		"who closed it may stay":  {map[string]string{v1alpha1.BreakGlassClosedByAnnotation: "ada"}, map[string]any{}},
		"somebody else's remarks": {map[string]string{"example.com/x": "y"}, map[string]any{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, Clear(tc.annotations, at(0))); d != "" {
				t.Errorf("Clear (-want +got):\n%s", d)
			}
		})
	}
}

func TestKeptNeverAddsAKey(t *testing.T) {
	live := map[string]string{v1alpha1.BreakGlassAnnotation: "INC", v1alpha1.ApproveAnnotation: "0123", "example.com/x": "y"}
	want := map[string]string{v1alpha1.BreakGlassAnnotation: "INC", v1alpha1.ApproveAnnotation: "0123"}
	if d := cmp.Diff(want, Kept(live)); d != "" {
		t.Errorf("Kept (-want +got):\n%s", d)
	}
}
