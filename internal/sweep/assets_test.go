package sweep

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

const topicAsset = "pubsub.googleapis.com/Topic"

// kinds are a kind with fields, a policy of projects, and a kind that Cloud Asset Inventory does not list.
var kinds = []kind.Kind{
	{
		Traits: kind.Traits{Kind: "Topic", AssetType: topicAsset},
		ExternalName: func(ref kind.Ref) string {
			return "//pubsub.googleapis.com/projects/" + ref.Project + "/topics/" + ref.ID
		},
		Fields: &kind.Fields{},
	},
	{Traits: kind.Traits{Kind: "ProjectPolicy", AssetType: kind.ProjectAsset}},
	{Traits: kind.Traits{Kind: "Dataset"}, Fields: &kind.Fields{}},
}

// scope is what Cloud Asset Inventory shows, a page for each asset.
type scope struct {
	projects map[string]string // IDs by number
	// fields and policies are prints of topics by their names (shop/orders), those of projects' policies by the project.
	fields, policies map[string]uint64
	// fails is the content whose list ends after its first page.
	fails kind.AssetContent
	asked [][]string
	// state is a print of all projects.
	state uint64
}

func (s *scope) ListAssets(_ context.Context, types []string, content kind.AssetContent, yield func([]kind.Asset)) error {
	s.asked = append(s.asked, types)
	number := func(id string) string {
		for number, project := range s.projects {
			if project == id {
				return number
			}
		}
		return "0" // not in the scope any more
	}
	if content == kind.AssetResources && types[0] == kind.ProjectAsset {
		for number, id := range s.projects {
			yield([]kind.Asset{{Type: kind.ProjectAsset, Name: "//crm/projects/" + number, ProjectNumber: number, ProjectID: id, Print: s.state}})
		}
		return nil
	}
	prints := s.fields
	if content == kind.AssetPolicies {
		prints = s.policies
	}
	for name, sum := range prints {
		var project, id string
		if _, err := fmt.Sscanf(name, "%4s/%s", &project, &id); err != nil {
			yield([]kind.Asset{{Type: kind.ProjectAsset, Name: "//crm/projects/" + number(name), ProjectNumber: number(name), Print: sum}})
			continue
		}
		yield([]kind.Asset{{
			Type: topicAsset, Name: "//pubsub.googleapis.com/projects/" + project + "/topics/" + id, ProjectNumber: number(project), Print: sum,
		}})
		if s.fails == content {
			break
		}
	}
	if s.fails == content {
		return errors.New("cut off")
	}
	return nil
}

// steady is a scope in which nothing happens.
func steady() *scope {
	return &scope{
		projects: map[string]string{"1": "shop", "2": "bank"},
		fields:   map[string]uint64{"shop/orders": 1, "shop/events": 2, "bank/orders": 3},
		policies: map[string]uint64{"shop/orders": 4, "shop": 5},
	}
}

func listing(t *testing.T, s *scope) *Listing {
	t.Helper()
	l, err := List(t.Context(), s, kinds)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestChanges(t *testing.T) {
	topic := func(project, id string) Resource { return Resource{"Topic", project, id} }
	cases := map[string]struct {
		change func(*scope)
		want   []Resource
	}{
		"nothing":            {func(*scope) {}, nil},
		"a field":            {func(s *scope) { s.fields["shop/events"] = 9 }, []Resource{topic("shop", "events")}},
		"a policy":           {func(s *scope) { s.policies["shop/orders"] = 9 }, []Resource{topic("shop", "orders")}},
		"the first policy":   {func(s *scope) { s.policies["bank/orders"] = 9 }, []Resource{topic("bank", "orders")}},
		"no policy any more": {func(s *scope) { delete(s.policies, "shop/orders") }, []Resource{topic("shop", "orders")}},
		"a project's policy": {func(s *scope) { s.policies["shop"] = 9 }, []Resource{{"ProjectPolicy", "shop", ""}}},
		"new":                {func(s *scope) { s.fields["bank/new"] = 1 }, []Resource{topic("bank", "new")}},
		"gone":               {func(s *scope) { delete(s.fields, "bank/orders") }, []Resource{topic("bank", "orders")}},
		"all at once": {
			func(s *scope) { s.fields = map[string]uint64{"bank/zebra": 1, "shop/aard": 1, "shop/orders": 1} },
			[]Resource{topic("bank", "orders"), topic("bank", "zebra"), topic("shop", "aard"), topic("shop", "events")},
		},
		"a project leaves the scope": {
			func(s *scope) { delete(s.projects, "2") }, []Resource{{"ProjectPolicy", "bank", ""}, topic("bank", "orders")},
		},
		"a project comes": {func(s *scope) { s.projects["3"] = "mint" }, []Resource{{"ProjectPolicy", "mint", ""}}},
		"the policy of what is not there": {
			func(s *scope) { s.policies["shop/ghost"] = 9 }, nil,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := steady()
			before := listing(t, s)
			tc.change(s)
			if d := cmp.Diff(tc.want, Changes(before, listing(t, s)), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
		})
	}
	if got := Changes(nil, listing(t, steady())); got != nil {
		t.Errorf("changes since nothing: %v", got)
	}
}

// A listing is whole or none, whichever list is cut off.
func TestListingsAreWhole(t *testing.T) {
	for _, content := range []kind.AssetContent{kind.AssetResources, kind.AssetPolicies} {
		s := steady()
		s.fails = content
		if l, err := List(t.Context(), s, kinds); err == nil || l != nil {
			t.Errorf("%s: got %v, %v", content, l, err)
		}
	}
}

// Projects are asked for first, and no type that nobody has.
func TestWhatIsListed(t *testing.T) {
	s := steady()
	listing(t, s)
	want := [][]string{{kind.ProjectAsset}, {topicAsset}, {kind.ProjectAsset, topicAsset}}
	if d := cmp.Diff(want, s.asked); d != "" {
		t.Errorf("types (-want +got):\n%s", d)
	}
}

func TestUndeclared(t *testing.T) {
	l := listing(t, steady())
	declared := func(r Resource) bool { return r == Resource{"Topic", "shop", "orders"} }
	if d := cmp.Diff(map[string]int{"shop": 1, "bank": 1}, l.Undeclared(kinds[0], declared)); d != "" {
		t.Errorf("undeclared (-want +got):\n%s", d)
	}
}

func TestCoverage(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	start := now
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	c := NewCoverage(Schedule{10 * time.Minute}, Schedule{6 * time.Hour}, func() time.Time { return now })
	spares := func(when string, want bool, project string, looked time.Time) {
		t.Helper()
		if got := c.Spares(kinds[0], project, looked); got != want {
			t.Errorf("%s: %v", when, got)
		}
	}
	spares("without a listing", false, "shop", at(0))
	now = at(2)
	if got := c.Take(listing(t, steady())); got != nil {
		t.Errorf("after the first listing: %v", got)
	}
	spares("not looked at since the listing", false, "shop", at(1))
	spares("looked at since", true, "shop", at(2))
	spares("never looked at", false, "shop", time.Time{})
	spares("out of the scope", false, "mint", at(2))
	if c.Spares(kinds[2], "shop", at(2)) {
		t.Error("a kind that is not listed")
	}
	s := steady()
	s.fields["shop/events"] = 9
	s.projects["3"] = "mint"
	now = at(12)
	if d := cmp.Diff([]Resource{{"ProjectPolicy", "mint", ""}, {"Topic", "shop", "events"}}, c.Take(listing(t, s))); d != "" {
		t.Errorf("after the second (-want +got):\n%s", d)
	}
	spares("looked at after the first", true, "shop", at(5))
	spares("looked at before a project came into the scope", false, "mint", at(5))
	now = at(42)
	spares("the last listing is half an hour old", true, "shop", at(5))
	now = at(43)
	spares("and older", false, "shop", at(5))
	if n := c.Projects(); n != 0 {
		t.Errorf("%d projects are covered", n)
	}
	c.Take(listing(t, s))
	spares("there is one again: nothing was missed in between", true, "shop", at(5))
	if n := c.Projects(); n != 3 {
		t.Errorf("%d projects are covered", n)
	}
	s.state++
	c.Take(listing(t, s))
	spares("the projects have changed", false, "shop", at(5))
	spares("and were looked at since", true, "shop", at(43))
	c.Lose()
	spares("lost", false, "shop", at(43))
	now = at(43 + 7*60)
	c.Take(listing(t, s))
	spares("six hours have passed", false, "shop", at(43))
	var none *Coverage
	if none.Spares(kinds[0], "shop", now) {
		t.Error("nothing covers something")
	}
}

// TestSizeOfAListing: of 100,000 assets, 10 MiB are kept at most.
func TestSizeOfAListing(t *testing.T) {
	const assets, most = 100_000, 10 << 20
	measure := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	s := &scope{projects: map[string]string{}, fields: map[string]uint64{}, policies: map[string]uint64{}}
	for i := range assets / 100 {
		s.projects[fmt.Sprint(100_000_000_000+i)] = fmt.Sprintf("p%03d", i) // Sscanf takes four characters
	}
	many := pages{s, assets}
	before := measure()
	l, err := List(t.Context(), many, kinds)
	if err != nil {
		t.Fatal(err)
	}
	size := measure() - before
	if len(l.found) != assets+assets/100 {
		t.Fatalf("%d assets", len(l.found))
	}
	t.Logf("%d assets take %.1f MiB", len(l.found), float64(size)/(1<<20))
	if size > most {
		t.Errorf("%d bytes, want at most %d", size, most)
	}
	runtime.KeepAlive(l)
}

// pages are those of a large scope, as they come from the wire: each with strings of its own.
type pages struct {
	*scope
	topics int
}

func (p pages) ListAssets(ctx context.Context, types []string, content kind.AssetContent, yield func([]kind.Asset)) error {
	if types[0] == kind.ProjectAsset && content == kind.AssetResources {
		return p.scope.ListAssets(ctx, types, content, yield)
	}
	for i := range p.topics {
		project := i / 100
		name := fmt.Sprintf("//pubsub.googleapis.com/projects/p%03d/topics/orders-of-a-team-%03d", project, i%100)
		yield([]kind.Asset{{Type: topicAsset, Name: name, OwnName: name, ProjectNumber: fmt.Sprint(100_000_000_000 + project), Print: uint64(i + 1)}})
	}
	return nil
}
