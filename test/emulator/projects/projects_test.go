package projects

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestLookup(t *testing.T) {
	r := New(false)
	if err := r.Add(Project{ID: "mine", Number: 42}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"mine": "mine", "projects/mine": "mine", "42": "mine", "projects/42": "mine", "made-up": "made-up",
		"43": "", "": "", "Not-An-ID": "", "projects/": "",
	} {
		if p, found := r.Lookup(name); p.ID != want || found != (want != "") {
			t.Errorf("%q is %+v, %v", name, p, found)
		}
	}
	first, _ := r.Lookup("made-up")
	again, _ := New(false).Lookup("made-up")
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("made up twice (-first +again):\n%s", diff)
	}
	if got := r.NumberText("mine"); got != "42" {
		t.Errorf("number %s", got)
	}
}

func TestStrictKnowsOnlyWhatWasAdded(t *testing.T) {
	r := New(true)
	if err := r.Add(Project{ID: "mine"}); err != nil {
		t.Fatal(err)
	}
	if _, found := r.Lookup("other"); found {
		t.Error("found a project that nobody added")
	}
	if p, found := r.Lookup("mine"); !found || p.Number == 0 {
		t.Errorf("found %+v, %v", p, found)
	}
}

func TestAddRefuses(t *testing.T) {
	r := New(false)
	if err := r.Add(Project{ID: "mine", Number: 42}); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]Project{
		"a bad ID":          {ID: "My Project"},
		"a taken number":    {ID: "other", Number: 42},
		"a negative number": {ID: "other", Number: -1},
	} {
		if err := r.Add(p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := r.Add(Project{ID: "mine", Number: 43, Foreign: true}); err != nil {
		t.Errorf("changing a project: %v", err)
	}
	if _, found := r.Lookup("42"); found {
		t.Error("the old number is still known")
	}
	if err := r.Add(Project{ID: "mine"}); err != nil {
		t.Errorf("changing a project again: %v", err)
	}
	if p, _ := r.Known("mine"); p.Number != 43 || p.Foreign {
		t.Errorf("replaced without a number: %+v", p)
	}
}

func TestWithhold(t *testing.T) {
	r := New(false)
	if err := r.Withhold("mine", "x.get"); err == nil {
		t.Error("withholding in a project that is not there: no error")
	}
	if _, made := r.Known("mine"); made {
		t.Error("asking made a project up")
	}
	if err := r.Add(Project{ID: "mine"}); err != nil {
		t.Fatal(err)
	}
	if err := r.Withhold("mine", "x.get"); err != nil {
		t.Fatal(err)
	}
	p, _ := r.Known("mine")
	if diff := cmp.Diff([]string{"x.set"}, p.Held([]string{"x.get", "x.set"})); diff != "" || !p.Lacks("x.get") {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	if held := (Project{Foreign: true}).Held([]string{"x.get"}); len(held) > 0 {
		t.Errorf("held in others' project: %v", held)
	}
}

func TestDumpAndLoad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := New(false)
		for _, id := range rapid.SliceOf(rapid.StringMatching(`[a-z]([a-z0-9-]{0,10}[a-z0-9])?`)).Draw(t, "ids") {
			if _, found := r.Lookup(id); !found {
				t.Fatalf("%q was not made up", id)
			}
		}
		dump, err := json.Marshal(r.Dump())
		if err != nil {
			t.Fatal(err)
		}
		other := New(false)
		if err := other.Load(dump); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r.List(), other.List()); diff != "" {
			t.Fatalf("(-dumped +loaded):\n%s", diff)
		}
	})
}
