package iampolicy

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// holds is what is true of every plan, whatever it is made from.
func holds(t *rapid.T) {
	in := drawInput(t)
	before := clone(in)
	p := Make(in)
	if d := cmp.Diff(before, in, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("the input was altered (-before +after):\n%s", d)
	}
	check(t, in, p)
	checkRemovals(t, in, p)
	checkOwn(t, in, p)
	converges(t, in, p)

	shuffled := in
	shuffled.Wanted = rapid.Permutation(in.Wanted).Draw(t, "wanted in another order")
	if d := cmp.Diff(p.Next, Make(shuffled).Next, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("what is written depends on the manifest's order (-one +other):\n%s", d)
	}
	shuffled.Live.Bindings = rapid.Permutation(in.Live.Bindings).Draw(t, "bindings in another order")
	if d := cmp.Diff(read(p), read(Make(shuffled)), cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("order means something (-one +other):\n%s", d)
	}
}

// checkRemovals: who is removed is nobody whom the mode, the operator's safety or Google's services forbid to remove.
func checkRemovals(t fataler, in Input, p Plan) {
	t.Helper()
	wanted, declared, own := setOf(in.Wanted), setOf(in.Declared), setOf(slices.Concat(in.Recorded, in.Pending))
	roles := map[string]bool{}
	for g := range wanted {
		roles[g.Role] = true
	}
	for _, g := range p.Revoke {
		was, deleted := whoWas(g.Member)
		named := Grant{g.Role, was, g.Condition}
		mine := own.has(named)
		dead := deleted && in.DeletedPrincipals == v1alpha1.IAMDeletedPrincipalsRemove && (roles[g.Role] || in.Mode == whole)
		switch {
		case in.Unresolved:
			t.Fatalf("removes %v although references are missing", g)
		case wanted.has(g), declared.has(g):
			t.Fatalf("removes %v, which is wanted", g)
		case in.Mode == additive && !mine && !dead:
			t.Fatalf("removes %v, which no object owns", g)
		case in.Mode == byRole && !mine && !dead && !roles[g.Role]:
			t.Fatalf("removes %v, of a role that is not listed", g)
		case in.Self.normal().carries(g.Member):
			t.Fatalf("removes the operator: %v", g)
		case g.Member == agent && (!mine || isServiceAgentRole(g.Role)):
			t.Fatalf("removes a service agent: %v", g)
		case g.Condition == fridays.Normal() && !mine && !deleted:
			t.Fatalf("removes what others granted for a limited time: %v", g)
		case deleted && !dead && !mine:
			t.Fatalf("removes the deleted %v unasked", g)
		case in.Self.Email == "" && !mine && !deleted:
			t.Fatalf("removes %v and does not know who it is itself", g)
		}
	}
	owners := func(bindings []Binding) (count int) {
		for g := range setOf(grants(bindings...)) {
			if isOwner(g) {
				count++
			}
		}
		return count
	}
	if owners(in.Live.Bindings) > 0 && owners(p.Next.Bindings) == 0 {
		t.Fatalf("nobody is left in roles/owner")
	}
	if len(p.Revoke) > in.MaxRemovals && p.Hold == "" {
		t.Fatalf("removes %d members of %d and asks nobody", len(p.Revoke), in.MaxRemovals)
	}
}

// checkOwn: what is own was granted by this manifest or, if it is wanted, by another one; and nothing that it granted is
// forgotten while it is there.
func checkOwn(t fataler, in Input, p Plan) {
	t.Helper()
	wanted, live, mine := setOf(in.Wanted), setOf(grants(in.Live.Bindings...)), setOf(slices.Concat(in.Recorded, in.Pending, p.Add))
	shared, next, recorded, has := setOf(in.Shared), setOf(grants(p.Next.Bindings...)), setOf(in.Recorded), setOf(p.Own)
	for g := range has {
		if !mine.has(g) && !(wanted.has(g) && (shared.has(g) || in.OwnExisting) && live.has(g)) {
			t.Fatalf("owns %v, which somebody else granted", g)
		}
	}
	notOwned := setOf(p.NotOwned)
	for g := range wanted {
		if live.has(g) && has.has(g) == notOwned.has(g) {
			t.Fatalf("%v is its own: %v, and is not: %v", g, has.has(g), notOwned.has(g))
		}
	}
	for g := range next {
		if !has.has(g) && (recorded.has(g) || setOf(p.Add).has(g) || setOf(in.Pending).has(g)) {
			t.Fatalf("has forgotten %v, which is there", g)
		}
	}
}

func clone(in Input) Input {
	in.Wanted, in.Recorded, in.Pending = append([]Grant(nil), in.Wanted...), append([]Grant(nil), in.Recorded...), append([]Grant(nil), in.Pending...)
	in.Live = clonePolicy(in.Live)
	return in
}

func clonePolicy(p Policy) Policy {
	bindings := make([]Binding, len(p.Bindings))
	for i, b := range p.Bindings {
		b.Members = append([]string(nil), b.Members...)
		bindings[i] = b
	}
	p.Bindings = bindings
	return p
}

func TestWhateverIsPlanned(t *testing.T) { rapid.Check(t, holds) }

// FuzzMake looks for what rapid's draws do not meet.
func FuzzMake(f *testing.F) { f.Fuzz(rapid.MakeFuzz(holds)) }
