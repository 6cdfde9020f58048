package fair

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestTurns: several items of a tenant follow one another, and one of who asks for little comes first once in each of their turns.
func TestTurns(t *testing.T) {
	many, more, little, less := Tenant{"a", "p", ""}, Tenant{"b", "q", ""}, Tenant{"c", "r", ""}, Tenant{"d", "s", ""}
	repeat := func(of Tenant, times int) (all []Tenant) {
		for range times {
			all = append(all, of)
		}
		return all
	}
	cases := map[string]struct {
		waiting  [][]Tenant // in the order of their arrival
		together int
		may      func(Tenant) bool
		want     string
	}{
		"nobody":                              {nil, 3, anybody, ""},
		"one":                                 {[][]Tenant{repeat(many, 4)}, 3, anybody, "aaaa"},
		"two":                                 {[][]Tenant{repeat(many, 7), repeat(more, 5)}, 3, anybody, "aaabbbaaabba"},
		"one item at a time":                  {[][]Tenant{repeat(many, 4), repeat(more, 3)}, 0, anybody, "abababa"},
		"who asks for little":                 {[][]Tenant{repeat(many, 7), repeat(more, 4), repeat(little, 2)}, 3, anybody, "cacaabbbaaaba"},
		"whose turn it is asks for little":    {[][]Tenant{repeat(little, 2), repeat(less, 2)}, 3, anybody, "cdcd"},
		"several that ask for little":         {[][]Tenant{repeat(many, 7), repeat(little, 1), repeat(less, 1)}, 3, anybody, "cadaaaaaa"},
		"who asks for little may not now":     {[][]Tenant{repeat(many, 4), repeat(little, 1)}, 3, otherThan(little), "aaaa"},
		"whose turn it is may not, and waits": {[][]Tenant{repeat(many, 4), repeat(more, 4)}, 3, func(of Tenant) bool { return of == more }, "bbbb"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			turns := Turns[int]{Together: tc.together}
			for _, of := range tc.waiting {
				for _, one := range of {
					turns.Push(one, turns.Len())
				}
			}
			got := ""
			for {
				_, of, ok := turns.Next(tc.may)
				if !ok {
					break
				}
				got += of.Namespace
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("served (-want +got):\n%s", d)
			}
		})
	}
}

// TestTurnsAhead: who waits is told, by less than a turn, when its item comes, and not when the round is over.
func TestTurnsAhead(t *testing.T) {
	for name, served := range map[string]int{"before anything is served": 0, "within a turn": 100, "between two turns": 96} {
		t.Run(name, func(t *testing.T) {
			turns, tenants := Turns[int]{Together: 8}, map[int]Tenant{}
			for range 12 {
				for project := range 90 {
					of := Tenant{fmt.Sprint("team-", project), fmt.Sprint("project-", project), ""}
					tenants[turns.Len()] = of
					turns.Push(of, turns.Len())
				}
			}
			for range served {
				turns.Next(anybody)
			}
			told := map[int]int{}
			for item, of := range tenants {
				told[item] = turns.Ahead(of, item)
			}
			for ahead := 0; ; ahead++ {
				item, _, ok := turns.Next(anybody)
				if !ok {
					break
				}
				if off := told[item] - ahead; off < 0 || off >= turns.Together {
					t.Fatalf("%d are served before item %d, which was told %d", ahead, item, told[item])
				}
			}
		})
	}
}

// TestTurnsAheadOfLittle: what a person asks for is told that it comes next, however long the others' lines are.
func TestTurnsAheadOfLittle(t *testing.T) {
	turns := Turns[int]{Together: 8}
	for project := range 90 {
		for range 12 {
			turns.Push(Tenant{fmt.Sprint("team-", project), fmt.Sprint("project-", project), ""}, turns.Len())
		}
	}
	first, second := Tenant{"ada", "p", ""}, Tenant{"bob", "q", ""}
	turns.Push(first, -1)
	turns.Push(second, -2)
	turns.Push(second, -3)
	for of, items := range map[Tenant]map[int]int{first: {-1: 0}, second: {-2: 2, -3: 11}} {
		for item, want := range items {
			if got := turns.Ahead(of, item); got != want {
				t.Errorf("item %d of %v: told that %d are served first, want %d", item, of, got, want)
			}
		}
	}
	served := map[int]int{}
	for ahead := range 12 {
		if item, _, _ := turns.Next(anybody); item < 0 {
			served[item] = ahead
		}
	}
	if d := cmp.Diff(map[int]int{-1: 0, -2: 2, -3: 11}, served); d != "" {
		t.Errorf("so many were served before each (-want +got):\n%s", d)
	}
	if got := turns.Ahead(first, 4711); got != 0 {
		t.Errorf("what does not wait is told that %d are served first", got)
	}
}

// TestTurnsAheadOfPeopleProperty: however many projects a tool changes, a person whose items wait, there or elsewhere, is told no fewer than are
// served first, and those are not more than a turn for each item of a person.
func TestTurnsAheadOfPeopleProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		turns := Turns[int]{Together: rapid.IntRange(1, 8).Draw(t, "together")}
		const projects = 60
		for project := range projects {
			for range rapid.IntRange(1, 4).Draw(t, "items") {
				turns.Push(Tenant{fmt.Sprint("team-", project), fmt.Sprint("project-", project), "tool"}, turns.Len())
			}
		}
		for range rapid.IntRange(0, 9).Draw(t, "served") {
			turns.Next(anybody)
		}
		people, items := map[int]Tenant{}, 0
		for i, project := range rapid.SliceOfNDistinct(rapid.IntRange(0, projects+3), 1, 4, rapid.ID).Draw(t, "projects of people") {
			for range rapid.IntRange(1, brief).Draw(t, "items of a person") {
				items++
				of := Tenant{fmt.Sprint("team-", project), fmt.Sprint("project-", project), fmt.Sprint("person-", i)}
				people[-items] = of
				turns.Push(of, -items)
			}
		}
		told := map[int]int{}
		for item, of := range people {
			told[item] = turns.Ahead(of, item)
			if most := (items + 1) * (turns.Together + 1); told[item] > most {
				t.Errorf("item %d of %v: told that %d are served first, more than %d", item, of, told[item], most)
			}
		}
		for ahead := 0; len(people) > 0; ahead++ {
			item, of, ok := turns.Next(anybody)
			if !ok {
				t.Fatalf("%v are not served", people)
			}
			if item < 0 && ahead > told[item] {
				t.Errorf("%d are served before item %d of %v, which was told %d", ahead, item, of, told[item])
			}
			delete(people, item)
		}
	})
}

// TestManyNamesGetNoMore: who takes another name for each edit comes first as long as others who ask for little have more lines in their name,
// but is served no more often than each of them in the long run; and not out of turn at all where much waits at once.
func TestManyNamesGetNoMore(t *testing.T) {
	const people, served = 20, 4000
	another := func(edit int) string { return fmt.Sprint("eve-", edit) }
	cases := map[string]struct {
		atOnce int // how many edits wait at any time
		name   func(edit int) string
		ahead  int // how many more than a person has, at most
	}{
		"one after the other":      {1, another, people},
		"two at a time":            {2, another, people},
		"four at a time":           {4, another, people},
		"five at a time":           {5, another, 0},
		"hundreds at once":         {300, another, 0},
		"beside many of one name":  {300, func(edit int) string { return another(max(0, edit-298)) }, people},
		"hundreds of the same one": {300, func(int) string { return "eve" }, 8}, // the turn that was begun
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			turns, edits := Turns[int]{Together: 8}, 0
			ask := func(project, editor string) { turns.Push(Tenant{project, project, editor}, turns.Len()) }
			edit := func() { ask("eve", tc.name(edits)); edits++ }
			for range tc.atOnce {
				edit()
			}
			for i := range people {
				ask(fmt.Sprint("person-", i), "kubectl")
				for range 20 {
					ask(fmt.Sprint("fleet-", i), "tool")
				}
			}
			got := map[string]int{}
			for range served {
				_, of, _ := turns.Next(anybody)
				got[of.Project]++
				if of.Project == "eve" {
					edit()
				} else {
					ask(of.Project, of.Editor)
				}
			}
			if eve, person := got["eve"], got["person-0"]; eve > person+tc.ahead {
				t.Errorf("served %d times, and a person %d times", eve, person)
			}
			if got["fleet-0"] < served/people/3 {
				t.Errorf("of what a tool changes %d are served", got["fleet-0"])
			}
		})
	}
}
