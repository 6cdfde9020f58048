package iampolicy

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/internal/diff"
)

const self = "holdfast@ops.iam.gserviceaccount.com"

func selfOf(email string) Self { return Self{Email: email} }

var (
	fridays = Condition{Title: "fridays", Expression: `request.time.getDayOfWeek() == 5`}
	logs    = Condition{Title: "logs", Expression: `resource.name.startsWith("projects/_/buckets/logs")`}
	etag    = []byte("BwWWja0YfJA=")
)

func to(role string, members ...string) Binding { return Binding{Role: role, Members: members} }

func toIf(c Condition, role string, members ...string) Binding {
	return Binding{Role: role, Members: members, Condition: c}
}

func policy(bindings ...Binding) Policy { return Policy{Bindings: bindings, Etag: etag} }

// grants are those that a policy of the bindings makes.
func grants(bindings ...Binding) []Grant {
	var out []Grant
	for _, b := range bindings {
		for _, m := range b.Members {
			out = append(out, Grant{b.Role, m, b.Condition})
		}
	}
	return out
}

// read is the plan in lines, so that a table can show it.
func read(p Plan) []string {
	var out []string
	for _, c := range p.Changes {
		switch {
		case c.From == "":
			out = append(out, "+ "+c.Path)
		case c.To == "":
			out = append(out, "- "+c.Path)
		default:
			out = append(out, "~ "+c.Path+" "+c.From+" "+c.To)
		}
	}
	lines := func(what string, grants []Grant) {
		for _, g := range grants {
			out = append(out, what+" "+g.line())
		}
	}
	lines("own", p.Own)
	for _, k := range p.Kept {
		out = append(out, "kept "+k.line()+": "+k.Why)
	}
	lines("deleted", p.Deleted)
	if p.Hold != "" {
		out = append(out, "hold "+p.Hold)
	}
	if p.Refusal != "" {
		out = append(out, "refusal "+p.Refusal)
	}
	return out
}

func (g Grant) line() string {
	if g.Condition.Title != "" {
		return g.Role + " if " + g.Condition.Title + " " + g.Member
	}
	return g.Role + " " + g.Member
}

// plan makes a plan as the engine would, checks what is true of each, and reads it.
func plan(t *testing.T, in Input) (Plan, []string) {
	t.Helper()
	if in.Prefix == "" {
		in.Prefix = "spec"
	}
	if in.Live.Etag == nil {
		in.Live.Etag = etag
	}
	if in.MaxRemovals == 0 {
		in.MaxRemovals = DefaultMaxRemovals
	}
	p := Make(in)
	check(t, in, p)
	return p, read(p)
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// check holds a plan against what is true of every plan.
func check(t fataler, in Input, p Plan) {
	t.Helper()
	checkNext(t, in, p)
	checkChanges(t, in, p)
	for what, list := range map[string][]Grant{"own": p.Own, "had": p.Had, "add": p.Add, "revoke": p.Revoke, "deleted": p.Deleted} {
		for _, g := range list {
			if g != g.Normal() {
				t.Fatalf("%s has %+v, which is not in its normal form", what, g)
			}
		}
		if !slices.IsSortedFunc(list, compareGrants) || len(slices.Compact(slices.Clone(list))) < len(list) {
			t.Fatalf("%s is not in order, or has something twice: %v", what, list)
		}
	}
	if p.Writes && (len(in.Live.Etag) == 0 || p.Refusal != "" || !bytes.Equal(p.Next.Etag, in.Live.Etag)) {
		t.Fatalf("a write with the etag %q, read %q, refusal %q", p.Next.Etag, in.Live.Etag, p.Refusal)
	}
	if p.Refusal != "" && (p.Hold != "" || len(p.Changes) == 0) {
		t.Fatalf("refused for %q, with hold %q and %d changes", p.Refusal, p.Hold, len(p.Changes))
	}
}

// checkNext: the next policy is the live one without what is revoked and with what is added; bindings of other roles and
// conditions are as they were read.
func checkNext(t fataler, in Input, p Plan) {
	t.Helper()
	want := setOf(grants(in.Live.Bindings...))
	touched := map[Grant]bool{}
	for _, g := range p.Revoke {
		if !want.has(g) {
			t.Fatalf("revokes %v, which nobody has", g)
		}
		delete(want, g)
		touched[Grant{Role: g.Role, Condition: g.Condition}] = true
	}
	for _, g := range p.Add {
		if want.has(g) {
			t.Fatalf("adds %v, which is there", g)
		}
		want.add(g)
		touched[Grant{Role: g.Role, Condition: g.Condition}] = true
	}
	if d := cmp.Diff(want, setOf(grants(p.Next.Bindings...))); d != "" {
		t.Fatalf("the next policy (-want +got):\n%s", d)
	}
	untouched := func(bindings []Binding) []Binding {
		return slices.DeleteFunc(slices.Clone(bindings), func(b Binding) bool {
			return touched[Grant{Role: b.Role, Condition: b.Condition.Normal()}]
		})
	}
	if d := cmp.Diff(untouched(in.Live.Bindings), untouched(p.Next.Bindings), cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("what is not touched has changed (-live +next):\n%s", d)
	}
	for _, b := range p.Next.Bindings {
		if len(b.Members) == 0 && touched[Grant{Role: b.Role, Condition: b.Condition.Normal()}] && p.Writes &&
			!slices.ContainsFunc(in.Live.Bindings, func(was Binding) bool { return len(was.Members) == 0 }) {
			t.Fatalf("a binding of %s without members", b.Role)
		}
	}
	if !p.Writes && cmp.Diff(in.Live, p.Next) != "" {
		t.Fatalf("nothing is to be written, and the next policy is not the live one")
	}
}

// checkChanges: the changes are what is written and what is refused, in order, each once.
func checkChanges(t fataler, in Input, p Plan) {
	t.Helper()
	paths := map[string]bool{}
	for _, c := range p.Changes {
		if paths[c.Path] {
			t.Fatalf("two changes of %s", c.Path)
		}
		paths[c.Path] = true
	}
	if !slices.IsSortedFunc(p.Changes, func(a, b diff.Change) int { return strings.Compare(a.Path, b.Path) }) {
		t.Fatalf("changes are not in order: %v", p.Changes.Paths())
	}
	for _, g := range slices.Concat(p.Add, p.Revoke) {
		if !paths[g.path(in.Prefix)] {
			t.Fatalf("%v is changed without a word", g)
		}
	}
}
