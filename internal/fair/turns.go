package fair

// Turns serve Lines so that a tenant gets several items in its turn, since what is done for one of its project often serves the next, too. Once in
// each turn an item of who asks for little comes first, if anybody does, and need not wait until the turn is over. Thus neither has to wait for the
// other.
type Turns[T comparable] struct {
	Lines[T]

	// Together is how many items a tenant gets in a turn. 0 counts as 1. If it is lowered, the turn that was begun ends sooner, too.
	Together int
	// of is the tenant whose turn was begun last, and left how many items more it gets in it.
	of   Tenant
	left int
	// spent says that an item of who asks for little has come since that turn was begun.
	spent bool
}

// Next takes out the item that comes next, among the tenants that may have one now; ok is false if there is none.
func (t *Turns[T]) Next(may func(Tenant) bool) (item T, of Tenant, ok bool) {
	t.left = t.leftOf(t.of)
	if !t.spent {
		if item, of, ok = t.NextBrief(func(of Tenant) bool { return !t.atTurn(of) && may(of) }); ok {
			t.spent = true
			return item, of, true
		}
	}
	if t.left > 0 && may(t.of) {
		if item, ok := t.NextOf(t.of); ok {
			t.left--
			return item, t.of, true
		}
	}
	t.left = 0
	if item, of, ok = t.Lines.Next(may); ok {
		t.of, t.left, t.spent = of, t.together()-1, false
	}
	return item, of, ok
}

// atTurn says whether a tenant gets more items in the turn that was begun, so that none of them comes out of turn.
func (t *Turns[T]) atTurn(of Tenant) bool { return of == t.of && t.left > 0 }

func (t *Turns[T]) together() int { return max(t.Together, 1) }

// Ahead estimates how many items are served before this one if nothing else comes and everybody may be served. There may be more where several
// lines share a namespace or a project with it, or other editors come to have as few lines as its own.
func (t *Turns[T]) Ahead(of Tenant, item T) int {
	own, rank := t.find(of, item)
	if rank < 0 {
		return 0
	}
	if rank < t.leftOf(of) {
		return rank + t.first(of)
	}
	if own.brief() {
		return min(t.aheadInTurn(of, own, rank), t.aheadOfBrief(own, rank))
	}
	return t.aheadInTurn(of, own, rank)
}

// first is how many items of who asks for little come before those of a tenant whose turn it is.
func (t *Turns[T]) first(of Tenant) int {
	if t.spent {
		return 0
	}
	if _, other := t.nextBrief(func(other Tenant) bool { return other != of }); other == nil {
		return 0
	}
	return 1
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

// aheadOfBrief is Ahead as of who asks for little: others who do and come before it, and the turns that are begun meanwhile, of the last of which
// one item comes first.
func (t *Turns[T]) aheadOfBrief(own *line[T], rank int) int {
	others := rank
	for _, other := range t.short {
		if other == own || !other.brief() {
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
	if t.spent {
		turns++
	}
	if turns == 0 {
		return 0
	}
	return others + t.leftOf(t.of) + (turns-1)*t.together() + 1
}
