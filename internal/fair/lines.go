package fair

import "slices"

// Tenant is on whose behalf something is asked for: a namespace, in a project. Turns are counted by namespace and by project, so that neither
// many projects of one namespace nor many namespaces of one project get more than others do.
type Tenant struct{ Namespace, Project string }

// Lines are the lines in which tenants wait, one for each, that are served in turn. The zero value is empty. Not for concurrent use.
type Lines[T comparable] struct {
	lines map[Tenant]*line[T]
	// namespaces and projects count the turns that each has had, from the clock on.
	namespaces, projects map[string]*turns
	// clock is the count that the last one served had before. Who had no turn lately counts from there, and has no credit of earlier times.
	clock uint64
	// arrivals counts what was ever pushed.
	arrivals uint64
	length   int
}

type turns struct{ had uint64 }

// line is what one tenant waits for, the oldest first.
type line[T comparable] struct {
	items              []entry[T]
	namespace, project *turns
}

type entry[T comparable] struct {
	item    T
	arrived uint64
}

// Len is how many items wait.
func (l *Lines[T]) Len() int { return l.length }

// Push adds an item to the end of a tenant's line.
func (l *Lines[T]) Push(of Tenant, item T) {
	if l.lines == nil {
		l.lines, l.namespaces, l.projects = map[Tenant]*line[T]{}, map[string]*turns{}, map[string]*turns{}
	}
	waiting, ok := l.lines[of]
	if !ok {
		waiting = &line[T]{namespace: count(l.namespaces, of.Namespace), project: count(l.projects, of.Project)}
		l.lines[of] = waiting
	}
	waiting.items = append(waiting.items, entry[T]{item, l.arrivals})
	l.arrivals++
	l.length++
}

func count(of map[string]*turns, name string) *turns {
	if of[name] == nil {
		of[name] = &turns{}
	}
	return of[name]
}

// Next takes out the item whose turn it is, among the tenants that may have one now; ok is false if there is none. Of two whose turn it is
// the one is first that arrived first.
func (l *Lines[T]) Next(may func(Tenant) bool) (item T, of Tenant, ok bool) {
	of, next := l.next(may)
	if next == nil {
		return item, of, false
	}
	l.clock = l.had(next)
	next.namespace.had, next.project.had = l.clock+1, l.clock+1
	item = next.items[0].item
	l.drop(of, next, 0)
	return item, of, true
}

// Any says whether Next would find an item.
func (l *Lines[T]) Any(may func(Tenant) bool) bool {
	for of := range l.lines {
		if may(of) {
			return true
		}
	}
	return false
}

func (l *Lines[T]) next(may func(Tenant) bool) (of Tenant, next *line[T]) {
	for tenant, waiting := range l.lines {
		if may(tenant) && (next == nil || l.before(waiting, next)) {
			of, next = tenant, waiting
		}
	}
	return of, next
}

func (l *Lines[T]) before(a, b *line[T]) bool {
	x, y := l.had(a), l.had(b)
	return x < y || x == y && a.items[0].arrived < b.items[0].arrived
}

// had is how many turns count for who waits in a line.
func (l *Lines[T]) had(waiting *line[T]) uint64 {
	return max(l.clock, waiting.namespace.had, waiting.project.had)
}

// Remove takes an item out of a tenant's line, and says whether it was there. It counts as no turn.
func (l *Lines[T]) Remove(of Tenant, item T) bool {
	waiting, i := l.find(of, item)
	if i < 0 {
		return false
	}
	l.drop(of, waiting, i)
	return true
}

// Ahead estimates how many items are served before this one if nothing else comes: those before it in its line, and as many of each other
// line. There may be more where several lines share a namespace or a project with it.
func (l *Lines[T]) Ahead(of Tenant, item T) int {
	_, rank := l.find(of, item)
	if rank < 0 {
		return 0
	}
	ahead := rank
	for tenant, other := range l.lines {
		if tenant != of {
			ahead += min(len(other.items), rank+1)
		}
	}
	return ahead
}

func (l *Lines[T]) find(of Tenant, item T) (*line[T], int) {
	waiting, ok := l.lines[of]
	if !ok {
		return nil, -1
	}
	return waiting, slices.IndexFunc(waiting.items, func(e entry[T]) bool { return e.item == item })
}

// drop takes the i-th item out of a line. When nobody waits any more nobody's turns count.
func (l *Lines[T]) drop(of Tenant, waiting *line[T], i int) {
	if i == 0 {
		waiting.items[0] = entry[T]{} // or what was served would be kept
		waiting.items = waiting.items[1:]
	} else {
		waiting.items = slices.Delete(waiting.items, i, i+1)
	}
	l.length--
	if len(waiting.items) == 0 {
		delete(l.lines, of)
	}
	if l.length == 0 {
		*l = Lines[T]{}
	}
}
