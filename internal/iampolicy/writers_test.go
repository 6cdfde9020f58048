package iampolicy

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// newWorld has a policy that somebody wrote, and some manifests of it, of which one may own roles.
func newWorld(t *rapid.T, modes ...v1alpha1.IAMMode) *world {
	w := &world{t: t, granted: map[Grant]string{}}
	all := setOf(append(drawGrants(t, "before", everybody), grants(to("roles/admin", "serviceAccount:"+self))...))
	for g := range all {
		w.granted[g] = somebody
	}
	w.store(all)
	for i, mode := range modes {
		w.objects = append(w.objects, &object{name: fmt.Sprintf("object %d", i), mode: mode, wanted: drawGrants(t, "wanted", named)})
	}
	return w
}

// happens lets one thing happen.
func (w *world) happens() {
	o := rapid.SampledFrom(w.objects).Draw(w.t, "object")
	between := func() {
		if rapid.Bool().Draw(w.t, "somebody comes first") {
			w.somebodyWrites()
		}
	}
	switch what := rapid.SampledFrom([]string{"pass", "pass", "pass", "crash", "edit", "delete", "look", "somebody", "account"}).Draw(w.t, "what"); {
	case what == "somebody":
		w.somebodyWrites()
	case what == "account":
		w.somebodyIsDeleted()
	case what == "look":
		w.look(o)
	case o.gone:
	case what == "edit" && !o.deleting:
		o.wanted = drawGrants(w.t, "wanted", named)
	case what == "delete":
		o.deleting = true
	case what == "crash":
		w.pass(o, rapid.SampledFrom([]int{afterPending, afterWrite}).Draw(w.t, "crash"), between)
	case what == "pass":
		w.pass(o, never, between)
	}
}

// TestAConcurrentGrantIsNotOverwritten: what somebody grants between the read and the write is there after it.
func TestAConcurrentGrantIsNotOverwritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, additive)
		theirs := Grant{Role: "roles/theirs", Member: "user:carol@x.com"}
		w.objects[0].wanted = append(w.objects[0].wanted, Grant{Role: "roles/ours", Member: "user:carol@x.com"})
		writes := w.writes
		w.pass(w.objects[0], never, func() {
			all := w.live()
			all.add(theirs)
			w.granted[theirs] = somebody
			w.store(all)
		})
		if !w.live().has(theirs) || w.writes != writes+2 {
			t.Fatalf("after %d writes it has %v", w.writes-writes, w.stored.Bindings)
		}
		w.checkSettled()
	})
}

// TestManifestsThatShareAPolicy: whatever happens between manifests, people and crashes, everything that is wanted is granted in
// the end, the manifests revoke exactly what they granted, and nobody removes the operator or a service agent.
func TestManifestsThatShareAPolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		modes := rapid.SliceOfN(rapid.Just(additive), 1, 3).Draw(t, "manifests")
		modes[0] = rapid.SampledFrom([]v1alpha1.IAMMode{additive, additive, byRole}).Draw(t, "mode of the first")
		w := newWorld(t, modes...)
		for range rapid.IntRange(0, 25).Draw(t, "events") {
			w.happens()
		}
		w.settle()
		w.checkSettled()
	})
}

// TestOneManifestAndOtherWriters: a manifest that owns roles, or all, gets what it wants whoever writes meanwhile.
func TestOneManifestAndOtherWriters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, drawMode(t))
		for range rapid.IntRange(0, 15).Draw(t, "events") {
			w.happens()
		}
		w.objects[0].deleting = w.objects[0].gone
		if !w.objects[0].gone && len(w.objects[0].wanted) > 0 {
			w.settle()
			w.checkSettled()
			w.checkOwned(w.objects[0])
		}
	})
}

// checkOwned: in what a manifest owns is nobody but who is wanted and who an interlock keeps.
func (w *world) checkOwned(o *object) {
	in := w.input(o)
	s, p := lookAt(in), Make(in)
	kept := setOf(p.Deleted)
	for _, k := range p.Kept {
		kept.add(k.Grant)
	}
	for g := range w.live() {
		if !o.deleting && s.ownsRole(g.Role) && !s.wanted.has(g) && !kept.has(g) {
			w.t.Fatalf("%v is left in a role of %s", g, o.name)
		}
	}
}

// TestTwoManifestsShareAGrant: it stays while one of them wants it, and is gone when both have dropped it, also if they do
// so at the same moment.
func TestTwoManifestsShareAGrant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, additive, additive)
		a, b := w.objects[0], w.objects[1]
		shared := Grant{Role: "roles/shared", Member: "user:carol@x.com"}
		a.wanted, b.wanted = append(a.wanted, shared), append(b.wanted, shared)
		w.settle()
		check := func(what string, want bool) {
			if w.live().has(shared) != want {
				t.Fatalf("%s: granted %v, want %v", what, !want, want)
			}
		}
		check("both want it", true)
		if rapid.Bool().Draw(t, "at once") {
			a.wanted, b.wanted = nil, nil
			w.pass(a, never, func() {}) // each still believes that the other wants it
			w.pass(b, never, func() {})
		} else {
			a.wanted = nil
			w.settle()
			check("one wants it", true)
			if rapid.Bool().Draw(t, "and it is deleted") {
				a.deleting = true
				w.settle()
				check("one wants it, the other is deleted", true)
			}
			b.wanted = nil
		}
		w.settle()
		check("nobody wants it", false)
	})
}

// TestAManifestIsRenamed: one with the same grants takes over from one that is deleted, and can revoke them.
func TestAManifestIsRenamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, additive)
		w.settle()
		old := w.objects[0]
		old.deleting = true
		renamed := &object{name: "renamed", mode: additive, wanted: old.wanted}
		w.objects = append(w.objects, renamed)
		if rapid.Bool().Draw(t, "the old one first") {
			w.objects[0], w.objects[1] = renamed, old
			w.pass(old, never, func() {})
		}
		w.settle()
		w.checkSettled()
		renamed.wanted = nil
		w.settle()
		w.checkSettled()
	})
}
