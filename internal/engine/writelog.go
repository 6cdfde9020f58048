package engine

import (
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const (
	// justNow is how long a write is remembered at least: longer than it takes to see an annotation.
	justNow = time.Minute
	// defaultUnanswered is for Options.Unanswered.
	defaultUnanswered = 30 * time.Second
)

// writeLog remembers the last write of each object, in this process. What the process before it wrote it cannot know, and
// says so for as long as that matters.
type writeLog struct {
	// unanswered is how long after its time-out Google may still carry out a call that it received.
	unanswered time.Duration

	mu    sync.Mutex
	began time.Time
	last  map[types.UID]writeMark
}

// writeMark is a write that passed the gate.
type writeMark struct {
	name  string
	began time.Time
	ended time.Time
	// unknown says that no answer came: Google may still be carrying it out.
	unknown bool
}

func newWriteLog(unanswered time.Duration) *writeLog {
	return &writeLog{unanswered: unanswered, last: map[types.UID]writeMark{}}
}

// begin says that this process reconciles, from now on unless it did before.
func (w *writeLog) begin(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.began.IsZero() {
		w.began = now
	}
}

// beginning is when this process began to reconcile.
func (w *writeLog) beginning() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.began
}

// note remembers a write, and forgets those that are long over.
func (w *writeLog) note(uid types.UID, mark writeMark) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for other, m := range w.last {
		if mark.ended.Sub(m.ended) > 2*max(justNow, w.unanswered) {
			delete(w.last, other)
		}
	}
	w.last[uid] = mark
}

// since describes the object's last write if it ended in the second of a time or later; empty if none did.
func (w *writeLog) since(uid types.UID, t time.Time) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, there := w.last[uid]
	if !there || m.ended.Before(t) {
		return ""
	}
	return m.String()
}

// ofPredecessor describes what the process before this one may be writing for the object; empty for nothing.
func (w *writeLog) ofPredecessor(obj v1alpha1.Object, now time.Time) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !now.Before(w.over(obj)) {
		return ""
	}
	return "whatever the process was writing that ran before " + inUTC(w.began)
}

// inFlight says until when Google may still carry out a write for the object that nobody waits for any more; zero for none.
func (w *writeLog) inFlight(obj v1alpha1.Object, now time.Time) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	over := w.over(obj)
	if m := w.last[obj.GetUID()]; m.unknown && m.ended.Add(w.unanswered).After(over) {
		over = m.ended.Add(w.unanswered)
	}
	if !now.Before(over) {
		return time.Time{}
	}
	return over
}

// over is when nothing can be under way any more that the process before this one wrote for the object. Before the first
// write the external name is recorded.
func (w *writeLog) over(obj v1alpha1.Object) time.Time {
	if created := obj.GetCreationTimestamp(); created.After(w.began) || obj.GetCommonStatus().ExternalName == "" {
		return time.Time{}
	}
	return w.began.Add(w.unanswered)
}

func (m writeMark) String() string {
	answered := "answered"
	if m.unknown {
		answered = "not answered by"
	}
	return fmt.Sprintf("%s: passed the gate %s, %s %s", m.name, inUTC(m.began), answered, inUTC(m.ended))
}

func inUTC(t time.Time) string { return t.UTC().Format(time.RFC3339) }
