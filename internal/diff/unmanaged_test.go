package diff

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRegard(t *testing.T) {
	fields := Fields{"spec.website": {Whole: true}, "spec.source": {Atomic: true}}
	live := thingSpec{
		Class: "STANDARD", Regions: []string{"a", "b"}, Website: &website{Page: "index.html", NotFound: "404.html"}, Source: &source{Bucket: "logs"},
	}
	for name, tc := range map[string]struct {
		desired   thingSpec
		applied   []string
		unmanaged []string
		changed   []string
		lost      []string
	}{
		"beside what the manifest sets":          {desired: thingSpec{Class: "STANDARD"}, unmanaged: []string{"spec.filter"}},
		"beside what changes":                    {desired: thingSpec{Class: "NEARLINE"}, unmanaged: []string{"spec.filter"}, changed: []string{"spec.class"}},
		"in a list that the manifest leaves out": {desired: thingSpec{}, unmanaged: []string{"spec.regions[0].weather"}},
		"in a list that matches but for it": {
			desired: thingSpec{Regions: []string{"a", "b"}}, unmanaged: []string{"spec.regions[0].weather"},
			changed: []string{"spec.regions[0].weather"}, lost: []string{"spec.regions[0].weather"},
		},
		"in a list that changes": {
			desired: thingSpec{Regions: []string{"a"}}, unmanaged: []string{"spec.regions[1].weather"},
			changed: []string{"spec.regions", "spec.regions[1].weather"}, lost: []string{"spec.regions[1].weather"},
		},
		"in a list that is reset": {
			desired: thingSpec{}, applied: []string{"spec.regions"}, unmanaged: []string{"spec.regions[1].weather"},
			changed: []string{"spec.regions", "spec.regions[1].weather"}, lost: []string{"spec.regions[1].weather"},
		},
		"in a union": {
			desired: thingSpec{Source: &source{Bucket: "logs"}}, unmanaged: []string{"spec.source.weather"},
			changed: []string{"spec.source.weather"}, lost: []string{"spec.source.weather"},
		},
		"in a struct that matches": {desired: thingSpec{Website: &website{Page: "index.html"}}, unmanaged: []string{"spec.website.weather"}},
		"in a struct that is written whole": {
			desired: thingSpec{Website: &website{Page: "home.html"}}, unmanaged: []string{"spec.website.weather", "spec.webs"},
			changed: []string{"spec.website.page", "spec.website.weather"}, lost: []string{"spec.website.weather"},
		},
		"in a struct that is cleared": {
			desired: thingSpec{Website: &website{}}, unmanaged: []string{"spec.website.weather"},
			changed: []string{"spec.website", "spec.website.weather"}, lost: []string{"spec.website.weather"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var unmanaged []Unmanaged
			for _, path := range tc.unmanaged {
				unmanaged = append(unmanaged, Unmanaged{Path: path, Value: `"rain"`})
			}
			got := Compare(&thing{Spec: tc.desired}, &thing{Spec: live}, tc.applied, fields)
			got.Regard(unmanaged, fields)
			var lost []string
			for _, u := range got.Lost {
				lost = append(lost, u.Path)
			}
			if d := cmp.Diff(tc.lost, lost); d != "" {
				t.Errorf("lost (-want +got):\n%s", d)
			}
			if d := cmp.Diff(append([]string{}, tc.changed...), got.Changes.Paths()); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
			for _, c := range got.Changes {
				for _, path := range tc.lost {
					if c.Path == path && (c.From != `"rain"` || c.To != "") {
						t.Errorf("the change of %s is %+v; want its removal", path, c)
					}
				}
			}
		})
	}
}
