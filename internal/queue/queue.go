package queue

import (
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"

	"github.com/holdfast-dev/holdfast/internal/fair"
)

// Urgent is the priority from which on items are handed out to reserved workers, too, and whoever else is at work.
const Urgent = 100

// Options are how a Queue shares workers.
type Options[T comparable] struct {
	// Name names the queue in the metrics of work queues; empty for no metrics.
	Name string
	// Workers is how many items below Urgent are handed out at a time: of them no namespace and no project has more than half. Those who work
	// on the queue are more, for what is urgent.
	Workers int
	// Tenant says on whose behalf an item is.
	Tenant func(T) fair.Tenant
	// RateLimiter says how long AddRateLimited waits.
	RateLimiter workqueue.TypedRateLimiter[T]
}

// Queue is a work queue with priorities that is fair to tenants: what is waiting with the highest priority is handed out first, and of that
// one item of each tenant in turn. As with any work queue of Kubernetes, an item is worked on by one worker at a time, and an item that is
// added meanwhile is worked on again. An item that is added several times is there once, with the highest of its priorities and the shortest
// of its delays.
type Queue[T comparable] struct {
	// TypedInterface knows which items are waiting and which are worked on, and measures it.
	workqueue.TypedInterface[T]

	opts  Options[T]
	order *order[T]
	// getting has room for one: who is next to be handed an item.
	getting chan struct{}

	mu sync.Mutex
	// delayed are the items that are to be added later.
	delayed map[T]*delay
}

// delay is until when an item is not added.
type delay struct {
	timer    *time.Timer
	until    time.Time
	priority int
}

var _ priorityqueue.PriorityQueue[string] = &Queue[string]{}

// New makes a queue that is empty.
func New[T comparable](opts Options[T]) *Queue[T] {
	o := newOrder[T](opts.Workers, opts.Tenant)
	return &Queue[T]{
		TypedInterface: workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[T]{Name: opts.Name, Queue: o}),
		opts:           opts, order: o, getting: make(chan struct{}, 1), delayed: map[T]*delay{},
	}
}

// AddWithOpts implements priorityqueue.PriorityQueue.
func (q *Queue[T]) AddWithOpts(o priorityqueue.AddOpts, items ...T) {
	priority := 0
	if o.Priority != nil {
		priority = *o.Priority
	}
	for _, item := range items {
		after := o.After
		if o.RateLimited {
			if limited := q.opts.RateLimiter.When(item); after == 0 || limited < after {
				after = limited
			}
		}
		if after > 0 {
			q.addLater(item, priority, after)
		} else {
			q.addNow(item, priority)
		}
	}
}

// addNow adds an item at once, whatever delay it had.
func (q *Queue[T]) addNow(item T, priority int) {
	q.mu.Lock()
	if d := q.delayed[item]; d != nil {
		d.timer.Stop()
		delete(q.delayed, item)
		priority = max(priority, d.priority)
	}
	q.mu.Unlock()
	q.order.ask(item, priority)
	q.TypedInterface.Add(item)
}

// addLater adds an item after a time, unless it waits to be worked on anyway.
func (q *Queue[T]) addLater(item T, priority int, after time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ShuttingDown() || q.order.raise(item, priority) {
		return
	}
	until := time.Now().Add(after)
	if d := q.delayed[item]; d != nil {
		d.timer.Stop()
		priority = max(priority, d.priority)
		if d.until.Before(until) {
			until = d.until
		}
	}
	d := &delay{until: until, priority: priority}
	d.timer = time.AfterFunc(time.Until(until), func() { q.over(item, d) })
	q.delayed[item] = d
}

// over ends the delay of an item, unless something else has ended it.
func (q *Queue[T]) over(item T, d *delay) {
	q.mu.Lock()
	current := q.delayed[item] == d
	q.mu.Unlock()
	if current {
		q.addNow(item, d.priority)
	}
}

// Add implements workqueue.TypedInterface, with the priority 0.
func (q *Queue[T]) Add(item T) { q.AddWithOpts(priorityqueue.AddOpts{}, item) }

// AddAfter implements workqueue.TypedDelayingInterface.
func (q *Queue[T]) AddAfter(item T, after time.Duration) {
	q.AddWithOpts(priorityqueue.AddOpts{After: after}, item)
}

// AddRateLimited implements workqueue.TypedRateLimitingInterface.
func (q *Queue[T]) AddRateLimited(item T) {
	q.AddWithOpts(priorityqueue.AddOpts{RateLimited: true}, item)
}

// Forget implements workqueue.TypedRateLimitingInterface.
func (q *Queue[T]) Forget(item T) { q.opts.RateLimiter.Forget(item) }

// NumRequeues implements workqueue.TypedRateLimitingInterface.
func (q *Queue[T]) NumRequeues(item T) int { return q.opts.RateLimiter.NumRequeues(item) }

// Get implements workqueue.TypedInterface. The work queue wakes somebody when an item comes, but not when one that waits becomes urgent, or may
// be handed out because of what has ended: so it is asked only once it has one.
func (q *Queue[T]) Get() (item T, shutdown bool) {
	q.getting <- struct{}{}
	defer func() { <-q.getting }()
	q.order.await()
	return q.TypedInterface.Get()
}

// GetWithPriority implements priorityqueue.PriorityQueue.
func (q *Queue[T]) GetWithPriority() (item T, priority int, shutdown bool) {
	item, shutdown = q.Get()
	return item, q.order.workedOn(item), shutdown
}

// Done implements workqueue.TypedInterface.
func (q *Queue[T]) Done(item T) {
	q.order.done(item)
	q.TypedInterface.Done(item)
}

// Len is how many items wait to be worked on, whether they may be now or not; without those that are delayed.
func (q *Queue[T]) Len() int { return q.order.waiting() }

// ShutDown implements workqueue.TypedInterface. What waits is not handed out any more.
func (q *Queue[T]) ShutDown() {
	q.order.stop()
	q.TypedInterface.ShutDown()
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, d := range q.delayed {
		d.timer.Stop()
	}
	clear(q.delayed)
}

// ShutDownWithDrain implements workqueue.TypedInterface. It waits for what is worked on.
func (q *Queue[T]) ShutDownWithDrain() {
	q.order.stop()
	q.TypedInterface.ShutDownWithDrain()
	q.ShutDown()
}
