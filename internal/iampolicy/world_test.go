package iampolicy

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// world is a policy at Google's, those who write it, and the truth about who granted what.
type world struct {
	t       *rapid.T
	stored  Policy
	writes  int
	objects []*object
	granted map[Grant]string // by whom each live grant was made
}

// Who made a grant, but for the names of objects. What somebody grants that an object has on record, having lost it unseen, is
// nobody's for certain.
const (
	somebody = "somebody"
	unclear  = "unclear"
)

// object is a manifest and its status, as the API server has them.
type object struct {
	name              string
	mode              v1alpha1.IAMMode
	wanted            []Grant
	deleting, gone    bool
	recorded, pending []Grant
	// seen are the other objects as they were when this one last looked.
	seen []object
}

// read gives the policy as Google does: each role and condition once, members in order.
func (w *world) read() Policy {
	return clonePolicy(w.stored)
}

// write takes a policy if nobody has written since it was read.
func (w *world) write(p Policy) bool {
	if len(p.Etag) == 0 {
		w.t.Fatalf("a write without an etag")
	}
	if !bytes.Equal(p.Etag, w.stored.Etag) {
		return false
	}
	w.store(setOf(grants(p.Bindings...)))
	return true
}

func (w *world) store(all grantSet) {
	w.writes++
	w.stored = Policy{Etag: fmt.Appendf(nil, "etag %d", w.writes)}
	for _, g := range all.sorted() {
		last := len(w.stored.Bindings) - 1
		if last < 0 || w.stored.Bindings[last].Role != g.Role || w.stored.Bindings[last].Condition != g.Condition {
			w.stored.Bindings = append(w.stored.Bindings, Binding{Role: g.Role, Condition: g.Condition})
			last++
		}
		w.stored.Bindings[last].Members = append(w.stored.Bindings[last].Members, g.Member)
	}
}

func (w *world) live() grantSet { return setOf(grants(w.stored.Bindings...)) }

// somebodyWrites adds or removes a grant by hand, of whomever.
func (w *world) somebodyWrites() {
	all, g := w.live(), drawGrant(w.t, named).Normal()
	switch {
	case !all.has(g):
		all.add(g)
		w.granted[g] = somebody
		if w.onRecord(g) {
			w.granted[g] = unclear
		}
	case g.Member != "serviceAccount:"+self && len(all) > 1:
		delete(all, g)
		delete(w.granted, g)
	default:
		return
	}
	w.store(all)
}

// onRecord says whether an object believes a grant to be its own, or believes so of another.
func (w *world) onRecord(g Grant) bool {
	for _, o := range w.objects {
		if setOf(slices.Concat(o.recorded, o.pending)).has(g) {
			return true
		}
		for _, seen := range o.seen {
			if setOf(seen.recorded).has(g) {
				return true
			}
		}
	}
	return false
}

// somebodyIsDeleted turns all the grants of an account into those of a deleted principal.
func (w *world) somebodyIsDeleted() {
	all := grantSet{}
	for g := range w.live() {
		if g.Member == "serviceAccount:robot@p.iam.gserviceaccount.com" {
			by := w.granted[g]
			delete(w.granted, g)
			g.Member = fmt.Sprintf("deleted:%s?uid=%d", g.Member, w.writes)
			w.granted[g] = by
		}
		all.add(g)
	}
	w.store(all)
}

// look has an object see the others as they are now.
func (w *world) look(o *object) {
	o.seen = nil
	for _, other := range w.objects {
		if other != o && !other.gone {
			seen := *other
			seen.seen = nil
			o.seen = append(o.seen, seen)
		}
	}
}

func (w *world) input(o *object) Input {
	in := Input{
		Live: w.read(), Prefix: "spec", Mode: o.mode, Managed: !o.deleting, Wanted: o.wanted, Recorded: o.recorded, Pending: o.pending,
		MaxRemovals: 1500, Self: selfOf(self),
	}
	if o.deleting {
		in.Wanted = nil
	}
	for _, other := range o.seen {
		in.Shared = append(in.Shared, other.recorded...)
		if !other.deleting {
			in.Declared = append(in.Declared, other.wanted...)
		}
	}
	return in
}

// Where a pass may end early.
const (
	afterPending = iota + 1
	afterWrite
	never
)

// pass is one reconcile, as the engine does it: record what is pending, write, record what is own. It says whether it wrote.
func (w *world) pass(o *object, crash int, between func()) bool {
	if o.deleting {
		w.look(o) // the last look is a fresh one
	}
	in := w.input(o)
	for {
		p := Make(in)
		check(w.t, in, p)
		checkRemovals(w.t, in, p)
		if !p.Writes {
			if p.Refusal == "" {
				o.recorded, o.pending = p.Own, nil
				o.gone = o.deleting && len(unclaimed(in)) == 0
			}
			return false
		}
		o.recorded, o.pending = p.Had, p.Add
		if crash == afterPending {
			return false
		}
		between()
		if w.write(p.Next) {
			w.account(o, in, p)
			if crash != afterWrite {
				o.recorded, o.pending = p.Own, nil
				o.gone = o.deleting && len(unclaimed(in)) == 0
			}
			return true
		}
		in.Live, in.Recorded, between = w.read(), p.Had, func() {}
	}
}

// account keeps the truth, and holds the removals against it.
func (w *world) account(o *object, in Input, p Plan) {
	for _, g := range p.Add {
		w.granted[g] = o.name
	}
	for _, g := range p.Revoke {
		by := w.granted[g]
		delete(w.granted, g)
		if _, deleted := whoWas(g.Member); by == somebody && in.Mode == additive && !deleted {
			w.t.Fatalf("%s revokes %v, which somebody else granted", o.name, g)
		}
	}
}

// settle lets everybody work undisturbed until nobody has anything to do.
func (w *world) settle() {
	for range 2*len(w.objects) + 4 {
		wrote := false
		for _, o := range w.objects {
			if !o.gone {
				w.look(o)
				wrote = w.pass(o, never, func() {}) || wrote
			}
		}
		if !wrote && w.quiet() {
			return
		}
	}
	w.t.Fatalf("it does not settle")
}

// quiet says whether nobody would record anything else either.
func (w *world) quiet() bool {
	for _, o := range w.objects {
		if o.gone {
			continue
		}
		w.look(o)
		if p := Make(w.input(o)); p.Writes || !slices.Equal(p.Own, o.recorded) || o.deleting {
			return false
		}
	}
	return true
}

// checkSettled: what is wanted is granted, and of what the objects granted nothing else is left.
func (w *world) checkSettled() {
	live, wanted := w.live(), grantSet{}
	for _, o := range w.objects {
		if !o.gone {
			maps.Copy(wanted, setOf(o.wanted))
		}
	}
	for g := range wanted {
		if !live.has(g) {
			w.t.Fatalf("%v is wanted and not granted", g)
		}
	}
	for g := range live {
		_, deleted := whoWas(g.Member)
		kept := g.Member == "serviceAccount:"+self || isOwner(g) || isServiceAgentRole(g.Role)
		if by := w.granted[g]; by != somebody && by != unclear && !wanted.has(g) && !deleted && !kept {
			w.t.Fatalf("%v is left of what %s granted", g, by)
		}
	}
}

// unclaimed are the own grants that others want and none of them has recorded. A manifest that is being deleted stays until there are none.
func unclaimed(in Input) []Grant {
	s := lookAt(in)
	return matching(s.owned, func(g Grant) bool {
		return !s.wanted.has(g) && s.declared.has(g) && !s.shared.has(g) && s.live.grants.has(g)
	})
}
