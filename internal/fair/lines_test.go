package fair

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func anybody(Tenant) bool { return true }

func otherThan(these ...Tenant) func(Tenant) bool {
	return func(of Tenant) bool { return !slices.Contains(these, of) }
}

func TestLinesAreServedInTurn(t *testing.T) {
	cases := map[string]struct {
		waiting []Tenant // in the order of their arrival
		want    []string
	}{
		"one with many": {
			[]Tenant{{"a", "p", ""}, {"a", "p", ""}, {"a", "p", ""}, {"b", "q", ""}}, []string{"a/p 0", "b/q 3", "a/p 1", "a/p 2"},
		},
		"one namespace with many projects": {
			[]Tenant{{"a", "p1", ""}, {"a", "p2", ""}, {"a", "p3", ""}, {"b", "q", ""}}, []string{"a/p1 0", "b/q 3", "a/p2 1", "a/p3 2"},
		},
		"one project of many namespaces": {
			[]Tenant{{"a1", "p", ""}, {"a2", "p", ""}, {"a3", "p", ""}, {"b", "q", ""}}, []string{"a1/p 0", "b/q 3", "a2/p 1", "a3/p 2"},
		},
		"several namespaces of a project": {
			[]Tenant{{"a", "p", ""}, {"a", "p", ""}, {"a", "p", ""}, {"b", "p", ""}, {"b", "p", ""}, {"c", "p", ""}},
			[]string{"a/p 0", "b/p 3", "c/p 5", "a/p 1", "b/p 4", "a/p 2"},
		},
		"several of a project, and another one": {
			[]Tenant{
				{"a", "p", ""}, {"a", "p", ""}, {"a", "p", ""}, {"b", "p", ""},
				{"d", "q", ""}, {"d", "q", ""}, {"d", "q", ""}, {"d", "q", ""}, {"c", "p", ""},
			},
			[]string{"a/p 0", "d/q 4", "b/p 3", "d/q 5", "c/p 8", "d/q 6", "a/p 1", "d/q 7", "a/p 2"},
		},
		"several editors in a project, and another one": {
			[]Tenant{{"a", "p", "x"}, {"a", "p", "y"}, {"a", "p", "x"}, {"a", "p", "z"}, {"b", "q", "x"}, {"b", "q", "x"}},
			[]string{"a/p 0", "b/q 4", "a/p 1", "b/q 5", "a/p 2", "a/p 3"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var l Lines[string]
			for i, of := range tc.waiting {
				l.Push(of, fmt.Sprintf("%s/%s %d", of.Namespace, of.Project, i))
			}
			var got []string
			for {
				item, _, ok := l.Next(anybody)
				if !ok {
					break
				}
				got = append(got, item)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("served (-want +got):\n%s", diff)
			}
		})
	}
}

// Nothing is lost or doubled, each line keeps its order, of the editors of a namespace in a project the one comes first that arrived first, and
// while something is the first of its line no other namespace and no other project has more than one turn; two if it is the first because
// something of its namespace or its project was served just before.
func TestLinesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Lines[int]
		waiting := map[Tenant][]int{}
		had := map[string]bool{} // namespaces and projects that had a turn
		type first struct {
			most   int
			others map[string]int // turns, by namespace and by project
			within map[string]int // of the same project, by namespace
		}
		since := map[Tenant]*first{}
		flows := func(of Tenant) []string { return []string{"namespace " + of.Namespace, "project " + of.Project} }
		names, editors := rapid.SampledFrom([]string{"a", "b", "c", "d"}), rapid.SampledFrom([]string{"", "tool"})
		length := 0
		serve := func() {
			item, served, ok := l.Next(anybody)
			if ok != (length > 0) {
				t.Fatalf("found %v of %d", ok, length)
			}
			if !ok {
				return
			}
			if waiting[served][0] != item {
				t.Fatalf("served %d, before %d", item, waiting[served][0])
			}
			waiting[served] = waiting[served][1:]
			length--
			delete(since, served)
			for of, one := range since {
				if of.Namespace == served.Namespace && of.Project == served.Project && waiting[of][0] < item {
					t.Fatalf("served %d before %d, which another editor asked for there", item, waiting[of][0])
				}
				switch {
				case of.Namespace == served.Namespace: // it had a turn, as a namespace
					*one = first{2, map[string]int{}, map[string]int{}}
					continue
				case of.Project == served.Project:
					one.within[served.Namespace]++
					if one.within[served.Namespace] > 2 {
						t.Fatalf("%s had %d turns of the project while %v waited", served.Namespace, one.within[served.Namespace], of)
					}
					one.most, one.others = 2, map[string]int{}
					continue
				}
				for _, flow := range flows(served) {
					one.others[flow]++
					if one.others[flow] > one.most {
						t.Fatalf("%s had %d turns while %v waited", flow, one.others[flow], of)
					}
				}
			}
			for _, flow := range flows(served) {
				had[flow] = true
			}
		}
		for i := range rapid.IntRange(1, 80).Draw(t, "steps") {
			of := Tenant{names.Draw(t, "namespace"), names.Draw(t, "project"), editors.Draw(t, "editor")}
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				if len(waiting[of]) > 0 {
					which := rapid.IntRange(0, len(waiting[of])-1).Draw(t, "which")
					if !l.Remove(of, waiting[of][which]) {
						t.Fatalf("%d is not there", waiting[of][which])
					}
					waiting[of] = slices.Delete(waiting[of], which, which+1)
					length--
				}
			case 1, 2:
				serve()
			default:
				l.Push(of, i)
				waiting[of] = append(waiting[of], i)
				length++
			}
			for tenant, items := range waiting {
				switch {
				case len(items) == 0:
					delete(since, tenant)
				case since[tenant] == nil && slices.ContainsFunc(flows(tenant), func(flow string) bool { return had[flow] }):
					since[tenant] = &first{2, map[string]int{}, map[string]int{}}
				case since[tenant] == nil:
					since[tenant] = &first{1, map[string]int{}, map[string]int{}}
				}
			}
			if l.Len() != length {
				t.Fatalf("%d wait, not %d", l.Len(), length)
			}
			editing, within := map[string]int{}, map[Tenant]int{}
			for tenant := range since {
				editing[tenant.Editor]++
				within[Tenant{Namespace: tenant.Namespace, Project: tenant.Project}]++
			}
			counted := map[string]int{}
			for name, e := range l.editors {
				counted[name] = e.lines
			}
			if d := cmp.Diff(editing, counted); d != "" {
				t.Fatalf("lines of editors (-want +got):\n%s", d)
			}
			for tenant, lines := range within {
				if got := l.projects[tenant.Project].namespaces[tenant.Namespace].lines; got != lines {
					t.Fatalf("%v has %d lines, not %d", tenant, got, lines)
				}
			}
		}
		for length > 0 {
			serve()
		}
	})
}

func TestLinesPassOverWhoMayNot(t *testing.T) {
	var l Lines[string]
	l.Push(Tenant{"a", "p", ""}, "a")
	l.Push(Tenant{"b", "q", ""}, "b")
	notA := func(of Tenant) bool { return of.Namespace != "a" }
	if item, _, ok := l.Next(notA); !ok || item != "b" {
		t.Errorf("got %q", item)
	}
	if l.Any(notA) || !l.Any(anybody) {
		t.Error("a is the one that waits")
	}
	if item, _, ok := l.Next(notA); ok {
		t.Errorf("got %q", item)
	}
}

func TestWhoIsServedOutOfTurn(t *testing.T) {
	a, b, c, d := Tenant{"a", "p", ""}, Tenant{"b", "q", ""}, Tenant{"c", "r", ""}, Tenant{"d", "s", ""}
	ada, bob, tool := Tenant{"a", "p", "ada"}, Tenant{"b", "q", "bob"}, func(of Tenant) Tenant { of.Editor = "tool"; return of }
	serve := Tenant{} // the first of a is served
	cases := map[string]struct {
		waiting []Tenant // in the order of their arrival
		may     func(Tenant) bool
		want    []Tenant
	}{
		"nobody waits":              {nil, anybody, nil},
		"nobody asks for so little": {[]Tenant{a, a, a}, anybody, nil},
		"who asks for little":       {[]Tenant{a, a, b, c, c, c}, anybody, []Tenant{a, b, a}},
		"each of several in turn":   {[]Tenant{a, b, b, c, a}, anybody, []Tenant{a, b, c, b, a}},
		"who has asked for more does not, though little is left": {[]Tenant{a, a, a, b, serve, serve}, anybody, []Tenant{b}},
		"among those who may have one now":                       {[]Tenant{a, b, c, d}, otherThan(b, c), []Tenant{a, d}},
		"a person before a tool that changes everything":         {[]Tenant{tool(b), tool(c), ada}, anybody, []Tenant{ada, tool(b), tool(c)}},
		"a person before a tool in the same project": {
			[]Tenant{tool(a), tool(a), tool(a), tool(b), tool(c), ada, ada}, anybody, []Tenant{ada, ada, tool(b), tool(c)},
		},
		"each of two people in turn": {
			[]Tenant{tool(c), tool(d), tool(a), bob, bob, ada, ada}, anybody, []Tenant{bob, ada, bob, ada, tool(c), tool(d), tool(a)},
		},
		"four in a project": {
			[]Tenant{tool(a), ada, {"a", "p", "bob"}, a, tool(b)}, anybody, []Tenant{ada, {"a", "p", "bob"}, tool(b), tool(a), a},
		},
		"nobody where more do": {[]Tenant{tool(a), ada, {"a", "p", "bob"}, {"a", "p", "eve"}, a, tool(b)}, anybody, []Tenant{tool(b)}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var l Lines[int]
			for i, of := range tc.waiting {
				if of == serve {
					l.NextOf(a)
					continue
				}
				l.Push(of, i)
			}
			var got []Tenant
			for {
				_, of, ok := l.NextBrief(tc.may)
				if !ok {
					break
				}
				got = append(got, of)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("served (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("each counts as a turn", func(t *testing.T) {
		for name, serve := range map[string]func(l *Lines[int]){
			"by name":                    func(l *Lines[int]) { l.NextOf(a) },
			"because it asks for little": func(l *Lines[int]) { l.NextBrief(func(of Tenant) bool { return of == a }) },
		} {
			var l Lines[int]
			for _, of := range []Tenant{a, a, b} {
				l.Push(of, l.Len())
			}
			serve(&l)
			if _, of, _ := l.Next(anybody); of != b {
				t.Errorf("%s: then it is the turn of %v", name, of)
			}
		}
	})
	t.Run("nobody of that name waits", func(t *testing.T) {
		var l Lines[int]
		l.Push(a, 1)
		if _, ok := l.NextOf(b); ok || l.Len() != 1 {
			t.Error("served")
		}
	})
}
