package engine

import (
	"sync"

	"github.com/holdfast-dev/holdfast/internal/metrics"
)

// census adds up, for a kind, the unmanaged resources that sweeps find in each project. It only counts: what is found is people's business
// alone.
type census struct {
	kind    string // its label
	metrics *metrics.Collector

	mu sync.Mutex
	of map[string]tally // by project
	// sum is over all of them; it is shown once each project was tried, so that it does not begin with a part.
	sum   metrics.Listing
	shown bool
}

// tally is what the last sweep has found in a project.
type tally struct {
	unmanaged int
	denied    bool // nobody may list it: what is unmanaged there is not counted
}

func newCensus(kind string, m *metrics.Collector) *census {
	return &census{kind: kind, metrics: m, of: map[string]tally{}}
}

// note notes what a sweep has found in one of so many projects, and says whether it is the first not to be allowed to list it.
func (c *census) note(project string, found tally, projects int) (newlyDenied bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.of[project]
	c.add(before, -1)
	c.of[project] = found
	c.add(found, 1)
	if c.shown = c.shown || len(c.of) >= projects; c.shown {
		c.metrics.Listed(c.kind, c.sum)
	}
	return found.denied && !before.denied
}

// forget forgets a project that has no manifests any more.
func (c *census) forget(project string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(c.of[project], -1)
	delete(c.of, project)
	if c.shown {
		c.metrics.Listed(c.kind, c.sum)
	}
}

func (c *census) add(t tally, by int) {
	c.sum.Unmanaged += by * t.unmanaged
	if t.denied {
		c.sum.NotListed += by
	}
}
