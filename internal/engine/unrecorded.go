package engine

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/internal/plan"
)

// unrecorded are the records of objects whose resources this process has created, or may have, and whose status does not say so yet: Google
// keeps the labels that prove it, and so nothing is stored before the call. As long as the status cannot be stored afterwards the passes that
// follow go on from here; and a process that takes over from the labels.
type unrecorded struct {
	mu sync.Mutex
	of map[types.UID]plan.Record
}

func newUnrecorded() *unrecorded { return &unrecorded{of: map[types.UID]plan.Record{}} }

// note keeps the record of an object, unless nothing may have been created by it.
func (u *unrecorded) note(uid types.UID, record plan.Record) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !record.Bound() {
		delete(u.of, uid)
		return
	}
	u.of[uid] = record
}

// recall returns what is kept of an object.
func (u *unrecorded) recall(uid types.UID) (record plan.Record, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	record, ok = u.of[uid]
	return record, ok
}

// drop forgets an object: its status says all, or it is gone.
func (u *unrecorded) drop(uid types.UID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.of, uid)
}

// recallUnrecorded goes on from what a pass before has done, where the status does not say it.
func (p *pass) recallUnrecorded() {
	record, ok := p.unrecorded.recall(p.obj.GetUID())
	switch {
	case !ok:
	case p.record.Bound(): // the status says it by now
		p.unrecorded.drop(p.obj.GetUID())
	default:
		p.record = record
		p.record.Store(p.obj.GetCommonStatus())
	}
}

// forgetRecorded forgets what is kept of the object once its status says the same, or it is let go.
func (p *pass) forgetRecorded() {
	if letGo := p.deleting() && !hasFinalizer(p.obj); letGo || plan.RecordOf(p.stored.GetCommonStatus()).Bound() {
		p.unrecorded.drop(p.obj.GetUID())
	}
}

// unwritten says that nothing can have been written for the object: nobody has looked at its resource, nothing is on record, and where that
// need not have been recorded before, no process but this one has seen the object.
func (p *pass) unwritten() bool {
	_, written := p.unrecorded.recall(p.obj.GetUID())
	ours := p.obj.GetCreationTimestamp().Add(-clockSkew).After(p.writes.beginning())
	return p.neverLooked() && (!p.kind.Labels || ours && !written)
}
