package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/metrics"
)

// TestSweepsAndAssetsCountTogether: what the one does not know stays as the other has found it, in whatever order they come.
func TestSweepsAndAssetsCountTogether(t *testing.T) {
	const projects = 1
	for name, tc := range map[string]struct {
		found []func(c *census)
		want  metrics.Listing
	}{
		"a list": {
			[]func(*census){func(c *census) { c.note("shop", tally{unmanaged: 2}, projects) }}, metrics.Listing{Unmanaged: 2},
		},
		"lists are denied, and assets are listed": {
			[]func(*census){
				func(c *census) { c.note("shop", tally{denied: true}, projects) },
				func(c *census) { c.noteAssets("shop", 3, projects) },
			}, metrics.Listing{Unmanaged: 3, NotListed: 1},
		},
		"assets are listed, and lists are denied": {
			[]func(*census){
				func(c *census) { c.noteAssets("shop", 3, projects) },
				func(c *census) { c.note("shop", tally{denied: true}, projects) },
			}, metrics.Listing{Unmanaged: 3, NotListed: 1},
		},
		"assets are listed, and there is nobody to list the project as": {
			[]func(*census){
				func(c *census) { c.noteAssets("shop", 3, projects) },
				func(c *census) { c.noteNothing("shop", projects) },
			}, metrics.Listing{Unmanaged: 3},
		},
		"lists are allowed again": {
			[]func(*census){
				func(c *census) { c.note("shop", tally{denied: true}, projects) },
				func(c *census) { c.note("shop", tally{unmanaged: 1}, projects) },
			}, metrics.Listing{Unmanaged: 1},
		},
		"the project has no manifests any more": {
			[]func(*census){
				func(c *census) { c.note("shop", tally{unmanaged: 1, denied: true}, projects) },
				func(c *census) { c.forget("shop") },
			}, metrics.Listing{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCensus("topic", metrics.New())
			for _, found := range tc.found {
				found(c)
			}
			if d := cmp.Diff(tc.want, c.sum); d != "" {
				t.Errorf("counted (-want +got):\n%s", d)
			}
		})
	}
}
