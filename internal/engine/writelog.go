package engine

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

const (
	// justNow is how long a write is remembered at least: longer than it takes to see an annotation.
	justNow = time.Minute
	// defaultUnanswered is for Options.Unanswered.
	defaultUnanswered = 30 * time.Second
	// pauseRunning is how often it is asked whether the write of another manifest has ended.
	pauseRunning = 500 * time.Millisecond
)

// writeLog remembers the last write to each resource of a kind, by whichever manifest, in this process. What the process before it wrote it
// cannot know, and says so for as long as that matters.
type writeLog struct {
	// unanswered is how long after its time-out Google may still carry out a call that it received.
	unanswered time.Duration
	// recorded says that nothing is ever written of which the status does not say so before.
	recorded bool

	mu    sync.Mutex
	began time.Time
	last  map[resource]writeMark
	// cleared is when those that are long over were last forgotten.
	cleared time.Time
	// running are the writes that have not ended, by name.
	running map[resource][]string
}

// resource is one of a kind's.
type resource struct{ project, id string }

func resourceOf(ref kind.Ref) resource { return resource{ref.Project, ref.ID} }

// flight is a write that may still take effect after a glass was broken.
type flight struct {
	// until is when it can be taken for over; zero for no such write.
	until time.Time
	// name is what it is, while its answer is waited for; empty if that is not so.
	name string
}

// writeMark is a write that passed the gate.
type writeMark struct {
	name  string
	began time.Time
	ended time.Time
	// unknown says that no answer came: Google may still be carrying it out.
	unknown bool
	// over is when Google can no more be carrying it out, or one before it that was not answered either; zero if all were answered.
	over time.Time
}

func newWriteLog(unanswered time.Duration, recorded bool) *writeLog {
	return &writeLog{unanswered: unanswered, recorded: recorded, last: map[resource]writeMark{}, running: map[resource][]string{}}
}

// begin says that this process reconciles, from now on unless it did before.
func (w *writeLog) begin(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.began.IsZero() {
		w.began = now
	}
}

// enter says that a write to a resource is about to begin, and returns what to call when it has ended.
func (w *writeLog) enter(ref kind.Ref, name string) (leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := resourceOf(ref)
	w.running[r] = append(w.running[r], name)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		left := slices.Clone(w.running[r])
		i := slices.Index(left, name)
		if left = slices.Delete(left, i, i+1); len(left) == 0 {
			delete(w.running, r)
			return
		}
		w.running[r] = left
	}
}

// beginning is when this process began to reconcile.
func (w *writeLog) beginning() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.began
}

// note remembers a write, and forgets now and then those that are long over: to look through all of them at each would take longer the more
// is written.
func (w *writeLog) note(ref kind.Ref, mark writeMark) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if long := 2 * max(justNow, w.unanswered); mark.ended.Sub(w.cleared) > long {
		w.cleared = mark.ended
		maps.DeleteFunc(w.last, func(_ resource, m writeMark) bool { return mark.ended.Sub(m.ended) > long })
	}
	r := resourceOf(ref)
	if mark.over = w.last[r].over; mark.unknown {
		mark.over = mark.ended.Add(w.unanswered)
	}
	w.last[r] = mark
}

// since describes the last write to the resource if it ended in the second of a time or later; empty if none did.
func (w *writeLog) since(ref kind.Ref, t time.Time) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, there := w.last[resourceOf(ref)]
	if !there || m.ended.Before(t) {
		return ""
	}
	return m.String()
}

// ofOthers describes what the process before this one may be writing for the object, or that of another shard, which its Namespace was moved
// from; empty for nothing.
func (w *writeLog) ofOthers(obj v1alpha1.Object, moved move, now time.Time) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case now.Before(w.overOfShard(moved)):
		return "whatever the process of another shard was writing for the Namespace before " + inUTC(moved.at)
	case now.Before(w.overOfPredecessor(obj, false)):
		return "whatever the process was writing that ran before " + inUTC(w.began)
	default:
		return ""
	}
}

// inFlight says which write may still take effect: one that another manifest of the resource has begun, or one that Google may still carry
// out though nobody waits for it any more. shared says that there are other manifests; moved is the last move of a Namespace of any.
func (w *writeLog) inFlight(obj v1alpha1.Object, ref kind.Ref, shared bool, moved move, now time.Time) flight {
	w.mu.Lock()
	defer w.mu.Unlock()
	if running := w.running[resourceOf(ref)]; len(running) > 0 {
		return flight{now.Add(pauseRunning), running[0]}
	}
	over := w.over(obj, ref, shared, moved)
	if !now.Before(over) {
		return flight{}
	}
	return flight{until: over}
}

// unansweredUntil is when Google can no more be carrying out what was written for an object and not answered; zero for nothing. As in inFlight.
func (w *writeLog) unansweredUntil(obj v1alpha1.Object, ref kind.Ref, shared bool, moved move) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.over(obj, ref, shared, moved)
}

func (w *writeLog) over(obj v1alpha1.Object, ref kind.Ref, shared bool, moved move) time.Time {
	over := w.last[resourceOf(ref)].over
	for _, of := range []time.Time{w.overOfPredecessor(obj, shared), w.overOfShard(moved)} {
		if of.After(over) {
			over = of
		}
	}
	return over
}

// overOfShard is when nothing can be under way any more that the process of another shard wrote before a move. What this process knows of an
// object proves nothing about that one.
func (w *writeLog) overOfShard(moved move) time.Time {
	if moved == (move{}) {
		return time.Time{}
	}
	return moved.over.Add(w.unanswered)
}

// overOfPredecessor is when nothing can be under way any more that the process before this one wrote for the object, or, if it shares the
// resource, for another manifest.
func (w *writeLog) overOfPredecessor(obj v1alpha1.Object, shared bool) time.Time {
	if !shared && (obj.GetCreationTimestamp().After(w.began) || w.neverWritten(obj)) {
		return time.Time{}
	}
	return w.began.Add(w.unanswered)
}

// neverWritten says that no process before this one can have written for the object. Before the first write the finalizer is there; and the
// external name is recorded, unless the resource itself proves that it was created. Which second it was when the process began counts as its own.
func (w *writeLog) neverWritten(obj v1alpha1.Object) bool {
	created := obj.GetCreationTimestamp()
	return obj.GetCommonStatus().ExternalName == "" && (w.recorded || !hasFinalizer(obj) || !created.Time.Before(w.began.Truncate(time.Second)))
}

func (m writeMark) String() string {
	answered := "answered"
	if m.unknown {
		answered = "not answered by"
	}
	return fmt.Sprintf("%s: passed the gate %s, %s %s", m.name, inUTC(m.began), answered, inUTC(m.ended))
}

func inUTC(t time.Time) string { return t.UTC().Format(time.RFC3339) }
