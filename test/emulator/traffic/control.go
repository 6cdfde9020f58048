package traffic

import (
	"slices"
	"strconv"
	"sync"
	"time"
)

// Control is the state of the traffic of one emulator. All methods may be
// called at any time, also while calls are under way.
type Control struct {
	now    func() time.Time
	number func(projectID string) string
	// callerProject is the project of the caller's credentials.
	callerProject string
	// guard is asked about each call; nil lets everybody make them.
	guard Guard
	// listener is told of each call; nil for nobody.
	listener func(Entry)

	mu          sync.Mutex
	faults      []*Injected
	lastFault   int
	breakpoints []*Breakpoint
	counts      map[Call]int
	quotas      quotas
	journal     journal
}

// Option changes how a Control works.
type Option func(*Control)

// WithClock sets the clock that quotas count their minutes by.
func WithClock(now func() time.Time) Option { return func(c *Control) { c.now = now } }

// WithProjectNumbers sets how project IDs become the project numbers that
// Google names in quota errors; by default the ID itself is named.
func WithProjectNumbers(number func(projectID string) string) Option {
	return func(c *Control) { c.number = number }
}

// WithCallerProject sets the project of the caller's credentials, whose quota
// calls to IAM and Resource Manager use unless they name another one in
// x-goog-user-project; by default it is the one that [Caller] is in.
func WithCallerProject(projectID string) Option {
	return func(c *Control) { c.callerProject = projectID }
}

// New returns a Control that lets everything pass.
func New(options ...Option) *Control {
	c := &Control{
		now:    time.Now,
		number: func(projectID string) string { return projectID },
		counts: map[Call]int{},

		callerProject: callerProject,

		quotas: quotas{limits: map[quotaKey]int{}, used: map[quotaKey]window{}},
	}
	for _, option := range options {
		option(c)
	}
	return c
}

// Counts returns how many calls arrived, by the name that [Call.String]
// returns. Refused calls count as they do at Google; calls during an outage
// never arrived and do not.
func (c *Control) Counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := make(map[string]int, len(c.counts))
	for call, n := range c.counts {
		counts[call.String()] += n
	}
	return counts
}

// Count returns how many calls arrived that match pattern.
func (c *Control) Count(pattern Call) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	total := 0
	for call, n := range c.counts {
		if call.Matches(pattern) {
			total += n
		}
	}
	return total
}

// Total returns how many calls arrived for the given services, or for all of
// them if none is named.
func (c *Control) Total(services ...string) int {
	if len(services) == 0 {
		return c.Count(Call{})
	}
	total := 0
	for _, service := range services {
		total += c.Count(Call{Service: service})
	}
	return total
}

// ResetCounts sets all counts to zero.
func (c *Control) ResetCounts() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts = map[Call]int{}
}

// Inject adds a fault and returns the ID to remove it by.
func (c *Control) Inject(fault Fault) (id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastFault++
	id = strconv.Itoa(c.lastFault)
	c.faults = append(c.faults, &Injected{ID: id, Fault: fault, Left: fault.Times})
	return id
}

// Remove takes a fault away; an unknown ID is ignored, since a fault that ran
// out has gone by itself.
func (c *Control) Remove(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = slices.DeleteFunc(c.faults, func(f *Injected) bool { return f.ID == id })
}

// RemoveAll takes all faults away.
func (c *Control) RemoveAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = nil
}

// Faults returns the faults that are still in force, in the order in which
// they were injected.
func (c *Control) Faults() []Injected {
	c.mu.Lock()
	defer c.mu.Unlock()
	faults := make([]Injected, 0, len(c.faults))
	for _, f := range c.faults {
		faults = append(faults, *f)
	}
	return faults
}

// SetQuota allows perMinute calls per minute to a service ("iam"), or to those
// of its calls that Google counts together ("iam writes", see [GoogleQuotas];
// "storage creates" are counted in spans of two seconds). Scope is a
// project's ID, or empty for every project that has no quota of its own. A
// quota of zero or less is removed. The project is the one that a call is
// about; for IAM and Resource Manager it is the one that the caller's
// credentials belong to, or that the caller names in x-goog-user-project.
func (c *Control) SetQuota(service, scope string, perMinute int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quotas.set(quotaKey{service, scope}, perMinute)
}

// Quotas returns the quotas in force, keyed by service and then by scope.
func (c *Control) Quotas() map[string]map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.quotas.byService()
}

// Journal returns the recorded calls in the order in which they arrived.
// Nothing is recorded before [Control.Record].
func (c *Control) Journal() []Entry { return c.Since(0) }

// Since returns the recorded calls that arrived after the mark (see
// [Control.Mark]).
func (c *Control) Since(mark int64) []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.journal.since(mark)
}

// WritesSince returns the recorded writes that arrived after the mark,
// refused ones included.
func (c *Control) WritesSince(mark int64) []Entry {
	var writes []Entry
	for _, entry := range c.Since(mark) {
		if entry.Write {
			writes = append(writes, entry)
		}
	}
	return writes
}

// Mark returns the sequence number of the call that arrived last.
func (c *Control) Mark() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.journal.last
}

// Record starts or stops recording to the journal; what it holds stays.
func (c *Control) Record(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.journal.recording = on
}

// Listen has each call that is recorded told once it is over, before it is
// answered; then it is not kept. It is for the time before the first call.
func (c *Control) Listen(listener func(Entry)) { c.listener = listener }

// ClearJournal forgets what was recorded. Sequence numbers go on rising.
func (c *Control) ClearJournal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.journal.entries = nil
}

// Close releases every breakpoint, so that no call stays held.
func (c *Control) Close() {
	c.mu.Lock()
	breakpoints := slices.Clone(c.breakpoints)
	c.mu.Unlock()
	for _, b := range breakpoints {
		b.Release()
	}
}
