package diff

import "testing"

func BenchmarkCompareNoChange(b *testing.B) {
	s := thingSpec{Location: "EU", Class: "NEARLINE", Labels: map[string]string{"team": "shop", "cost": "42"}, Regions: []string{"a", "b"},
		Pays: new(true), Website: &website{Page: "index.html"}}
	desired, live := &thing{Spec: s}, &thing{Spec: *s.copy()}
	b.ReportAllocs()
	for b.Loop() {
		if r := Compare(desired, live, nil, thingFields); len(r.Changes) > 0 {
			b.Fatal(r.Changes)
		}
	}
}
