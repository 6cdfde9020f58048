package gitops

import (
	"context"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// recorder keeps every verdict that a tool gives, in order: a poll would miss those that do not last.
type recorder struct {
	mu       sync.Mutex
	verdicts []recorded
}

// recorded is a verdict, and the resource version of the object that gave it.
type recorded struct {
	version string
	verdict verdict
}

// record begins before the tool's object exists and goes on to the end of the test.
func record(t *testing.T, w *world, tool tool) *recorder {
	t.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(tool.watched().GroupVersionKind())
	ctx, cancel := context.WithCancel(context.Background())
	states, err := w.kube.Watch(ctx, list, client.InNamespace(tool.watched().GetNamespace()), client.MatchingFields{"metadata.name": tool.watched().GetName()})
	if err != nil {
		t.Fatalf("watching %s: %v", tool, err)
	}
	r, done := &recorder{}, make(chan struct{})
	go func() {
		defer close(done)
		for event := range states.ResultChan() {
			if obj, ok := event.Object.(*unstructured.Unstructured); ok && event.Type != watch.Deleted {
				r.add(obj.GetResourceVersion(), tool.verdict(obj))
			}
		}
	}()
	t.Cleanup(func() { cancel(); states.Stop(); <-done })
	return r
}

func (r *recorder) add(version string, v verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verdicts = append(r.verdicts, recorded{version, v})
}

// count is how many verdicts have been heard of.
func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.verdicts)
}

// since returns the verdicts after a mark, and whether the one of a resource version is among all of them.
func (r *recorder) since(mark int, version string) (verdicts []verdict, complete bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, recorded := range r.verdicts {
		if i >= mark {
			verdicts = append(verdicts, recorded.verdict)
		}
		complete = complete || recorded.version == version
	}
	return verdicts, complete
}

// mark is how many verdicts there are up to now: a watch may tell late of what anybody can read already.
func (s *scene) mark() int {
	s.t.Helper()
	return len(s.history(0))
}

// history returns all verdicts after a mark up to now.
func (s *scene) history(mark int) []verdict {
	s.t.Helper()
	obj := s.tool.watched()
	if err := s.kube.Get(s.t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
		s.t.Fatalf("getting what %s says: %v", s.tool, err)
	}
	var verdicts []verdict
	s.eventually("the record to be complete", func() (bool, string) {
		var complete bool
		verdicts, complete = s.recorder.since(mark, obj.GetResourceVersion())
		return complete, "the newest is missing"
	})
	return verdicts
}

// notYet fails the test if the tool has ever said that a commit is healthy.
func (s *scene) notYet(revision string) {
	s.t.Helper()
	for _, v := range s.history(0) {
		if v.Revision == revision && v.State == healthy {
			s.t.Errorf("%s said before the time: %s", s.tool, v)
			return
		}
	}
}

// neverBefore holds a call that a commit causes, and lets it go once the tool waits for nothing else: before that the commit
// must not be called healthy, and after it must.
func (s *scene) neverBefore(revision string, held *traffic.Breakpoint) {
	s.t.Helper()
	s.reached(held)
	s.until(revision, waiting)
	s.notYet(revision)
	held.Release()
	s.until(revision, healthy)
}
