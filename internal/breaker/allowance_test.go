package breaker

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestWhatAnAdministratorLetsThrough(t *testing.T) {
	const by = v1alpha1.AllowDestructiveByAnnotation
	both := map[string]any{v1alpha1.AllowDestructiveUntilAnnotation: nil, by: nil}
	for name, tc := range map[string]struct {
		until string
		left  time.Duration
		clear map[string]any
	}{
		"for an hour":           {"2026-03-01T13:00:00Z", time.Hour, nil},
		"elsewhere on earth":    {"2026-03-01T14:00:00+01:00", time.Hour, nil},
		"for a day":             {"2026-03-02T12:00:00Z", 24 * time.Hour, nil},
		"for more than a day":   {"2026-03-02T12:01:01Z", 0, both},
		"for good":              {"2999-01-01T00:00:00Z", 0, both},
		"until now":             {"2026-03-01T12:00:00Z", 0, both},
		"until a moment ago":    {"2026-03-01T11:59:59Z", 0, both},
		"until nobody knows":    {"tomorrow", 0, both},
		"until an empty string": {"", 0, both},
	} {
		t.Run(name, func(t *testing.T) {
			annotations := map[string]string{v1alpha1.AllowDestructiveUntilAnnotation: tc.until, by: "ada", "else": "where"}
			if got := Allowed(annotations, noon); got != (tc.left > 0) {
				t.Errorf("allowed: %t", got)
			}
			if got := Until(annotations, noon); got != tc.left {
				t.Errorf("for another %s, want %s", got, tc.left)
			}
			if d := cmp.Diff(tc.clear, Clear(annotations, noon), equateEmpty); d != "" {
				t.Errorf("to be cleared away (-want +got):\n%s", d)
			}
			if d := cmp.Diff(map[string]string{v1alpha1.AllowDestructiveUntilAnnotation: tc.until, by: "ada"}, Kept(annotations)); d != "" {
				t.Errorf("kept (-want +got):\n%s", d)
			}
		})
	}
	if d := cmp.Diff(map[string]any{by: nil}, Clear(map[string]string{by: "ada"}, noon)); d != "" {
		t.Errorf("a name without a time (-want +got):\n%s", d)
	}
}
