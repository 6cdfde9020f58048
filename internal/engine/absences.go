package engine

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// absences remember since when the resources of a kind's objects are not found, or cannot be looked at, look after look. They are not worth
// storing: a process that begins takes the first such answer for the first.
type absences struct {
	mu    sync.Mutex
	since map[types.NamespacedName]time.Time
}

func newAbsences() *absences { return &absences{since: map[types.NamespacedName]time.Time{}} }

// note takes note of a look at an object's resource that did not find it, and says since when that is so.
func (a *absences) note(name types.NamespacedName, now time.Time) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, noted := a.since[name]; !noted {
		a.since[name] = now
	}
	return a.since[name]
}

// drop forgets an object: its resource was found, or the object is gone.
func (a *absences) drop(name types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.since, name)
}
