package queue

import (
	"maps"
	"slices"
	"sync"

	"k8s.io/client-go/util/workqueue"

	"github.com/holdfast-dev/holdfast/internal/fair"
)

// order is in which order a Queue hands out what is waiting. Push, Pop, Len and Touch are for the work queue alone, which calls them under a
// lock of its own: nothing here may call the work queue.
type order[T comparable] struct {
	workers int // for what is not urgent
	tenant  func(T) fair.Tenant

	mu sync.Mutex
	// changed is told of all that may let an item be handed out.
	changed *sync.Cond
	// asked are the priorities of the items that are to be worked on, whether they have a line yet or are being worked on.
	asked map[T]int
	// placed is where each item waits.
	placed map[T]place
	lines  map[int]*fair.Turns[T] // by priority
	// working are those that were handed out.
	working map[T]place
	// busy counts what is worked on that is not urgent, and for whom.
	busy                 int
	namespaces, projects map[string]int
	stopped              bool
}

// place is an item's tenant and priority.
type place struct {
	of       fair.Tenant
	priority int
}

var _ workqueue.Queue[string] = &order[string]{}

func newOrder[T comparable](workers int, tenant func(T) fair.Tenant) *order[T] {
	o := &order[T]{
		workers: workers, tenant: tenant,
		asked: map[T]int{}, placed: map[T]place{}, lines: map[int]*fair.Turns[T]{}, working: map[T]place{},
		namespaces: map[string]int{}, projects: map[string]int{},
	}
	o.changed = sync.NewCond(&o.mu)
	return o
}

// await waits until an item may be handed out, or the order is stopped.
func (o *order[T]) await() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !o.stopped && !o.any() {
		o.changed.Wait()
	}
}

// ask says with which priority an item is to be worked on that is about to be added.
func (o *order[T]) ask(item T, priority int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if before, ok := o.asked[item]; ok {
		priority = max(priority, before)
	}
	o.asked[item] = priority
}

// raise does so if the item is there already.
func (o *order[T]) raise(item T, priority int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	before, ok := o.asked[item]
	if !ok {
		return false
	}
	o.asked[item] = max(priority, before)
	o.move(item)
	return true
}

// Push implements workqueue.Queue.
func (o *order[T]) Push(item T) {
	of := o.tenant(item)
	o.mu.Lock()
	defer o.mu.Unlock()
	priority := o.asked[item]
	o.asked[item] = priority
	o.put(item, place{of, priority})
}

// Touch implements workqueue.Queue: an item that waits was added again. Who has edited it since brings it into a line of their own if they ask for
// less, so that whoever corrects something of a mass change does not wait with it.
func (o *order[T]) Touch(item T) {
	of := o.tenant(item)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.move(item)
	at, ok := o.placed[item]
	if edited := (fair.Tenant{Namespace: at.of.Namespace, Project: at.of.Project, Editor: of.Editor}); ok && edited == of {
		if lines := o.lines[at.priority]; lines.LinesOf(of.Editor) < lines.LinesOf(at.of.Editor) {
			lines.Remove(at.of, item)
			o.put(item, place{of, at.priority})
		}
	}
}

// move brings an item that waits into the line of its priority.
func (o *order[T]) move(item T) {
	at, ok := o.placed[item]
	if priority := o.asked[item]; ok && priority > at.priority {
		o.lines[at.priority].Remove(at.of, item)
		o.put(item, place{at.of, priority})
	}
}

func (o *order[T]) put(item T, at place) {
	if o.lines[at.priority] == nil {
		o.lines[at.priority] = &fair.Turns[T]{Together: o.together()}
	}
	o.lines[at.priority].Push(at.of, item)
	o.placed[item] = at
	o.changed.Signal()
}

// Len implements workqueue.Queue: how many items may be handed out now, or at least whether any may.
func (o *order[T]) Len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stopped || !o.any() {
		return 0
	}
	return 1
}

// any says whether an item may be handed out now.
func (o *order[T]) any() bool {
	for priority, lines := range o.lines {
		if lines.Any(o.may(priority)) {
			return true
		}
	}
	return false
}

// Pop implements workqueue.Queue. It is called when Len is not 0.
func (o *order[T]) Pop() (item T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, priority := range slices.Backward(slices.Sorted(maps.Keys(o.lines))) {
		item, of, ok := o.lines[priority].Next(o.may(priority))
		if !ok {
			continue
		}
		delete(o.asked, item)
		delete(o.placed, item)
		o.shrink()
		o.working[item] = place{of, priority}
		o.count(o.working[item], 1)
		return item
	}
	return item
}

// shrink gives back the room of what waited, once nothing does: a map keeps it, and all objects wait when a process starts.
func (o *order[T]) shrink() {
	if len(o.placed) == 0 {
		o.placed = map[T]place{}
	}
	if len(o.asked) == 0 {
		o.asked = map[T]int{}
	}
}

// together is how many items of a namespace, and of a project, are worked on at the same time, at most.
func (o *order[T]) together() int { return (o.workers + 1) / 2 }

// may says whose items of a priority may be handed out now.
func (o *order[T]) may(priority int) func(fair.Tenant) bool {
	most := o.together()
	return func(of fair.Tenant) bool {
		return priority >= Urgent || o.busy < o.workers && o.namespaces[of.Namespace] < most && (of.Project == "" || o.projects[of.Project] < most)
	}
}

// count counts an item that is worked on, or no longer is.
func (o *order[T]) count(at place, by int) {
	if at.priority >= Urgent {
		return
	}
	o.busy += by
	tally(o.namespaces, at.of.Namespace, by)
	tally(o.projects, at.of.Project, by)
}

func tally(counts map[string]int, name string, by int) {
	if counts[name] += by; counts[name] == 0 {
		delete(counts, name)
	}
}

// workedOn is the priority with which an item was handed out.
func (o *order[T]) workedOn(item T) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.working[item].priority
}

func (o *order[T]) done(item T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if at, ok := o.working[item]; ok {
		delete(o.working, item)
		o.count(at, -1)
		o.changed.Signal()
	}
}

// waiting is how many items wait.
func (o *order[T]) waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.placed)
}

func (o *order[T]) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stopped = true
	o.changed.Broadcast()
}
