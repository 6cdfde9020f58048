package fair

import "slices"

// Tenant is on whose behalf something is asked for: a namespace, in a project. Turns are counted by namespace and by project, so that neither
// many projects of one namespace nor many namespaces of one project get more than others do. The namespaces of one project share its turns
// equally.
type Tenant struct {
	Namespace, Project string
	// Editor is who asks there; empty if nobody knows. Each has a line of their own, so that a person does not wait behind what a tool asks for
	// in the same project. Their turns are those of the namespace and the project: several editors get no more than one, and of theirs the one
	// comes first that arrived first.
	Editor string
}

// Lines are the lines in which tenants wait, one for each, that are served in turn. The zero value is empty. Not for concurrent use.
type Lines[T comparable] struct {
	lines map[Tenant]*line[T]
	// short are the lines in which no more than brief items have waited.
	short map[Tenant]*line[T]
	// namespaces and projects count the turns that each has had, from the clock on.
	namespaces map[string]*turns
	projects   map[string]*project
	editors    map[string]*editor
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

	namespaces map[string]*share
	clock      int
}

// share is what a namespace has of a project: turns, so many of which were out of turn, and lines, one for each editor.
type share struct {
	turns

	outOfTurn int
	lines     int
}

// editor is who has so many lines, in whatever namespaces and projects.
type editor struct{ lines int }

// line is what one tenant waits for, the oldest first.
type line[T comparable] struct {
	items     []entry[T]
	namespace *turns
	project   *project
	// within are those that the namespace has had of its project's.
	within *share
	editor *editor
	// pushed is how many items have waited here since the line was opened.
	pushed int
}

type entry[T comparable] struct {
	item    T
	arrived uint64
}

// Len is how many items wait.
func (l *Lines[T]) Len() int { return l.length }

// LinesOf is how many lines an editor has: in so many namespaces and projects something of theirs waits.
func (l *Lines[T]) LinesOf(name string) int {
	if of := l.editors[name]; of != nil {
		return of.lines
	}
	return 0
}

// Push adds an item to the end of a tenant's line.
func (l *Lines[T]) Push(of Tenant, item T) {
	if l.lines == nil {
		*l = Lines[T]{
			lines: map[Tenant]*line[T]{}, short: map[Tenant]*line[T]{},
			namespaces: map[string]*turns{}, projects: map[string]*project{}, editors: map[string]*editor{},
		}
	}
	waiting, ok := l.lines[of]
	if !ok {
		waiting = l.open(of)
	}
	waiting.items = append(waiting.items, entry[T]{item, l.arrivals})
	waiting.pushed++
	if waiting.pushed > brief {
		delete(l.short, of)
	}
	l.arrivals++
	l.length++
}

// open opens a tenant's line, which is empty.
func (l *Lines[T]) open(of Tenant) *line[T] {
	in := l.projects[of.Project]
	if in == nil {
		in = &project{namespaces: map[string]*share{}}
		l.projects[of.Project] = in
	}
	opened := &line[T]{
		namespace: counted(l.namespaces, of.Namespace), project: in, within: counted(in.namespaces, of.Namespace),
		editor: counted(l.editors, of.Editor),
	}
	opened.within.lines++
	opened.editor.lines++
	l.lines[of], l.short[of] = opened, opened
	return opened
}

// close closes a line in which nothing waits any more.
func (l *Lines[T]) close(of Tenant, empty *line[T]) {
	delete(l.lines, of)
	delete(l.short, of)
	empty.within.lines--
	empty.editor.lines--
	if empty.editor.lines == 0 {
		delete(l.editors, of.Editor)
	}
}

func counted[C any](of map[string]*C, name string) *C {
	if of[name] == nil {
		of[name] = new(C)
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

// NextBrief takes out the first item of who asks for little, whosever turn it is: who has asked for no more than brief items since nothing of theirs
// waited. Of those it is that of the editor who has the fewest lines, so that who changes something everywhere waits for itself, and a person
// who edits one thing does not wait for that. Each item that came out of turn counts for its namespace and project as one line more. Of the
// same number it is the one that has waited the longest. It counts as a turn.
func (l *Lines[T]) NextBrief(may func(Tenant) bool) (item T, of Tenant, ok bool) {
	of, next := l.nextBrief(may)
	if next == nil {
		return item, of, false
	}
	next.within.outOfTurn++
	return l.take(of, next), of, true
}

// nextBrief finds whose item NextBrief takes out.
func (l *Lines[T]) nextBrief(may func(Tenant) bool) (of Tenant, next *line[T]) {
	for tenant, waiting := range l.short {
		if waiting.brief() && may(tenant) && (next == nil || before(waiting.asks(), next.asks(), waiting, next)) {
			of, next = tenant, waiting
		}
	}
	return of, next
}

// brief is how many items wait at most for who asks for little: a person who edits, while others change everything that they have.
const brief = 2

// beside is how many editors of one namespace and project may ask for little at the same time: a tool, the operator, and a person who uses
// more than one command. Where there are more, nobody there does: or a tenant could ask for a lot in the name of many.
const beside = 4

// brief says whether a line's tenant asks for little.
func (w *line[T]) brief() bool { return w.pushed <= brief && w.within.lines <= beside }

// asks is how much was asked for in the name of a line's editor, as far as it waits, and by its tenant, as far as that came out of turn: or who
// takes another name for each item would always come first.
func (w *line[T]) asks() int { return w.editor.lines + w.within.outOfTurn }

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
		same := waiting.project == next.project && l.had(waiting) == l.had(next)
		if same && may(tenant) && before(waiting.hadWithin(), next.hadWithin(), waiting, next) {
			of, next = tenant, waiting
		}
	}
	return of, next
}

// before says whether a line comes before another, given a number for each of which the smaller one comes first.
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
		l.close(of, waiting)
	}
	if l.length == 0 {
		*l = Lines[T]{}
	}
}
