package diff

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// aSpec draws any spec, as a manifest or as something live.
func aSpec() *rapid.Generator[thingSpec] {
	word := rapid.SampledFrom([]string{"", "a", "B", "c.d", "STANDARD"})
	words := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3)
	return rapid.Custom(func(t *rapid.T) thingSpec {
		s := thingSpec{Location: word.Draw(t, "location"), Class: word.Draw(t, "class")}
		if rapid.Bool().Draw(t, "has labels") {
			s.Labels = rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "x.y"}), word, 0, 3).Draw(t, "labels")
		}
		if rapid.Bool().Draw(t, "has regions") {
			s.Regions = words.Draw(t, "regions")
		}
		if rapid.Bool().Draw(t, "has pays") {
			s.Pays = new(rapid.Bool().Draw(t, "pays"))
		}
		if rapid.Bool().Draw(t, "has website") {
			s.Website = &website{Page: word.Draw(t, "page"), NotFound: word.Draw(t, "notFound")}
			if rapid.Bool().Draw(t, "has days") {
				s.Website.Days = new(rapid.Int32Range(0, 2).Draw(t, "days"))
			}
		}
		if rapid.Bool().Draw(t, "has source") {
			s.Source = &source{Bucket: word.Draw(t, "bucket"), Stream: word.Draw(t, "stream")}
		}
		return s
	})
}

// TestCompareConverges: what is wanted, once live, shows no difference, and its inputs are left as they were.
func TestCompareConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		desired, live, before := aSpec().Draw(t, "desired"), aSpec().Draw(t, "live"), aSpec().Draw(t, "before")
		live.Class = "NEARLINE" // something is live
		checkConvergence(t, desired, live, Managed(&thing{Spec: before}, thingFields))
	})
}

func FuzzCompareConverges(f *testing.F) {
	f.Add([]byte(`{"labels":{"a":"b"},"website":{}}`), []byte(`{"class":"X","website":{"page":"i"}}`), "spec.labels[z]")
	f.Add([]byte(`{"regions":[]}`), []byte(`{"class":"X","source":{"globs":["*"]}}`), "spec.source")
	f.Fuzz(func(t *testing.T, desiredJSON, liveJSON []byte, applied string) {
		var desired, live thingSpec
		if json.Unmarshal(desiredJSON, &desired) != nil || json.Unmarshal(liveJSON, &live) != nil {
			t.Skip("not a spec")
		}
		if !strings.HasPrefix(applied, "spec.") || strings.Contains(applied, "[") != strings.HasSuffix(applied, "]") {
			t.Skip("not a path")
		}
		live.Class = "NEARLINE"
		checkConvergence(t, desired, live, []string{applied})
	})
}

func checkConvergence(t interface{ Fatalf(string, ...any) }, desired, live thingSpec, applied []string) {
	inputs := func() string {
		b, _ := json.Marshal([]thingSpec{desired, live})
		return string(b)
	}
	asked := inputs()
	first := Compare(&thing{Spec: desired}, &thing{Spec: live}, applied, thingFields)
	if got := inputs(); got != asked {
		t.Fatalf("Compare changed its inputs:\n%s\n%s", asked, got)
	}
	again := Compare(&thing{Spec: desired}, first.Want, applied, thingFields)
	if len(again.Changes) > 0 {
		t.Fatalf("still different once applied: %v\nafter %v", again.Changes, first.Changes)
	}
	if len(first.Changes) == 0 && len(applied) == 0 {
		if third := Compare(&thing{Spec: desired}, &thing{Spec: live}, nil, thingFields); len(third.Changes) > 0 {
			t.Fatalf("not deterministic: %v", third.Changes)
		}
	}
}
