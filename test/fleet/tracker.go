package main

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// key names an object.
type key struct {
	kind reflect.Type
	client.ObjectKey
}

func keyOf(obj v1alpha1.Object) key {
	return key{reflect.TypeOf(obj), client.ObjectKeyFromObject(obj)}
}

// seen is what the watch has shown of an object.
type seen struct {
	generation int64
	// ready is the newest generation that was Ready, if it still is.
	ready   int64
	version string
	// stored is how often it was, as far as the watch shows.
	stored int
	// conditions are their statuses by type.
	conditions map[string]metav1.ConditionStatus
}

// tracker watches all manifests, as a tool that waits for them does.
type tracker struct {
	mu      sync.Mutex
	objects map[key]seen
	ready   int
	last    time.Time
	// flips counts changes of conditions.
	flips   int
	waiters map[key]waiter
}

// waiter is told once a generation was seen.
type waiter struct {
	generation int64
	done       chan time.Time
}

// startTracker watches until the context ends, and returns once everything there is was seen.
func startTracker(ctx context.Context, config *rest.Config, scheme *runtime.Scheme) (*tracker, error) {
	t := &tracker{objects: map[key]seen{}, waiters: map[key]waiter{}}
	watch, err := cache.New(config, cache.Options{Scheme: scheme, DefaultTransform: onlyWhatIsTracked})
	if err != nil {
		return nil, err
	}
	var told []toolscache.InformerSynced
	for _, obj := range []v1alpha1.Object{&v1alpha1.Bucket{}, &v1alpha1.Topic{}, &v1alpha1.ServiceAccount{}, &v1alpha1.ProjectPolicy{}} {
		informer, err := watch.GetInformer(ctx, obj, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, err
		}
		handler, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { t.note(obj.(v1alpha1.Object)) },
			UpdateFunc: func(_, obj any) { t.note(obj.(v1alpha1.Object)) },
		})
		if err != nil {
			return nil, err
		}
		told = append(told, handler.HasSynced) // the cache itself is in sync before its handlers have heard of all
	}
	go func() { _ = watch.Start(ctx) }() // ends with the context
	if !toolscache.WaitForCacheSync(ctx.Done(), told...) {
		return nil, fmt.Errorf("watching the manifests: %w", context.Cause(ctx))
	}
	return t, nil
}

// onlyWhatIsTracked keeps the watch small.
func onlyWhatIsTracked(in any) (any, error) {
	obj, ours := in.(v1alpha1.Object)
	if !ours {
		return in, nil
	}
	kept := reflect.New(reflect.TypeOf(obj).Elem()).Interface().(v1alpha1.Object)
	kept.SetNamespace(obj.GetNamespace())
	kept.SetName(obj.GetName())
	kept.SetGeneration(obj.GetGeneration())
	kept.SetResourceVersion(obj.GetResourceVersion())
	kept.GetCommonStatus().Conditions = obj.GetCommonStatus().Conditions
	return kept, nil
}

func (t *tracker) note(obj v1alpha1.Object) {
	now := time.Now()
	is := seen{generation: obj.GetGeneration(), version: obj.GetResourceVersion(), stored: 1, conditions: map[string]metav1.ConditionStatus{}}
	for _, c := range obj.GetCommonStatus().Conditions {
		is.conditions[c.Type] = c.Status
		if c.Type == v1alpha1.ConditionReady && c.Status == metav1.ConditionTrue && c.ObservedGeneration == obj.GetGeneration() {
			is.ready = c.ObservedGeneration
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	k := keyOf(obj)
	was, known := t.objects[k]
	if is.stored += was.stored; is.version == was.version { // the watch began anew
		is.stored = was.stored
	}
	if known && !maps.Equal(was.conditions, is.conditions) {
		t.flips++
	}
	if is.ready > 0 && was.ready == 0 {
		t.ready++
		t.last = now
	}
	if is.ready == 0 && was.ready > 0 {
		t.ready--
	}
	t.objects[k] = is
	if w, waits := t.waiters[k]; waits && is.generation >= w.generation {
		delete(t.waiters, k)
		w.done <- now
	}
}

// counts returns how many objects there are and are Ready, and when the last one came to be.
func (t *tracker) counts() (all, ready int, last time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.objects), t.ready, t.last
}

// hears returns a channel that tells when the watch has shown a generation of an object.
func (t *tracker) hears(obj v1alpha1.Object) <-chan time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	done := make(chan time.Time, 1)
	if t.objects[keyOf(obj)].generation >= obj.GetGeneration() {
		done <- time.Now()
		return done
	}
	t.waiters[keyOf(obj)] = waiter{obj.GetGeneration(), done}
	return done
}

// behind counts the objects that are not Ready yet with the generations that they should have.
func (t *tracker) behind(want map[key]int64) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for k, generation := range want {
		if t.objects[k].ready < generation {
			n++
		}
	}
	return n
}

// snapshot returns what is known, and begins to count changes of conditions anew.
func (t *tracker) snapshot() map[key]seen {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flips = 0
	return maps.Clone(t.objects)
}

// since counts what has changed since a snapshot: objects that were stored again, and changes of conditions on the way.
func (t *tracker) since(before map[key]seen) (stored, flips int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, is := range t.objects {
		if before[k].version != is.version {
			stored++
		}
	}
	return stored, t.flips
}

// stored counts how often some objects were stored.
func (t *tracker) stored(objects []v1alpha1.Object) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, obj := range objects {
		n += t.objects[keyOf(obj)].stored
	}
	return n
}
