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

// tally is what was last found in a project: by a sweep, or by a listing of assets, which may be allowed where lists are denied.
type tally struct {
	unmanaged int
	denied    bool // nobody may list it: what is unmanaged there is not counted, unless assets show it
}

func newCensus(kind string, m *metrics.Collector) *census {
	return &census{kind: kind, metrics: m, of: map[string]tally{}}
}

// noteAssets notes what a listing of assets has found in one of so many projects. Whether lists are denied there it does not know.
func (c *census) noteAssets(project string, unmanaged, projects int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(project, tally{unmanaged, c.of[project].denied}, projects)
}

// note notes what a sweep has found in one of so many projects. What assets have shown where lists are denied stays.
func (c *census) note(project string, found tally, projects int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found.denied {
		found.unmanaged = c.of[project].unmanaged
	}
	c.put(project, found, projects)
}

// noteNothing notes that a sweep of one of so many projects found nobody to list it as, or could not list it now. What was found before stays.
func (c *census) noteNothing(project string, projects int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(project, c.of[project], projects)
}

// put replaces what is known of a project.
func (c *census) put(project string, found tally, projects int) {
	before := c.of[project]
	c.add(before, -1)
	c.of[project] = found
	c.add(found, 1)
	if c.shown = c.shown || len(c.of) >= projects; c.shown {
		c.metrics.Listed(c.kind, c.sum)
	}
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
