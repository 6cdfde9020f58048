package main

import (
	"fmt"
	"time"
)

// tenure is a time in which one process held the lease.
type tenure struct {
	holder string
	// from and to are when it was first and last seen to hold it.
	from, to time.Time
	// writer is the slot that wrote in the time; empty while nobody has.
	writer string
}

// leases are who has held the lease, and who has written. A holder is a name that says nothing of the slot; but who held the lease wrote, and
// nobody else.
type leases struct {
	past   []tenure
	writes []leasedWrite
}

// leasedWrite is a write that arrived.
type leasedWrite struct {
	at         time.Time
	slot, what string
}

// margin is how far apart a write and a change of the lease may be seen in the wrong order.
const margin = time.Second

// seen takes note of who holds the lease, and returns what was written meanwhile by somebody else.
func (l *leases) seen(holder string, at time.Time) []string {
	if last := len(l.past) - 1; last < 0 || l.past[last].holder != holder {
		l.past = append(l.past, tenure{holder: holder, from: at})
	}
	l.past[len(l.past)-1].to = at
	var breaches []string
	waiting := l.writes[:0]
	for _, w := range l.writes {
		if w.at.After(at.Add(-margin)) {
			waiting = append(waiting, w)
			continue
		}
		if b := l.judge(w); b != "" {
			breaches = append(breaches, b)
		}
	}
	l.writes = waiting
	return breaches
}

// judge says what is wrong with a write; empty for nothing. What was written when the lease changed hands is nobody's for sure.
func (l *leases) judge(w leasedWrite) string {
	for i := range l.past {
		t := &l.past[i]
		if w.at.Before(t.from.Add(margin)) || w.at.After(t.to.Add(-margin)) {
			continue
		}
		switch {
		case t.holder == "":
			return fmt.Sprintf("%s, by %s, while nobody held the lease", w.what, w.slot)
		case t.writer == "":
			t.writer = w.slot
		case t.writer != w.slot:
			return fmt.Sprintf("%s, by %s, while %s held the lease (%s) and wrote", w.what, w.slot, t.writer, t.holder)
		}
	}
	return ""
}
