package engine

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

var three = time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)

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
			w := newWriteLog(30 * time.Second)
			w.begin(at(0))
			w.begin(at(3))
			obj := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{UID: "1", CreationTimestamp: metav1.NewTime(at(tc.created))}}
			obj.Status.ExternalName = "//pubsub.googleapis.com/projects/shop/topics/orders"
			if tc.mark != nil {
				w.note("1", *tc.mark)
			}
			if got := w.since("1", at(101)); got != tc.since {
				t.Errorf("the write since is %q, want %q", got, tc.since)
			}
			if got := w.ofPredecessor(obj, at(tc.now)); (got != "") != tc.predecessor {
				t.Errorf("of the process before: %q, want some: %v", got, tc.predecessor)
			}
			if got := w.inFlight(obj, at(tc.now)); !got.Equal(tc.inFlight) {
				t.Errorf("in flight until %v, want %v", got, tc.inFlight)
			}
		})
	}
}

func TestNothingCanBeUnderWayForWhatWasNeverWritten(t *testing.T) {
	w := newWriteLog(30 * time.Second)
	w.begin(at(0))
	obj := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{UID: "1", CreationTimestamp: metav1.NewTime(at(-60))}}
	if of, inFlight := w.ofPredecessor(obj, at(1)), w.inFlight(obj, at(1)); of != "" || !inFlight.IsZero() {
		t.Errorf("of the process before: %q, in flight until %v", of, inFlight)
	}
}

func TestWriteLogForgets(t *testing.T) {
	w := newWriteLog(30 * time.Second)
	w.note("1", writeMark{ended: at(0)})
	w.note("2", writeMark{ended: at(100)})
	w.note("3", writeMark{ended: at(121)})
	if len(w.last) != 2 {
		t.Errorf("%d writes are remembered, want the last two: %v", len(w.last), w.last)
	}
}
