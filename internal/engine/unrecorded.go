package engine

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// unrecorded are the records of objects whose resources this process has created, or may have, and whose status does not say so yet: Google
// keeps the labels that prove it, and so nothing is stored before the call. As long as the status cannot be stored afterwards the passes that
// follow go on from here; and a process that takes over from the labels.
type unrecorded struct {
	mu sync.Mutex
	of map[types.NamespacedName]unrecordedOf
}

// unrecordedOf is what is kept of the object of a name, which may have been created again meanwhile.
type unrecordedOf struct {
	uid    types.UID
	record plan.Record
}

func newUnrecorded() *unrecorded {
	return &unrecorded{of: map[types.NamespacedName]unrecordedOf{}}
}

// note keeps the record of an object, unless nothing may have been created by it.
func (u *unrecorded) note(obj v1alpha1.Object, record plan.Record) {
	u.mu.Lock()
	defer u.mu.Unlock()
	name := client.ObjectKeyFromObject(obj)
	if !record.Bound() {
		delete(u.of, name)
		return
	}
	u.of[name] = unrecordedOf{obj.GetUID(), record}
}

// recall returns what is kept of an object.
func (u *unrecorded) recall(obj v1alpha1.Object) (record plan.Record, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	is, ok := u.of[client.ObjectKeyFromObject(obj)]
	if !ok || is.uid != obj.GetUID() {
		return plan.Record{}, false
	}
	return is.record, true
}

// drop forgets an object: its status says all, it is gone, or another shard is responsible for it.
func (u *unrecorded) drop(name types.NamespacedName) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.of, name)
}

// recallUnrecorded goes on from what a pass before has done, where the status does not say it.
func (p *pass) recallUnrecorded() {
	record, ok := p.unrecorded.recall(p.obj)
	switch {
	case !ok:
	case p.record.Bound(): // the status says it by now
		p.unrecorded.drop(p.name())
	default:
		p.record = record
		p.record.Store(p.obj.GetCommonStatus())
	}
}

// forgetRecorded forgets what is kept of the object once its status says the same, or it is let go.
func (p *pass) forgetRecorded() {
	if letGo := p.deleting() && !hasFinalizer(p.obj); letGo || plan.RecordOf(p.stored.GetCommonStatus()).Bound() {
		p.unrecorded.drop(p.name())
	}
}

// unwritten says that nothing can have been written for the object: nobody has looked at its resource, nothing is on record, and where that
// need not have been recorded before, no process but this one has seen the object.
func (p *pass) unwritten() bool {
	_, written := p.unrecorded.recall(p.obj)
	ours := p.obj.GetCreationTimestamp().Add(-clockSkew).After(p.responsibleSince())
	return p.neverLooked() && (!p.kind.Labels || ours && !written)
}

// responsibleSince is when this process began to reconcile the object's namespace: when it began itself, or the namespace last moved.
func (p *pass) responsibleSince() time.Time {
	began, moved := p.writes.beginning(), p.tenants.lastMove(p.obj.GetNamespace()).at
	if moved.After(began) {
		return moved
	}
	return began
}
