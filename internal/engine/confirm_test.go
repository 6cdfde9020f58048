package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/internal/diff"
)

func TestUnapplied(t *testing.T) {
	managed := []string{"spec.rpo"}
	cases := map[string]struct{ planned, left, want diff.Changes }{
		"all is applied": {planned: diff.Changes{{Path: "spec.rpo", From: "1", To: "2"}}},
		"a managed field shows a third value": {
			planned: diff.Changes{{Path: "spec.rpo", From: "1", To: "2"}},
			left:    diff.Changes{{Path: "spec.rpo", From: "3", To: "2"}},
			want:    diff.Changes{{Path: "spec.rpo", From: "3", To: "2"}},
		},
		"a reset that changed nothing": {
			planned: diff.Changes{{Path: "spec.regions", From: "1"}},
			left:    diff.Changes{{Path: "spec.regions", From: "1"}},
			want:    diff.Changes{{Path: "spec.regions", From: "1"}},
		},
		"a reset that changed nothing, to what an organization gives by default": {
			planned: diff.Changes{{Path: "spec.policy", From: "1"}},
			left:    diff.Changes{{Path: "spec.policy", From: "1"}},
		},
		"a reset to what Google gives by default here": {
			planned: diff.Changes{{Path: "spec.regions", From: "1"}},
			left:    diff.Changes{{Path: "spec.regions", From: "3"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, unapplied(tc.planned, tc.left, managed, diff.Fields{"spec.policy": {Inherited: true}}), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("unapplied (-want +got):\n%s", d)
			}
		})
	}
}
