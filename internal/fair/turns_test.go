package fair

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTurns: several items of a tenant follow one another, and every other turn is for who asks for little.
func TestTurns(t *testing.T) {
	many, more, little, less := Tenant{"a", "p"}, Tenant{"b", "q"}, Tenant{"c", "r"}, Tenant{"d", "s"}
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
		"who asks for little":                 {[][]Tenant{repeat(many, 7), repeat(more, 4), repeat(little, 2)}, 3, anybody, "aaacbbbcaaaba"},
		"several that ask for little":         {[][]Tenant{repeat(many, 7), repeat(little, 1), repeat(less, 1)}, 3, anybody, "aaacdaaaa"},
		"who asks for little may not now":     {[][]Tenant{repeat(many, 4), repeat(little, 1)}, 3, func(of Tenant) bool { return of != little }, "aaaa"},
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
					of := Tenant{fmt.Sprint("team-", project), fmt.Sprint("project-", project)}
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
			turns.Push(Tenant{fmt.Sprint("team-", project), fmt.Sprint("project-", project)}, turns.Len())
		}
	}
	first, second := Tenant{"ada", "p"}, Tenant{"bob", "q"}
	turns.Push(first, -1)
	turns.Push(second, -2)
	turns.Push(second, -3)
	for of, items := range map[Tenant]map[int]int{first: {-1: 8}, second: {-2: 17, -3: 26}} {
		for item, want := range items {
			if got := turns.Ahead(of, item); got != want {
				t.Errorf("item %d of %v: told that %d are served first, want %d", item, of, got, want)
			}
		}
	}
	for ahead := range 27 {
		if item, _, _ := turns.Next(anybody); item < 0 && ahead != 9*(-item)-1 {
			t.Errorf("item %d is served after %d", item, ahead)
		}
	}
	if got := turns.Ahead(first, 4711); got != 0 {
		t.Errorf("what does not wait is told that %d are served first", got)
	}
}
