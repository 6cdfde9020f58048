package e2e

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// beside makes the controllers of another shard, on the same API server and the same Google Cloud.
func (w *world) beside(shard string) *world {
	return &world{
		t: w.t, config: w.config, kube: w.kube, cloud: w.cloud, namespace: w.namespace, project: w.project, ownerID: w.ownerID, shard: shard,
		sweep: w.sweep, lease: &fakeLease{}, unanswered: w.unanswered, people: map[string]client.Client{},
		quotaShare: w.quotaShare, timeout: w.timeout, userAgent: "holdfast/" + shard, stop: func() {},
	}
}

// twoShards runs the controllers of the default shard, which has the world's namespace, and those of the shard eu, which has another one, bound
// to a project of its own.
func twoShards(t *testing.T) (w, eu *world, theirs string) {
	t.Helper()
	w = newWorld(t)
	w.cloud.Traffic.Record(true)
	eu = w.beside("eu")
	theirs = w.namespace + "-eu"
	w.makeNamespace(theirs, map[string]string{v1alpha1.ProjectIDAnnotation: w.project + "-eu", v1alpha1.AllowAnnotation: v1alpha1.AllowDataLoss})
	w.label(theirs, "eu")
	w.start(theirs)
	eu.start(theirs)
	return w, eu, theirs
}

// movable is an object at rest in a namespace of the default shard, and a world of the shard eu that the namespace may move to.
func movable(t *testing.T, k kind) (w, eu *world, obj v1alpha1.Object) {
	t.Helper()
	w = newWorld(t)
	eu = w.beside("eu")
	w.start()
	eu.start()
	obj = k.manifest("orders", v1alpha1.CommonSpec{})
	w.create(obj)
	w.ready(obj)
	w.settled(obj)
	return w, eu, obj
}

// label moves a namespace to a shard; empty for the default one.
func (w *world) label(namespace, shard string) {
	w.t.Helper()
	edit(w, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, func(n *corev1.Namespace) {
		delete(n.Labels, v1alpha1.ShardLabel)
		if shard != "" {
			n.Labels[v1alpha1.ShardLabel] = shard
		}
	})
}

// callers are who made calls about a project, by their user agents; of writes alone, or of all calls.
func (w *world) callers(project string, writes bool) []string {
	callers := map[string]bool{}
	for _, entry := range w.cloud.Traffic.Journal() {
		if entry.Project == project && (entry.Write || !writes) {
			agent, _, _ := strings.Cut(entry.UserAgent, " ")
			callers[agent] = true
		}
	}
	return slices.Sorted(maps.Keys(callers))
}

func (w *world) expectCallers(project string, want ...string) {
	w.t.Helper()
	if got := w.callers(project, false); !slices.Equal(got, want) {
		w.t.Errorf("calls about the project %s were made by %v, want %v", project, got, want)
	}
}

// TestShardsDoNotTouchEachOthersObjects: neither in Google Cloud nor in Kubernetes, and one that is down is none of the other's business.
func TestShardsDoNotTouchEachOthersObjects(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w, eu, theirs := twoShards(t)
		ours, other := k.manifest("orders", v1alpha1.CommonSpec{}), k.manifest("returns", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		other.SetNamespace(theirs)
		w.create(ours)
		w.create(other)
		w.ready(ours)
		w.ready(other)

		t.Log("what is done to one is the business of its shard alone")
		w.settled(ours)
		before := w.kubeWrites.Load()
		edit(w, other, func(o v1alpha1.Object) { k.team(o, "bank") })
		w.ready(other)
		w.settled(other)
		annotate(w, other, v1alpha1.BreakGlassAnnotation, incident)
		w.glass(other, metav1.ConditionTrue)
		edit(w, other, func(o v1alpha1.Object) { delete(o.GetAnnotations(), v1alpha1.BreakGlassAnnotation) })
		w.glass(other, metav1.ConditionFalse)
		if n := w.kubeWrites.Load() - before; n > 0 {
			t.Errorf("the default shard wrote %d times to Kubernetes", n)
		}

		t.Log("one that is down")
		eu.stop()
		edit(w, other, func(o v1alpha1.Object) { k.team(o, "shop") })
		edit(w, ours, func(o v1alpha1.Object) { k.team(o, "bank") })
		w.ready(ours)
		w.settled(ours)
		w.get(other)
		if is := condition(other, v1alpha1.ConditionReady); is.ObservedGeneration == other.GetGeneration() {
			t.Errorf("somebody looked at what belongs to the shard that is down:\n%s", describe(other))
		}
		eu.start(theirs)
		w.ready(other)
		w.delete(other)
		w.gone(other)
		w.expectCallers(w.project, "holdfast/test")
		w.expectCallers(w.project+"-eu", "holdfast/eu")
	})
}

// TestANamespaceMovesToAnotherShard right before a write: the gate sees it, and the other shard makes the write.
func TestANamespaceMovesToAnotherShard(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.cloud.Traffic.Record(true)
		w.turnstile = &turnstile{}
		eu := w.beside("eu")
		w.start()
		eu.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		w.settled(obj)
		w.expectCallers(w.project, "holdfast/test")
		flips := watchReady(t, w, obj)

		held := w.turnstile.stop(func(r request) bool { return namespaced.MatchString(r.path) })
		w.cloud.Traffic.ClearJournal()
		edit(w, obj, func(o v1alpha1.Object) { k.team(o, "bank") })
		select {
		case <-held.reached:
		case <-time.After(patience):
			t.Fatal("no write came to the gate")
		}
		w.label(w.namespace, "eu")
		held.goOn()
		w.ready(obj)
		if got := k.console(w).look("orders"); got.team != "bank" {
			t.Errorf("there is %+v", got)
		}
		if got := w.callers(w.project, true); !slices.Equal(got, []string{"holdfast/eu"}) {
			t.Errorf("it was written by %v", got)
		}
		if n := len(w.cloud.Traffic.WritesSince(0)); n > 1 {
			t.Errorf("%d writes for one edit", n)
		}

		t.Log("the old shard has let go of it")
		writes := w.kubeWrites.Load()
		edit(w, obj, func(o v1alpha1.Object) { k.team(o, "shop") })
		w.ready(obj)
		w.settled(obj)
		if n := w.kubeWrites.Load() - writes; n > 0 {
			t.Errorf("the shard that the namespace has left wrote %d times to Kubernetes", n)
		}
		flips.none()
	})
}

// TestANamespaceMovesToAndFroDuringEdits: whoever is responsible, each edit is applied, no write is made twice, and Ready stays.
func TestANamespaceMovesToAndFroDuringEdits(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w, _, obj := movable(t, k)
		flips := watchReady(t, w, obj)
		mark := w.cloud.Traffic.Mark()
		const edits = 12
		for i := range edits {
			w.label(w.namespace, []string{"eu", ""}[i%2])
			edit(w, obj, func(o v1alpha1.Object) { k.team(o, []string{"bank", "shop"}[i%2]) })
			<-time.After(time.Duration(i%4) * 30 * time.Millisecond)
		}
		w.ready(obj)
		w.settled(obj)
		if got := k.console(w).look("orders"); got.team != "shop" {
			t.Errorf("there is %+v", got)
		}
		if n := len(w.cloud.Traffic.WritesSince(mark)); n > edits {
			t.Errorf("%d writes for %d edits: %v", n, edits, w.cloud.Traffic.Counts())
		}
		flips.none()
	})
}

// TestAProjectBelongsToOneShard: while namespaces of two are bound to it nothing there is written, and both sides say so, without telling one
// of the other.
func TestAProjectBelongsToOneShard(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w, _, theirs := twoShards(t)
		ours, other := k.manifest("orders", v1alpha1.CommonSpec{}), k.manifest("returns", v1alpha1.CommonSpec{})
		elsewhere := k.manifest("elsewhere", v1alpha1.CommonSpec{ProjectID: w.project + "-b"})
		other.SetNamespace(theirs)
		w.editNamespace(func(n *corev1.Namespace) { n.Annotations[v1alpha1.AllowedProjectIDsAnnotation] = w.project + "-b" })
		for _, obj := range []v1alpha1.Object{ours, other, elsewhere} {
			w.create(obj)
			w.ready(obj)
		}
		rebind := func(allowed string) {
			edit(w, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: theirs}}, func(n *corev1.Namespace) {
				n.Annotations[v1alpha1.AllowedProjectIDsAnnotation] = allowed
			})
		}
		late := k.manifest("late", v1alpha1.CommonSpec{ProjectID: w.project})
		late.SetNamespace(theirs)

		rebind(w.project)
		w.reason(ours, v1alpha1.ReasonShardConflict)
		w.create(late)
		w.reason(late, v1alpha1.ReasonShardConflict)
		w.expectAdvice(ours, "kubectl label --overwrite namespace "+w.namespace+" holdfast.dev/shard=SHARD")
		for _, obj := range []v1alpha1.Object{ours, late} {
			message := condition(obj, v1alpha1.ConditionReady).Message
			for _, secret := range []string{theirs, `"eu"`} {
				if obj == ours && strings.Contains(message, secret) {
					t.Errorf("the message tells of others: %s", message)
				}
			}
		}
		calls := w.cloud.Traffic.Total()
		edit(w, ours, func(o v1alpha1.Object) { k.team(o, "bank") })
		w.reason(ours, v1alpha1.ReasonShardConflict)
		if n := w.cloud.Traffic.Total() - calls; n > 0 {
			t.Errorf("%d calls about a contested project: %v", n, w.cloud.Traffic.Counts())
		}
		w.settled(other)
		w.ready(other)
		w.settled(elsewhere)
		w.ready(elsewhere)

		t.Log("the same label for both")
		w.label(theirs, "")
		for _, obj := range []v1alpha1.Object{ours, other, elsewhere, late} {
			w.ready(obj)
		}

		t.Log("contested by a move, and no longer bound")
		w.label(theirs, "eu")
		w.reason(ours, v1alpha1.ReasonShardConflict)
		w.reason(late, v1alpha1.ReasonShardConflict)
		rebind("")
		w.ready(ours)
		w.reason(late, v1alpha1.ReasonBindingChanged)
	})
}

// TestTheGlassMovesWithItsNamespace: it is the shard of the Namespace that co-owns its glass, and the record of it stays with the objects.
func TestTheGlassMovesWithItsNamespace(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w, eu, obj := movable(t, k)
		w.editNamespace(func(n *corev1.Namespace) { n.Annotations[v1alpha1.BreakGlassAnnotation] = incident })
		w.glass(obj, metav1.ConditionTrue)
		w.settled(obj)
		since := obj.GetCommonStatus().BreakGlass.Since
		if n := eu.kubeWrites.Load(); n > 0 {
			t.Errorf("the other shard wrote %d times to Kubernetes", n)
		}
		w.label(w.namespace, "eu")
		edit(w, obj, func(o v1alpha1.Object) { k.team(o, "bank") })
		w.reason(obj, v1alpha1.ReasonBreakGlass)
		w.glass(obj, metav1.ConditionTrue)
		if is := obj.GetCommonStatus().BreakGlass; !is.Since.Equal(&since) {
			t.Errorf("the glass is broken since %v, it was %v", is.Since, since)
		}
		before := w.kubeWrites.Load()
		w.editNamespace(func(n *corev1.Namespace) { delete(n.Annotations, v1alpha1.BreakGlassAnnotation) })
		w.glass(obj, metav1.ConditionFalse)
		w.ready(obj)
		if history := obj.GetCommonStatus().BreakGlassHistory; len(history) != 1 {
			t.Errorf("on record: %+v", history)
		}
		if n := w.kubeWrites.Load() - before; n > 0 {
			t.Errorf("the shard that the namespace has left wrote %d times to Kubernetes", n)
		}
	})
}

// readyWatch remembers the states in which an object was not Ready.
type readyWatch struct {
	t      *testing.T
	mu     sync.Mutex
	states []string
	stop   func()
}

// watchReady looks at all states of an object from now on.
func watchReady(t *testing.T, w *world, obj v1alpha1.Object) *readyWatch {
	t.Helper()
	kube, err := client.NewWithWatch(w.config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	gvks, _, err := scheme.ObjectKinds(obj)
	if err != nil {
		t.Fatal(err)
	}
	list, err := scheme.New(gvks[0].GroupVersion().WithKind(gvks[0].Kind + "List"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	states, err := kube.Watch(ctx, list.(client.ObjectList), client.InNamespace(obj.GetNamespace()))
	if err != nil {
		t.Fatal(err)
	}
	r, ended, name := &readyWatch{t: t}, make(chan struct{}), obj.GetName() // the test goes on with the object
	r.stop = sync.OnceFunc(func() { cancel(); states.Stop(); <-ended })
	t.Cleanup(r.stop)
	go func() {
		defer close(ended)
		for event := range states.ResultChan() {
			if seen, ok := event.Object.(v1alpha1.Object); ok && event.Type != watch.Deleted && seen.GetName() == name {
				if is := condition(seen, v1alpha1.ConditionReady); is == nil || is.Status != metav1.ConditionTrue {
					r.mu.Lock()
					r.states = append(r.states, describe(seen))
					r.mu.Unlock()
				}
			}
		}
	}()
	return r
}

// none fails the test if the object was not Ready at any time.
func (r *readyWatch) none() {
	r.t.Helper()
	r.stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.states) > 0 {
		r.t.Errorf("not Ready %d times, first:\n%s", len(r.states), r.states[0])
	}
}

// TestAnEmptyingMovesWithItsNamespace: the shard that it leaves ends with the batch that is under way, and the other one deletes what is left.
func TestAnEmptyingMovesWithItsNamespace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cloud.Traffic.Record(true)
	eu := w.beside("eu")
	w.start()
	eu.start()
	bucket := fullBucket(w, 130)
	deleting := w.cloud.Traffic.Pause(call("objects.delete"))
	w.delete(bucket)
	w.reached(deleting)
	w.label(w.namespace, "eu")
	w.cloud.Traffic.ClearJournal()
	deleting.Release()
	w.gone(bucket)
	if _, there := w.liveBucket("logs"); there {
		t.Error("the bucket is still there")
	}
	by := map[string]int{}
	for _, entry := range w.cloud.Traffic.Journal() {
		if entry.Method == "objects.delete" {
			agent, _, _ := strings.Cut(entry.UserAgent, " ")
			by[agent]++
		}
	}
	if by["holdfast/test"] > 100 || by["holdfast/eu"] < 130 {
		t.Errorf("objects were deleted, after the move, by %v", by)
	}
}
