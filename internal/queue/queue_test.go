package queue

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/util/workqueue"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"

	"github.com/holdfast-dev/holdfast/internal/fair"
)

// newTestQueue is a queue of items that begin with their namespace and project, and end with their editor if they have four parts.
func newTestQueue(workers int) *Queue[string] {
	return New(Options[string]{
		Workers: workers,
		Tenant: func(item string) fair.Tenant {
			parts := strings.Split(item, "/")
			of := fair.Tenant{Namespace: parts[0], Project: parts[1]}
			if len(parts) == 4 {
				of.Editor = parts[3]
			}
			return of
		},
		RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[string](time.Second, time.Minute),
	})
}

// drain takes and finishes what is handed out now.
func drain(q *Queue[string]) []string {
	var out []string
	for q.order.Len() > 0 {
		item, priority, _ := q.GetWithPriority()
		out = append(out, fmt.Sprintf("%s %d", item, priority))
		q.Done(item)
	}
	return out
}

func add(q *Queue[string], priority int, after time.Duration, items ...string) {
	q.AddWithOpts(priorityqueue.AddOpts{Priority: &priority, After: after}, items...)
}

func TestQueueOrder(t *testing.T) {
	cases := map[string]struct {
		add  func(q *Queue[string])
		want []string
	}{
		"in turns of as many as may be worked on at the same time": {
			func(q *Queue[string]) {
				add(q, 0, 0, "a/p/1", "a/p/2", "a/p/3", "a/p/4", "a/p/5", "a/p/6", "b/q/1", "b/q/2", "b/q/3")
			},
			[]string{"a/p/1 0", "a/p/2 0", "a/p/3 0", "a/p/4 0", "a/p/5 0", "b/q/1 0", "b/q/2 0", "b/q/3 0", "a/p/6 0"},
		},
		"one of who asks for little comes first in each turn": {
			func(q *Queue[string]) {
				add(q, 0, 0, "a/p/1", "a/p/2", "a/p/3", "b/q/1", "b/q/2", "b/q/3", "c/r/1", "d/s/1", "d/s/2")
			},
			[]string{"c/r/1 0", "a/p/1 0", "d/s/1 0", "a/p/2 0", "a/p/3 0", "b/q/1 0", "d/s/2 0", "b/q/2 0", "b/q/3 0"},
		},
		"what is more important first": {
			func(q *Queue[string]) { add(q, -100, 0, "a/p/1"); add(q, 0, 0, "a/p/2"); add(q, 100, 0, "a/p/3") },
			[]string{"a/p/3 100", "a/p/2 0", "a/p/1 -100"},
		},
		"raised": {
			func(q *Queue[string]) {
				add(q, 0, 0, "a/p/1", "a/p/2")
				add(q, 100, 0, "a/p/2")
				add(q, -100, 0, "a/p/2")
			},
			[]string{"a/p/2 100", "a/p/1 0"},
		},
		"raised by what would come later": {
			func(q *Queue[string]) { add(q, 0, 0, "a/p/1", "a/p/2"); add(q, 100, time.Hour, "a/p/2") },
			[]string{"a/p/2 100", "a/p/1 0"},
		},
		"later": {func(q *Queue[string]) { add(q, 0, time.Hour, "a/p/1") }, nil},
		"later and now": {
			func(q *Queue[string]) { add(q, 7, time.Hour, "a/p/1"); add(q, 0, 0, "a/p/1") }, []string{"a/p/1 7"},
		},
		"after that time": {
			func(q *Queue[string]) { add(q, 0, time.Hour, "a/p/1"); <-time.After(61 * time.Minute) }, []string{"a/p/1 0"},
		},
		"after the shortest": {
			func(q *Queue[string]) {
				add(q, 0, time.Hour, "a/p/1")
				add(q, 1, time.Minute, "a/p/1")
				add(q, 0, time.Hour, "a/p/1")
				<-time.After(2 * time.Minute)
			},
			[]string{"a/p/1 1"},
		},
		"with growing pauses": {
			func(q *Queue[string]) {
				q.AddRateLimited("a/p/1")
				<-time.After(1100 * time.Millisecond)
				drain(q)
				q.AddRateLimited("a/p/1")
				<-time.After(1100 * time.Millisecond)
			},
			nil,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newTestQueue(10)
				defer q.ShutDown()
				tc.add(q)
				synctest.Wait()
				if diff := cmp.Diff(tc.want, drain(q)); diff != "" {
					t.Errorf("handed out (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestAPersonComesBeforeATool: a person's edit is handed out within two turns, though a tool has changed something in each of 1,000 projects.
func TestAPersonComesBeforeATool(t *testing.T) {
	const workers = 16
	const turn = (workers + 1) / 2
	cases := map[string]struct {
		each   int // what the tool changes of each project
		served int // before the person edits
		edits  []string
		last   int // how many are handed out until the last of those, at most
	}{
		"a little everywhere":          {1, 0, []string{"ada/a/1/person"}, 2},
		"when some are done":           {2, 101, []string{"ada/a/1/person"}, turn + 1},
		"a lot everywhere":             {20, 3, []string{"ada/a/1/person"}, 2 * turn},
		"in a project that it changes": {20, 3, []string{"tool-7/p-7/1/person"}, 2 * turn},
		"two edits":                    {1, 0, []string{"ada/a/1/person", "ada/a/2/person"}, 4},
		"of two people":                {1, 0, []string{"ada/a/1/person", "bob/b/1/person"}, 4},
		"without a name":               {1, 0, []string{"ada/a/1"}, 2},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			q := newTestQueue(workers)
			defer q.ShutDown()
			next := func() string { item, _ := q.Get(); q.Done(item); return item }
			for project := range 1000 {
				for i := range tc.each {
					add(q, 0, 0, fmt.Sprintf("tool-%d/p-%d/%d/tool", project, project, i))
				}
			}
			for range tc.served {
				next()
			}
			add(q, 0, 0, tc.edits...)
			waiting := slices.Clone(tc.edits)
			for range tc.last {
				item := next()
				waiting = slices.DeleteFunc(waiting, func(one string) bool { return one == item })
			}
			if len(waiting) > 0 {
				t.Errorf("when %d are handed out, %v wait", tc.last, waiting)
			}
		})
	}
}

func orTool(editor string) string {
	if editor == "" {
		return "tool"
	}
	return editor
}

// TestWhoCorrectsAMassChangeDoesNotWaitWithIt: what waits since a tool changed it is handed out within two turns once a person has edited it; and
// what waits since a person edited it keeps its place when a tool changes it.
func TestWhoCorrectsAMassChangeDoesNotWaitWithIt(t *testing.T) {
	const projects = 100
	last := fmt.Sprintf("tool-%d/p-%d/0", projects-1, projects-1)
	cases := map[string]struct {
		first, then string
		most        int
	}{
		"a person after the tool": {"tool", "person", 2},
		"the tool after a person": {"person", "tool", 2},
		"the tool again":          {"tool", "tool", projects},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			editors := map[string]string{last: tc.first}
			q := New(Options[string]{Workers: 16, Tenant: func(item string) fair.Tenant {
				parts := strings.Split(item, "/")
				return fair.Tenant{Namespace: parts[0], Project: parts[1], Editor: orTool(editors[item])}
			}})
			defer q.ShutDown()
			for project := range projects {
				add(q, 0, 0, fmt.Sprintf("tool-%d/p-%d/0", project, project))
			}
			editors[last] = tc.then
			add(q, 0, 0, last)
			all := 0
			for q.Len() > 0 {
				item, _ := q.Get()
				q.Done(item)
				all++
				if item == last && (all > tc.most || tc.most == projects && all < projects) {
					t.Errorf("handed out as the %d., want %d", all, tc.most)
				}
			}
			if all != projects {
				t.Errorf("%d are handed out, want %d", all, projects)
			}
		})
	}
}

// TestARaisedItemLeavesItsEditorsLine: what becomes urgent is handed out once, whoever edits.
func TestARaisedItemLeavesItsEditorsLine(t *testing.T) {
	q := newTestQueue(10)
	defer q.ShutDown()
	add(q, 0, 0, "a/p/1/tool", "a/p/2/ada", "a/p/3/tool")
	add(q, Urgent, 0, "a/p/3/tool")
	if diff := cmp.Diff([]string{"a/p/3/tool 100", "a/p/1/tool 0", "a/p/2/ada 0"}, drain(q)); diff != "" {
		t.Errorf("handed out (-want +got):\n%s", diff)
	}
}

// A tenant whose work takes long leaves workers to others, and everybody leaves some to what is urgent.
func TestQueueLeavesWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newTestQueue(4)
		defer q.ShutDown()
		var mu sync.Mutex
		var got []string
		for range 6 {
			go func() {
				item, _ := q.Get()
				mu.Lock()
				defer mu.Unlock()
				got = append(got, item)
			}()
		}
		step := func(name string, want []string, priority int, items ...string) {
			t.Helper()
			got = nil
			add(q, priority, 0, items...)
			synctest.Wait()
			if diff := cmp.Diff(len(want), len(got)); diff != "" {
				t.Errorf("%s: handed out %v", name, got)
			}
		}
		step("one namespace", []string{"", ""}, 0, "a/p1/1", "a/p2/2", "a/p3/3")
		step("a project of two namespaces", []string{"", ""}, 0, "b/q/1", "c/q/2", "d/q/3")
		step("another", nil, 0, "e/r/1")
		step("what is urgent", []string{"", ""}, Urgent, "a/p1/4", "e/r/2")
		q.Done("a/p1/1")
		if item, _ := q.Get(); item != "a/p3/3" { // who asks for little, and has waited the longest
			t.Errorf("when one is done: %q", item)
		}
		q.Done("a/p3/3")
		if item, _ := q.Get(); item != "e/r/1" { // whose namespace has had none
			t.Errorf("when another one is done: %q", item)
		}
	})
}

// TestWhoWaitsIsWoken: workers that wait hear of what is handed out now though it is not new.
func TestWhoWaitsIsWoken(t *testing.T) {
	for name, free := range map[string]func(q *Queue[string]){
		"it becomes urgent":           func(q *Queue[string]) { add(q, Urgent, 0, "a/p/2") },
		"it is to be urgent later":    func(q *Queue[string]) { add(q, Urgent, time.Hour, "a/p/2") },
		"another one has been worked": func(q *Queue[string]) { q.Done("a/p/1") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newTestQueue(2)
				defer q.ShutDown()
				add(q, 0, 0, "a/p/1")
				q.Get()
				got := make(chan string, 2)
				for range 2 {
					go func() { item, _ := q.Get(); got <- item }()
				}
				add(q, 0, 0, "a/p/2")
				synctest.Wait()
				if len(got) > 0 {
					t.Fatalf("handed out is %s, beside another one of its namespace", <-got)
				}
				free(q)
				synctest.Wait()
				if len(got) != 1 {
					t.Errorf("%d workers are woken", len(got))
				}
			})
		})
	}
}

func TestQueueShutsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newTestQueue(1)
		add(q, 0, 0, "a/p/1", "a/p/2")
		add(q, 0, time.Hour, "a/p/3")
		q.Get()
		done := make(chan bool)
		go func() { _, shutdown := q.Get(); done <- shutdown }()
		synctest.Wait()
		q.ShutDown()
		if !<-done || !q.ShuttingDown() {
			t.Error("who waits for work is not told")
		}
		add(q, 0, time.Hour, "a/p/4")
		q.Add("a/p/5")
		if _, shutdown := q.Get(); !shutdown {
			t.Error("work is handed out after the end")
		}
	})
}

// Whatever workers and others do at the same time, no item is worked on twice at once, and each is worked on after it was last added.
func TestQueueProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const workers, reserved = 3, 2
		q := newTestQueue(workers)
		var items []string
		for _, namespace := range []string{"a", "b", "c"} {
			for i := range rapid.IntRange(1, 4).Draw(t, "items") {
				items = append(items, fmt.Sprintf("%s/p%d/%d", namespace, i%2, i))
			}
		}
		added, seen, at := make(map[string]*atomic.Int64), make(map[string]*atomic.Int64), make(map[string]*atomic.Int64)
		for _, item := range items {
			added[item], seen[item], at[item] = &atomic.Int64{}, &atomic.Int64{}, &atomic.Int64{}
		}
		var group sync.WaitGroup
		for range workers + reserved {
			group.Go(func() {
				for {
					item, _, shutdown := q.GetWithPriority()
					if shutdown {
						return
					}
					if at[item].Add(1) != 1 {
						t.Errorf("%s is worked on twice at once", item)
					}
					seen[item].Store(added[item].Load())
					at[item].Add(-1)
					q.Done(item)
				}
			})
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			item := rapid.SampledFrom(items).Draw(t, "item")
			added[item].Add(1)
			after := time.Duration(rapid.IntRange(0, 2).Draw(t, "after")) * 100 * time.Microsecond
			add(q, rapid.SampledFrom([]int{-100, 0, Urgent}).Draw(t, "priority"), after, item)
		}
		deadline := time.Now().Add(10 * time.Second)
		for _, item := range items {
			for seen[item].Load() != added[item].Load() && time.Now().Before(deadline) {
				<-time.After(50 * time.Microsecond)
			}
			if s, a := seen[item].Load(), added[item].Load(); s != a {
				t.Errorf("%s was added %d times, and last worked on after the %d.", item, a, s)
			}
		}
		q.ShutDown()
		group.Wait()
	})
}
