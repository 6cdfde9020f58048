package sweep

import (
	"sync"
	"time"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// DefaultFull is how often what Cloud Asset Inventory covers is looked at all the same: it may never show a field, or not for long.
const DefaultFull = 6 * time.Hour

// The last listing is relied on for so many intervals, and for so long at least: one of 50,000 resources takes a minute and more.
const (
	trustedIntervals = 3
	trustedAtLeast   = 5 * time.Minute
)

// Coverage is what can do with fewer looks, because listings of assets tell what changed there. Nil covers nothing. All methods may be called
// concurrently.
type Coverage struct {
	schedule Schedule
	full     Schedule
	now      func() time.Time

	mu   sync.Mutex
	last *Listing
	// ended is when the last listing ended, and since, by project, when the first of those in a row did that have the project as it is: one that
	// changes, which may be shut down or moved, is looked at as a whole.
	ended time.Time
	since map[string]time.Time
}

// NewCoverage covers nothing until there is a listing. Listings are taken by the schedule; full says how often there is a look in spite of them.
func NewCoverage(schedule, full Schedule, now func() time.Time) *Coverage {
	return &Coverage{schedule: schedule, full: full, now: now, since: map[string]time.Time{}}
}

// Take takes in a listing that just ended, and returns what to look at, by what changed since the one before: nothing after the first. A
// listing that failed is none: the next one is compared with the last that did not.
func (c *Coverage) Take(now *Listing) []Resource {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed, ended := Changes(c.last, now), c.now()
	since := make(map[string]time.Time, len(now.projects))
	for project, state := range now.projects {
		since[project] = ended
		if before, ok := c.since[project]; ok && c.last.projects[project] == state {
			since[project] = before
		}
	}
	c.last, c.ended, c.since = now, ended, since
	return changed
}

// Lose ends the coverage until the next listing.
func (c *Coverage) Lose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = time.Time{}
}

// Spares says whether a look at something of a kind in a project is not needed, although its time has come: it was last looked at when the
// project was covered already, so that whatever happened since shows in a listing, or before in that look. It says otherwise now and then, as
// often as a look is due in spite of the listings.
func (c *Coverage) Spares(k kind.Kind, project string, looked time.Time) bool {
	if c == nil || k.AssetType == "" {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	since, covered := c.since[project]
	return covered && c.reliable() && !looked.Before(since) && c.now().Sub(looked) < c.full.Next()
}

// Projects is how many projects are covered.
func (c *Coverage) Projects() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reliable() {
		return 0
	}
	return len(c.since)
}

// reliable says whether the last listing is recent; the caller holds c.mu.
func (c *Coverage) reliable() bool {
	return c.now().Sub(c.ended) <= max(trustedIntervals*c.schedule.Interval, trustedAtLeast)
}
