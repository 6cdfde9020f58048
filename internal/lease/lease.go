// Package lease knows until when this process may act as the leader.
package lease

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// Lease is a lock for leader election that remembers until when it is valid. The zero value is for a process that runs
// without leader election. All methods may be called concurrently.
type Lease struct {
	resourcelock.Interface

	renewDeadline time.Duration
	now           func() time.Time

	mu       sync.Mutex
	deadline time.Time
}

// Watch returns the lock as a Lease. renewDeadline is the election's: how long after its last renewal the leader gives up.
func Watch(lock resourcelock.Interface, renewDeadline time.Duration) *Lease {
	return &Lease{Interface: lock, renewDeadline: renewDeadline, now: time.Now}
}

// Deadline is when this process stops being the leader unless the lease is renewed: the zero time if it is not the leader. ok is
// false if there is no leader election, and so no deadline.
func (l *Lease) Deadline() (deadline time.Time, ok bool) {
	if l.Interface == nil {
		return time.Time{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.deadline, true
}

// Create implements resourcelock.Interface.
func (l *Lease) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.record(record, func() error { return l.Interface.Create(ctx, record) })
}

// Update implements resourcelock.Interface.
func (l *Lease) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.record(record, func() error { return l.Interface.Update(ctx, record) })
}

// record updates the deadline for a write to the lock. The deadline counts from before the write, since the others may count from
// then; and a lease that is released ends before the others can know.
func (l *Lease) record(record resourcelock.LeaderElectionRecord, write func() error) error {
	if record.HolderIdentity != l.Identity() {
		l.set(time.Time{})
		return write()
	}
	deadline := l.now().Add(l.renewDeadline)
	err := write()
	if err == nil {
		l.set(deadline)
	}
	return err
}

func (l *Lease) set(deadline time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = deadline
}
