package engine

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

var three = time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)

var orders = kind.Ref{Project: "shop", ID: "orders"}

func at(seconds int) time.Time { return three.Add(time.Duration(seconds) * time.Second) }

func TestWriteLog(t *testing.T) {
	answered := &writeMark{name: "updating the topic", began: at(100), ended: at(101)}
	earlier := &writeMark{name: "updating the topic", began: at(99), ended: at(100)}
	unknown := &writeMark{name: "updating the topic", began: at(100), ended: at(101), unknown: true}
	const old, young = -60, 60 // when the object was created; the process began at 0
	const asked, replied = "2026-03-01T03:01:40Z", "2026-03-01T03:01:41Z"
	cases := map[string]struct {
		created, now int
		mark         *writeMark
		since        string
		predecessor  bool
		inFlight     time.Time
	}{
		"nothing written, the process runs for long":         {created: old, now: 200},
		"nothing written, and the process has just begun":    {created: old, now: 10, predecessor: true, inFlight: at(30)},
		"created since the process began":                    {created: 5, now: 10},
		"a write that was answered":                          {created: young, now: 102, mark: answered, since: "updating the topic: passed the gate " + asked + ", answered " + replied},
		"a write that had ended before":                      {created: young, now: 102, mark: earlier},
		"a write without an answer":                          {created: young, now: 120, mark: unknown, since: "updating the topic: passed the gate " + asked + ", not answered by " + replied, inFlight: at(131)},
		"a write without an answer that is over by all odds": {created: young, now: 131, mark: unknown, since: "updating the topic: passed the gate " + asked + ", not answered by " + replied},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWriteLog(30*time.Second, false)
			w.begin(at(0))
			w.begin(at(3))
			obj := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{UID: "1", CreationTimestamp: metav1.NewTime(at(tc.created))}}
			obj.Status.ExternalName = "//pubsub.googleapis.com/projects/shop/topics/orders"
			if tc.mark != nil {
				w.note(orders, *tc.mark)
			}
			if got := w.since(orders, at(101)); got != tc.since {
				t.Errorf("the write since is %q, want %q", got, tc.since)
			}
			if got := w.ofOthers(obj, move{}, at(tc.now)); (got != "") != tc.predecessor {
				t.Errorf("of the process before: %q, want some: %v", got, tc.predecessor)
			}
			if got := w.inFlight(obj, orders, false, move{}, at(tc.now)); !got.until.Equal(tc.inFlight) || got.name != "" {
				t.Errorf("in flight is %v, want until %v", got, tc.inFlight)
			}
		})
	}
}

// newWriteLogOf is the log of a process that has just begun.
func newWriteLogOf(recorded bool) *writeLog {
	w := newWriteLog(30*time.Second, recorded)
	w.begin(at(0))
	return w
}

// TestNothingCanBeUnderWayForWhatWasNeverWritten: before the first write the finalizer is there, though it proves none.
func TestNothingCanBeUnderWayForWhatWasNeverWritten(t *testing.T) {
	w := newWriteLog(30*time.Second, false)
	w.begin(at(0))
	obj := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{UID: "1", CreationTimestamp: metav1.NewTime(at(-60)), Finalizers: []string{v1alpha1.Finalizer}}}
	if inFlight := w.inFlight(obj, orders, false, move{}, at(1)); !inFlight.until.Equal(at(30)) {
		t.Errorf("with the finalizer, in flight is %v", inFlight)
	}
	if inFlight := newWriteLogOf(true).inFlight(obj, orders, false, move{}, at(1)); inFlight != (flight{}) {
		t.Errorf("with the finalizer, of a kind whose writes are recorded before, in flight is %v", inFlight)
	}
	obj.Finalizers = nil
	if of, inFlight := w.ofOthers(obj, move{}, at(1)), w.inFlight(obj, orders, false, move{}, at(1)); of != "" || inFlight != (flight{}) {
		t.Errorf("of the process before: %q, in flight is %v", of, inFlight)
	}
	if inFlight := w.inFlight(obj, orders, true, move{}, at(1)); !inFlight.until.Equal(at(30)) {
		t.Errorf("in flight for another manifest of the resource is %v", inFlight)
	}
}

// TestAMoveLeavesAWriteOfAnotherShardUnderWay: what this process knows of an object, which is young or was never written by it, says nothing
// about the process of the other shard.
func TestAMoveLeavesAWriteOfAnotherShardUnderWay(t *testing.T) {
	moved := move{at: at(1000), over: at(1060)}
	written := "//pubsub.googleapis.com/projects/shop/topics/orders"
	for name, tc := range map[string]struct {
		created  int
		external string
		recorded bool
	}{
		"written, and this process runs for long":                   {created: -60, external: written},
		"created since this process began":                          {created: 60, external: written},
		"never written":                                             {created: 60},
		"never written, of a kind whose writes are recorded before": {created: 60, recorded: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWriteLogOf(tc.recorded)
			obj := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{UID: "1", CreationTimestamp: metav1.NewTime(at(tc.created))}}
			obj.Status.ExternalName = tc.external
			for _, now := range []int{1000, 1059, 1089} {
				if of, got := w.ofOthers(obj, moved, at(now)), w.inFlight(obj, orders, false, moved, at(now)); of == "" || !got.until.Equal(at(1090)) {
					t.Errorf("at %d, of another shard: %q, in flight is %v", now, of, got)
				}
			}
			if of, got := w.ofOthers(obj, moved, at(1090)), w.inFlight(obj, orders, false, moved, at(1090)); of != "" || got != (flight{}) {
				t.Errorf("when it is over, of another shard: %q, in flight is %v", of, got)
			}
		})
	}
}

// TestAWriteOfAnotherManifestIsInFlight until the last of those has ended that were going on.
func TestAWriteOfAnotherManifestIsInFlight(t *testing.T) {
	w := newWriteLog(30*time.Second, false)
	other := kind.Ref{Project: "shop", ID: "other"}
	obj := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{UID: "2", CreationTimestamp: metav1.NewTime(at(60))}}
	underWay := func(ref kind.Ref) string { return w.inFlight(obj, ref, true, move{}, at(100)).name }
	first, second := w.enter(orders, "updating the topic"), w.enter(orders, "setting the IAM policy of the topic")
	if underWay(orders) == "" || underWay(other) != "" {
		t.Errorf("in flight are %q, and on another resource %q", underWay(orders), underWay(other))
	}
	first()
	if got := underWay(orders); got != "setting the IAM policy of the topic" {
		t.Errorf("in flight is %q", got)
	}
	second()
	if got := underWay(orders); got != "" || len(w.running) > 0 {
		t.Errorf("in flight is %q, remembered are %v", got, w.running)
	}
}

func TestWriteLogForgets(t *testing.T) {
	w := newWriteLog(30*time.Second, false)
	w.note(kind.Ref{ID: "1"}, writeMark{ended: at(0)})
	w.note(kind.Ref{ID: "2"}, writeMark{ended: at(100)})
	w.note(kind.Ref{ID: "3"}, writeMark{ended: at(121)})
	if len(w.last) != 2 {
		t.Errorf("%d writes are remembered, want the last two: %v", len(w.last), w.last)
	}
}

// BenchmarkWriteLog notes the writes of a mass change: a thousand a second, to resources of their own. What one takes must not depend on how
// many came before.
func BenchmarkWriteLog(b *testing.B) {
	w, refs := newWriteLog(30*time.Second, false), make([]kind.Ref, 50_000)
	for i := range refs {
		refs[i] = kind.Ref{Project: "shop", ID: fmt.Sprint(i)}
	}
	now := three
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		now = now.Add(time.Millisecond)
		w.note(refs[i%len(refs)], writeMark{name: "updating the topic", began: now, ended: now})
	}
}

// TestAnAnswerSaysNothingOfTheWriteBeforeIt: what was not answered may still be carried out, whatever was written since.
func TestAnAnswerSaysNothingOfTheWriteBeforeIt(t *testing.T) {
	w := newWriteLog(30*time.Second, false)
	obj := shopTopic()
	w.note(orders, writeMark{name: "creating", ended: at(0), unknown: true})
	w.note(orders, writeMark{name: "updating", ended: at(10)})
	for second, want := range map[int]flight{29: {until: at(30)}, 30: {}} {
		if got := w.inFlight(obj, orders, false, move{}, at(second)); got != want {
			t.Errorf("after %d s: %+v, want %+v", second, got, want)
		}
	}
	w.note(orders, writeMark{name: "updating", ended: at(20), unknown: true})
	if over := w.unansweredUntil(obj, orders, false, move{}); over != at(50) {
		t.Errorf("over at %s, want %s", over, at(50))
	}
}
