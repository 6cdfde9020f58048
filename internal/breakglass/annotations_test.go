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
		recorded    bool
		want        map[string]any
	}{
		"nothing there":                    {annotations: nil, want: map[string]any{}},
		"open":                             {annotations: map[string]string{key: "INC", by: "ada"}, want: map[string]any{}},
		"open until later":                 {annotations: map[string]string{key: "INC", by: "ada", until: at(1).Format(time.RFC3339)}, want: map[string]any{}},
		"a time nobody can read":           {annotations: map[string]string{key: "INC", until: "tomorrow"}, want: map[string]any{}},
		"its time is over":                 {annotations: map[string]string{key: "INC", by: "ada", until: at(-1).Format(time.RFC3339)}, want: map[string]any{key: nil, by: nil, until: nil, v1alpha1.BreakGlassClosedByAnnotation: "expired"}},
		"left without a glass":             {annotations: map[string]string{by: "ada", until: at(1).Format(time.RFC3339)}, want: map[string]any{by: nil, until: nil}},
		"who closed it may stay":           {annotations: map[string]string{v1alpha1.BreakGlassClosedByAnnotation: "ada"}, want: map[string]any{}},
		"who closed it, once on record":    {annotations: map[string]string{v1alpha1.BreakGlassClosedByAnnotation: "ada"}, recorded: true, want: map[string]any{v1alpha1.BreakGlassClosedByAnnotation: nil}},
		"over, and cleared a moment later": {annotations: map[string]string{key: "INC", until: at(0).Format(time.RFC3339)}, want: map[string]any{}},
		"somebody else's remarks":          {annotations: map[string]string{"example.com/x": "y"}, want: map[string]any{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, Clear(tc.annotations, tc.recorded, at(0))); d != "" {
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
