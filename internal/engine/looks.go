package engine

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/holdfast-dev/holdfast/internal/inventory"
)

// looks lets those who learn that a resource may have changed ask for a look at it.
type looks struct {
	inventory *inventory.Inventory
	of        map[string]*Reconciler // by kind.Kind.Kind
}

// request asks for a look at a resource, by the kind of its manifests ("Bucket"), the ID of its project and its Ref.ID: each manifest of it
// reads it soon, after what people wait for. declared is false where no manifest of it is known, or nobody reconciles the kind.
func (l *looks) request(ctx context.Context, kind, project, id string) (declared bool, err error) {
	r, ok := l.of[kind]
	if !ok {
		return false, nil
	}
	manifests, err := l.inventory.Declaring(ctx, r.kind, project, id)
	for _, obj := range manifests {
		r.due.ask(client.ObjectKeyFromObject(obj), 0)
	}
	return len(manifests) > 0, err
}

// heldBack asks for a look at each manifest that a survey has found on hold in a namespace that is not on hold any more.
func (l *looks) heldBack(found *survey, free func(namespace string) bool) {
	for kind, names := range found.held {
		for _, name := range names {
			if free(name.Namespace) {
				l.of[kind].due.ask(name, 0)
			}
		}
	}
}

// dues are when the objects of a kind are to be looked at in Google Cloud, whatever their status says. An object that is not among them is
// looked at only if its status does not say that it is settled. They are not worth storing: whoever asked asks again.
//
// The queue merges requests and forgets why they were made; this does not.
type dues struct {
	now func() time.Time

	mu    sync.Mutex
	at    map[types.NamespacedName]time.Time
	queue priorityqueue.PriorityQueue[reconcile.Request] // nil until the controller has one
}

func newDues(now func() time.Time) *dues {
	return &dues{now: now, at: map[types.NamespacedName]time.Time{}}
}

// source hands over the controller's queue.
func (d *dues) source() source.Source {
	return source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.queue = queue.(priorityqueue.PriorityQueue[reconcile.Request])
		return nil
	})
}

// ask makes an object be looked at after a time, when nobody waits for anything else.
func (d *dues) ask(name types.NamespacedName, after time.Duration) {
	d.set(name, after)
	d.mu.Lock()
	queue := d.queue
	d.mu.Unlock()
	if queue != nil { // otherwise all objects are still to be reconciled
		low := handler.LowPriority
		queue.AddWithOpts(priorityqueue.AddOpts{After: after, Priority: &low}, reconcile.Request{NamespacedName: name})
	}
}

// set says that an object is to be looked at after a time at the latest: somebody reconciles it then.
func (d *dues) set(name types.NamespacedName, after time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := d.now().Add(after)
	if before, ok := d.at[name]; !ok || at.Before(before) {
		d.at[name] = at
	}
}

// left is how long it is until an object is to be looked at; ok is false if nobody has asked for that.
func (d *dues) left(name types.NamespacedName) (left time.Duration, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, ok := d.at[name]
	return at.Sub(d.now()), ok
}

// isDue says whether an object is to be looked at now.
func (d *dues) isDue(name types.NamespacedName) bool {
	left, ok := d.left(name)
	return ok && left <= 0
}

// drop forgets an object: it is gone, or is looked at from now on. Who asks for a look later asks for another one.
func (d *dues) drop(name types.NamespacedName) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.at, name)
}
