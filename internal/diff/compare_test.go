package diff

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestCompare(t *testing.T) {
	live := thingSpec{
		Location: "EU", Class: "NEARLINE", Labels: map[string]string{"team": "shop", "cost": "42"}, Regions: []string{"a", "b"},
		Pays: new(true), Website: &website{Page: "index.html", NotFound: "404.html"}, Source: &source{Bucket: "in", Globs: []string{"*"}},
	}
	cases := map[string]struct {
		desired thingSpec
		live    thingSpec
		applied []string
		changes Changes
		managed []string
		want    func(*thingSpec)
	}{
		"nothing set is nothing managed": {live: live},
		"the common spec takes no part": {
			desired: thingSpec{CommonSpec: v1alpha1.CommonSpec{ProjectID: "p", Management: v1alpha1.ManagementObserve}}, live: live,
		},
		"letter case that means nothing": {desired: thingSpec{Location: "eu"}, live: live, managed: []string{"spec.location"}},
		"order that means nothing":       {desired: thingSpec{Regions: []string{"b", "a"}}, live: live, managed: []string{"spec.regions"}},
		"a scalar": {
			desired: thingSpec{Class: "ARCHIVE"}, live: live,
			changes: Changes{{"spec.class", `"NEARLINE"`, `"ARCHIVE"`}}, managed: []string{"spec.class"},
			want: func(s *thingSpec) { s.Class = "ARCHIVE" },
		},
		"an explicit false": {
			desired: thingSpec{Pays: new(false)}, live: live,
			changes: Changes{{"spec.pays", "true", "false"}}, managed: []string{"spec.pays"},
			want: func(s *thingSpec) { s.Pays = new(false) },
		},
		"a map is owned by key: others' keys stay": {
			desired: thingSpec{Labels: map[string]string{"team": "bank", "new": "x"}}, live: live,
			changes: Changes{{"spec.labels[new]", "", `"x"`}, {"spec.labels[team]", `"shop"`, `"bank"`}},
			managed: []string{"spec.labels[new]", "spec.labels[team]"},
			want:    func(s *thingSpec) { s.Labels = map[string]string{"team": "bank", "cost": "42", "new": "x"} },
		},
		"an empty string is a value in a map": {
			desired: thingSpec{Labels: map[string]string{"new": ""}}, live: live,
			changes: Changes{{"spec.labels[new]", "", `""`}}, managed: []string{"spec.labels[new]"},
			want: func(s *thingSpec) { s.Labels = map[string]string{"team": "shop", "cost": "42", "new": ""} },
		},
		"an empty string in a map is reset by removing the key": {
			live: thingSpec{Class: "X", Labels: map[string]string{"new": ""}}, applied: []string{"spec.labels[new]"},
			changes: Changes{{"spec.labels[new]", `""`, ""}},
			want:    func(s *thingSpec) { s.Labels = map[string]string{} },
		},
		"a list is owned whole": {
			desired: thingSpec{Regions: []string{"a"}}, live: live,
			changes: Changes{{"spec.regions", `["a","b"]`, `["a"]`}}, managed: []string{"spec.regions"},
			want: func(s *thingSpec) { s.Regions = []string{"a"} },
		},
		"an explicit [] is managed": {
			desired: thingSpec{Regions: []string{}}, live: live,
			changes: Changes{{"spec.regions", `["a","b"]`, `[]`}}, managed: []string{"spec.regions"},
			want: func(s *thingSpec) { s.Regions = []string{} },
		},
		"an explicit [] where there is nothing": {desired: thingSpec{Regions: []string{}}, live: thingSpec{Class: "X"}, managed: []string{"spec.regions"}},
		"a struct is owned by leaf": {
			desired: thingSpec{Website: &website{Page: "home.html"}}, live: live,
			changes: Changes{{"spec.website.page", `"index.html"`, `"home.html"`}}, managed: []string{"spec.website.page"},
			want: func(s *thingSpec) { s.Website.Page = "home.html" },
		},
		"an explicit {} is managed": {
			desired: thingSpec{Website: &website{}}, live: live,
			changes: Changes{{"spec.website", `{"page":"index.html","notFound":"404.html"}`, `{}`}}, managed: []string{"spec.website"},
			want: func(s *thingSpec) { s.Website = nil },
		},
		"an explicit {} where there is nothing": {desired: thingSpec{Website: &website{}}, live: thingSpec{Class: "X"}, managed: []string{"spec.website"}},
		"a union is compared and written whole": {
			desired: thingSpec{Source: &source{Stream: "s"}}, live: live,
			changes: Changes{{"spec.source", `{"bucket":"in","globs":["*"]}`, `{"stream":"s"}`}}, managed: []string{"spec.source"},
			want: func(s *thingSpec) { s.Source = &source{Stream: "s"} },
		},
		"a struct that live lacks": {
			desired: thingSpec{Website: &website{Days: new(int32(0))}}, live: thingSpec{Class: "X"},
			changes: Changes{{"spec.website.days", "", "0"}}, managed: []string{"spec.website.days"},
			want: func(s *thingSpec) { s.Website = &website{Days: new(int32(0))} },
		},
		"what left the manifest is reset": {
			live: live, applied: []string{"spec.class", "spec.labels[team]", "spec.pays", "spec.regions", "spec.website.page"},
			changes: Changes{
				{"spec.class", `"NEARLINE"`, `"STANDARD"`}, {"spec.labels[team]", `"shop"`, ""}, {"spec.pays", "true", "false"},
				{"spec.regions", `["a","b"]`, ""}, {"spec.website.page", `"index.html"`, ""},
			},
			want: func(s *thingSpec) {
				s.Class, s.Pays, s.Regions, s.Website = "STANDARD", new(false), nil, &website{NotFound: "404.html"}
				s.Labels = map[string]string{"cost": "42"}
			},
		},
		"the last leaf that is reset takes its struct along": {
			live: thingSpec{Website: &website{Page: "index.html"}}, applied: []string{"spec.website.page"},
			changes: Changes{{"spec.website.page", `"index.html"`, ""}},
			want:    func(s *thingSpec) { s.Website = nil },
		},
		"what left and is at its default already": {live: thingSpec{Class: "STANDARD"}, applied: []string{"spec.class", "spec.website.page", "spec.labels[team]"}},
		"a leaf that gave way to an explicit {}": {
			desired: thingSpec{Website: &website{}}, live: thingSpec{Class: "X"}, applied: []string{"spec.website.page"}, managed: []string{"spec.website"},
		},
		"an applied path that no longer exists": {live: live, applied: []string{"spec.gone", "spec.class.below"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := Compare(&thing{Spec: tc.desired}, &thing{Spec: tc.live}, tc.applied, thingFields)
			if d := cmp.Diff(tc.changes, got.Changes, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tc.managed, got.Managed, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("managed (-want +got):\n%s", d)
			}
			want := tc.live.copy()
			if tc.want != nil {
				tc.want(want)
			}
			if d := cmp.Diff(*want, got.Want.Spec); d != "" {
				t.Errorf("want (-want +got):\n%s", d)
			}
			if d := cmp.Diff(*want, Apply(&thing{Spec: *tc.live.copy()}, got.Changes, thingFields).Spec, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("live with all changes applied (-want +got):\n%s", d)
			}
		})
	}
}

func TestCompareWithNothingLive(t *testing.T) {
	got := Compare(&thing{Spec: thingSpec{Pays: new(false), Class: "STANDARD"}}, &thing{}, nil, thingFields)
	want := Changes{{"spec.class", "", `"STANDARD"`}, {"spec.pays", "", "false"}}
	if d := cmp.Diff(want, got.Changes); d != "" {
		t.Errorf("all that a manifest sets is a change where nothing is live (-want +got):\n%s", d)
	}
}

func TestChanges(t *testing.T) {
	changes := Changes{{Path: "spec.labels[team]", To: `"x"`}, {Path: "spec.website.page"}}
	cases := map[string]struct {
		path string
		want bool
	}{
		"the path":                   {"spec.website.page", true},
		"above it":                   {"spec.website", true},
		"a map by its key":           {"spec.labels", true},
		"a path that only begins so": {"spec.web", false},
		"below it":                   {"spec.website.page.x", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := changes.Has(tc.path); got != tc.want {
				t.Errorf("Has(%q) = %v, want %v", tc.path, got, tc.want)
			}
		})
	}
}

// Of some changes, the others stay as they are live.
func TestApplySomeChanges(t *testing.T) {
	live := &thing{Spec: thingSpec{Class: "STANDARD", Labels: map[string]string{"team": "shop"}, Website: &website{Page: "index", NotFound: "404"}}}
	got := Apply(live, Changes{{Path: "spec.website.notFound", From: `"404"`}, {Path: "spec.pays", To: "true"}}, thingFields).Spec
	want := thingSpec{Class: "STANDARD", Labels: map[string]string{"team": "shop"}, Website: &website{Page: "index"}, Pays: new(true)}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("applied (-want +got):\n%s", d)
	}
	if live.Spec.Website.NotFound == "" || live.Spec.Pays != nil {
		t.Errorf("live was changed: %+v", live.Spec)
	}
}

func TestFrees(t *testing.T) {
	fields := Fields{"spec.pays": {Frees: func(c Change, live v1alpha1.Object) bool { return c.To == "" && Lookup(live, "spec.class") == "" }}}
	changes := Changes{{Path: "spec.labels[team]"}, {Path: "spec.pays", From: "true"}}
	if d := cmp.Diff(changes[1:], fields.Frees(changes, &thing{})); d != "" {
		t.Errorf("frees (-want +got):\n%s", d)
	}
	if got := fields.Frees(changes, &thing{Spec: thingSpec{Class: "STANDARD"}}); len(got) > 0 {
		t.Errorf("frees though live says that it does not: %v", got)
	}
}

func TestHashTellsPlansApart(t *testing.T) {
	plan := Changes{{"spec.class", `"A"`, `"B"`}}
	base := Hash("uid", 1, 0, plan)
	others := map[string]string{
		"another object":       Hash("other", 1, 0, plan),
		"another generation":   Hash("uid", 2, 0, plan),
		"after an applied one": Hash("uid", 1, 1, plan),
		"another value":        Hash("uid", 1, 0, Changes{{"spec.class", `"A"`, `"C"`}}),
		"another live value":   Hash("uid", 1, 0, Changes{{"spec.class", `"Z"`, `"B"`}}),
		"nothing":              Hash("uid", 1, 0, nil),
	}
	for name, hash := range others {
		if hash == base {
			t.Errorf("%s has the same hash", name)
		}
	}
	if Hash("uid", 1, 0, Changes{{"spec.class", `"A"`, `"B"`}}) != base {
		t.Error("the same plan has another hash")
	}
	// With fewer digits two plans of the same hash are found in minutes, and the harmless one is shown to who approves.
	for name, hash := range map[string]string{"a plan": base, "a value": plan[0].Digest()} {
		if len(hash) != hex.EncodedLen(sha256.Size) {
			t.Errorf("the hash of %s is %q, which is not a whole SHA-256", name, hash)
		}
	}
}
