package fair

import "slices"

// Tenant is on whose behalf something is asked for: a namespace, in a project. Turns are counted by namespace and by project, so that neither
// many projects of one namespace nor many namespaces of one project get more than others do. The namespaces of one project share its turns
// equally.
type Tenant struct{ Namespace, Project string }

// Lines are the lines in which tenants wait, one for each, that are served in turn. The zero value is empty. Not for concurrent use.
type Lines[T comparable] struct {
	lines map[Tenant]*line[T]
	// namespaces and projects count the turns that each has had, from the clock on.
	namespaces map[string]*turns
	projects   map[string]*project
	// clock is the count that the last one served had before. Who had no turn lately counts from there, and has no credit of earlier times.
	clock int
	// arrivals counts what was ever pushed.
	arrivals uint64
	length   int
}

type turns struct{ had int }

// project has the turns of a project, and those that each of its namespaces has had of them, which are counted as above.
type project struct {
	turns

	namespaces map[string]*turns
	clock      int
}

// line is what one tenant waits for, the oldest first.
type line[T comparable] struct {
	items     []entry[T]
	namespace *turns
	project   *project
	// within are those that the namespace has had of its project's.
	within *turns
	// pushed is how many items have waited here since the line was opened.
	pushed int
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
		l.lines, l.namespaces, l.projects = map[Tenant]*line[T]{}, map[string]*turns{}, map[string]*project{}
	}
	waiting, ok := l.lines[of]
	if !ok {
		waiting = l.open(of)
		l.lines[of] = waiting
	}
	waiting.items = append(waiting.items, entry[T]{item, l.arrivals})
	waiting.pushed++
	l.arrivals++
	l.length++
}

// open makes a tenant's line, which is empty.
func (l *Lines[T]) open(of Tenant) *line[T] {
	in := l.projects[of.Project]
	if in == nil {
		in = &project{namespaces: map[string]*turns{}}
		l.projects[of.Project] = in
	}
	return &line[T]{namespace: counted(l.namespaces, of.Namespace), project: in, within: counted(in.namespaces, of.Namespace)}
}

func counted(of map[string]*turns, name string) *turns {
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
	l.clock, next.project.clock = l.had(next), next.hadWithin()
	return l.take(of, next), of, true
}

// NextOf takes out the first item of a tenant, whosever turn it is; ok is false if there is none. It counts as a turn.
func (l *Lines[T]) NextOf(of Tenant) (item T, ok bool) {
	waiting, ok := l.lines[of]
	if !ok {
		return item, false
	}
	return l.take(of, waiting), true
}

// NextBrief takes out the first item of who asks for little, whosever turn it is: who has asked for at most so many since nothing of theirs
// waited, and of those the one that has waited the longest. It counts as a turn.
func (l *Lines[T]) NextBrief(most int, may func(Tenant) bool) (item T, of Tenant, ok bool) {
	var next *line[T]
	for tenant, waiting := range l.lines {
		if waiting.pushed <= most && may(tenant) && (next == nil || waiting.items[0].arrived < next.items[0].arrived) {
			of, next = tenant, waiting
		}
	}
	if next == nil {
		return item, of, false
	}
	return l.take(of, next), of, true
}

// take takes out the first item of a line, which is a turn.
func (l *Lines[T]) take(of Tenant, from *line[T]) T {
	had, within := l.had(from), from.hadWithin()
	from.namespace.had, from.project.had, from.within.had = had+1, had+1, within+1
	item := from.items[0].item
	l.drop(of, from, 0)
	return item
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

// next finds the project whose turn it is, and in it the namespace.
func (l *Lines[T]) next(may func(Tenant) bool) (of Tenant, next *line[T]) {
	for tenant, waiting := range l.lines {
		if may(tenant) && (next == nil || before(l.had(waiting), l.had(next), waiting, next)) {
			of, next = tenant, waiting
		}
	}
	if next == nil {
		return of, nil
	}
	for tenant, waiting := range l.lines {
		beside := waiting.project == next.project && l.had(waiting) == l.had(next)
		if beside && may(tenant) && before(waiting.hadWithin(), next.hadWithin(), waiting, next) {
			of, next = tenant, waiting
		}
	}
	return of, next
}

// before says whether a line comes before another, given how many turns count for each.
func before[T comparable](x, y int, a, b *line[T]) bool {
	return x < y || x == y && a.items[0].arrived < b.items[0].arrived
}

// had is how many turns count for who waits in a line.
func (l *Lines[T]) had(waiting *line[T]) int {
	return max(l.clock, waiting.namespace.had, waiting.project.had)
}

// hadWithin is how many turns of its project count.
func (w *line[T]) hadWithin() int { return max(w.project.clock, w.within.had) }

// Remove takes an item out of a tenant's line, and says whether it was there. It counts as no turn.
func (l *Lines[T]) Remove(of Tenant, item T) bool {
	waiting, i := l.find(of, item)
	if i < 0 {
		return false
	}
	l.drop(of, waiting, i)
	return true
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
