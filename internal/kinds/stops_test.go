package kinds

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// TestWhatStopsToServe: of an account that can be acted as, the field that its Principal names.
func TestWhatStopsToServe(t *testing.T) {
	for name, tc := range map[string]struct {
		kind, path, from, to string
		stops                bool
	}{
		"an account disabled":       {"ServiceAccount", "spec.disabled", "false", "true", true},
		"one that was unset":        {"ServiceAccount", "spec.disabled", "", "true", true},
		"an account enabled":        {"ServiceAccount", "spec.disabled", "true", "false", false},
		"an account reset":          {"ServiceAccount", "spec.disabled", "true", "", false},
		"another name":              {"ServiceAccount", "spec.displayName", `"a"`, `"b"`, false},
		"versioning, which is lost": {"Bucket", "spec.versioning.enabled", "true", "false", false},
	} {
		t.Run(name, func(t *testing.T) {
			k, _ := kind.Named(All(nil), tc.kind)
			why := k.FieldTraits.Stops(diff.Change{Path: tc.path, From: tc.from, To: tc.to})
			if got := why != ""; got != tc.stops {
				t.Errorf("stops to serve: %t (%q)", got, why)
			}
		})
	}
	var declared, principals []string
	for _, k := range All(nil) {
		for path, field := range k.FieldTraits {
			if field.Stops != nil {
				declared = append(declared, k.Kind+" "+path)
			}
		}
		if k.Principal != nil {
			principals = append(principals, k.Kind+" "+k.Principal.Disabled)
		}
	}
	slices.Sort(declared)
	if d := cmp.Diff(principals, declared); d != "" {
		t.Errorf("fields (-of principals +declared):\n%s", d)
	}
}
