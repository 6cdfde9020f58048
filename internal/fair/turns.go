package fair

// brief is how many items wait at most for who asks for little: a person who edits, while others change everything that they have.
const brief = 2

// Turns serve Lines so that a tenant gets several items in its turn, since what is done for one of its project often serves the next, too. Every
// other turn is for who asks for little, if anybody does. Thus neither has to wait for the other.
type Turns[T comparable] struct {
	Lines[T]

	// Together is how many items a tenant gets in a turn. 0 counts as 1. If it is lowered, the turn that was begun ends sooner, too.
	Together int
	// begun counts the turns that were begun. The last is that of a tenant, which gets so many items more.
	begun int
	of    Tenant
	left  int
}

// Next takes out the item that comes next, among the tenants that may have one now; ok is false if there is none.
func (t *Turns[T]) Next(may func(Tenant) bool) (item T, of Tenant, ok bool) {
	t.left = t.leftOf(t.of)
	if t.left > 0 && may(t.of) {
		if item, ok := t.NextOf(t.of); ok {
			t.left--
			return item, t.of, true
		}
	}
	t.left = 0
	if t.begun%2 == 1 {
		if item, of, ok = t.NextBrief(brief, may); ok {
			t.begun++
			return item, of, true
		}
	}
	if item, of, ok = t.Lines.Next(may); ok {
		t.begun++
		t.of, t.left = of, t.together()-1
	}
	return item, of, ok
}

func (t *Turns[T]) together() int { return max(t.Together, 1) }

// Ahead estimates how many items are served before this one if nothing else comes and everybody may be served. There may be more where several
// lines share a namespace or a project with it, or other editors come to have as few lines as its own.
func (t *Turns[T]) Ahead(of Tenant, item T) int {
	own, rank := t.find(of, item)
	if rank < 0 {
		return 0
	}
	if rank < t.leftOf(of) {
		return rank
	}
	if own.brief(brief) {
		return min(t.aheadInTurn(of, own, rank), t.aheadOfBrief(own, rank))
	}
	return t.aheadInTurn(of, own, rank)
}

// aheadInTurn is Ahead as of who asks for a lot: what comes before it in its line, and the turns of the others meanwhile.
func (t *Turns[T]) aheadInTurn(of Tenant, own *line[T], rank int) int {
	turns, ahead := (rank-t.leftOf(of))/t.together(), rank
	begins := t.leftOf(of) + turns*t.together() // the turn that it comes in
	had := t.had(own) + t.leftOf(of)
	for tenant, other := range t.lines {
		if tenant == of {
			continue
		}
		items, theirs := t.leftOf(tenant)+turns*t.together(), t.had(other)+t.leftOf(tenant)
		switch {
		case items >= len(other.items):
			ahead += len(other.items)
			continue
		case theirs < had, theirs == had && other.items[items].arrived < own.items[begins].arrived:
			items += t.together()
		}
		ahead += min(len(other.items), items)
	}
	return ahead
}

// leftOf is how many items more a tenant gets in the turn that was begun.
func (t *Turns[T]) leftOf(of Tenant) int {
	if of == t.of {
		return min(t.left, t.together()-1)
	}
	return 0
}

// aheadOfBrief is Ahead as of who asks for little: others who do and come before it, and a whole turn before each of them.
func (t *Turns[T]) aheadOfBrief(own *line[T], rank int) int {
	others := rank
	for _, other := range t.lines {
		if other == own || !other.brief(brief) {
			continue
		}
		for i, item := range other.items {
			theirs, ours := other.asks()+i, own.asks()+rank // each that is served counts
			if theirs < ours || theirs == ours && item.arrived < own.items[rank].arrived {
				others++
			}
		}
	}
	turns := others
	if t.begun%2 == 0 {
		turns++
	}
	return t.leftOf(t.of) + others + turns*t.together()
}
