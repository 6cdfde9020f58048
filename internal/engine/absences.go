package engine

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// absences remember since when the resources of a kind's objects are not found, or cannot be looked at, look after look. They are not worth
// storing: a process that begins takes the first such answer for the first.
type absences struct {
	mu sync.Mutex
	of map[types.NamespacedName]absence
}

// absence is since when, and at how many looks on end.
type absence struct {
	since time.Time
	looks int
}

func newAbsences() *absences { return &absences{of: map[types.NamespacedName]absence{}} }

// note takes note of a look at an object's resource that did not find it, and says since when and how often on end that is so.
func (a *absences) note(name types.NamespacedName, now time.Time) absence {
	a.mu.Lock()
	defer a.mu.Unlock()
	noted, known := a.of[name]
	if !known {
		noted.since = now
	}
	noted.looks++
	a.of[name] = noted
	return noted
}

// drop forgets an object: its resource was found, or the object is gone.
func (a *absences) drop(name types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.of, name)
}
