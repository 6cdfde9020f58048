package sweep

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// firstPause is the first of the pauses between tries of a project that cannot be swept.
const firstPause = 15 * time.Second

// Projects sweeps projects, each by itself in its own time. All methods may be called concurrently.
type Projects struct {
	schedule Schedule
	atOnce   int
	sweep    func(ctx context.Context, project string) (after time.Duration, err error)

	mu      sync.Mutex
	of      map[string]*project
	waiting queue
	// changed wakes Run when the first of those that wait may be another.
	changed chan struct{}
}

// project is one that is swept.
type project struct {
	id string
	// users are how many manifests it has.
	users int
	// next is when it is swept next, place where it is in the queue; -1 while it is swept.
	next  time.Time
	place int
	// failures are how often in a row it could not be swept.
	failures int
}

// NewProjects makes the sweeps of projects, at most atOnce of them at a time. Sweep sweeps one; if it fails it is tried again with growing
// pauses, which are at least after and end at the interval.
func NewProjects(schedule Schedule, atOnce int, sweep func(ctx context.Context, project string) (after time.Duration, err error)) *Projects {
	return &Projects{schedule: schedule, atOnce: atOnce, sweep: sweep, of: map[string]*project{}, changed: make(chan struct{}, 1)}
}

// Add says that a manifest has come to a project, and Remove that it has gone. A project with manifests is swept once an interval; the first time
// within an interval where they were there before, and after one where it is known how their resources are.
func (p *Projects) Add(id string, before bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	is := p.of[id]
	if is == nil {
		is = &project{id: id}
		p.of[id] = is
		first := p.schedule.Next()
		if before {
			first = p.schedule.First()
		}
		p.wait(is, first)
	}
	is.users++
}

// Remove implements what Add says. It says whether that was the last one.
func (p *Projects) Remove(id string) (last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	is := p.of[id]
	if is == nil {
		return false
	}
	is.users--
	if is.users > 0 {
		return false
	}
	delete(p.of, id)
	if is.place >= 0 {
		heap.Remove(&p.waiting, is.place)
	}
	return true
}

// Has says whether a project has manifests.
func (p *Projects) Has(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.of[id] != nil
}

// Len is how many projects have manifests.
func (p *Projects) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.of)
}

// Run sweeps until the context ends, and waits for the sweeps under way, whose context ends with it.
func (p *Projects) Run(ctx context.Context) {
	p.begin()
	free := make(chan struct{}, p.atOnce)
	var sweeps sync.WaitGroup
	defer sweeps.Wait()
	for {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return
		}
		is := p.await(ctx)
		if is == nil {
			return
		}
		sweeps.Go(func() {
			defer func() { <-free }()
			began := time.Now()
			after, err := p.sweep(ctx, is.id)
			p.ended(is, began, after, err)
		})
	}
}

// begin spreads those that are there already over an interval, however long they have waited for Run.
func (p *Projects) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, is := range p.waiting {
		is.next = time.Now().Add(p.schedule.First())
	}
	heap.Init(&p.waiting)
}

// await waits for the next project whose time has come; nil if the context ends before.
func (p *Projects) await(ctx context.Context) *project {
	for {
		is, left := p.first()
		if is != nil {
			return is
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-p.changed:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		timer.Stop()
	}
}

// first takes the first project out of the queue if its time has come, or says how long that takes.
func (p *Projects) first() (is *project, left time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		return nil, time.Hour
	}
	if left := time.Until(p.waiting[0].next); left > 0 {
		return nil, left
	}
	return heap.Pop(&p.waiting).(*project), 0
}

// ended puts a project that was swept back into the queue.
func (p *Projects) ended(is *project, began time.Time, after time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of[is.id] != is { // it has no manifests any more, or has some again
		return
	}
	if err == nil {
		is.failures = 0
		p.wait(is, p.schedule.Next()-time.Since(began))
		return
	}
	pause := min(firstPause<<min(is.failures, 10), p.schedule.Interval)
	is.failures++
	p.wait(is, max(Schedule{pause}.Next(), after))
}

// wait puts a project into the queue.
func (p *Projects) wait(is *project, left time.Duration) {
	is.next = time.Now().Add(left)
	heap.Push(&p.waiting, is)
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// queue has the project first whose time comes first.
type queue []*project

func (q *queue) Len() int           { return len(*q) }
func (q *queue) Less(i, j int) bool { return (*q)[i].next.Before((*q)[j].next) }

func (q *queue) Swap(i, j int) {
	all := *q
	all[i], all[j] = all[j], all[i]
	all[i].place, all[j].place = i, j
}

func (q *queue) Push(x any) {
	is := x.(*project)
	is.place = len(*q)
	*q = append(*q, is)
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	is := (*q)[last]
	(*q)[last], *q = nil, (*q)[:last]
	is.place = -1
	return is
}
