package iampolicy

import (
	"fmt"
	"testing"
)

// BenchmarkMake plans a policy of 1,500 members in 50 roles, as large as Google allows, that a manifest owns.
func BenchmarkMake(b *testing.B) {
	var bindings []Binding
	for i := range 50 {
		bindings = append(bindings, to(fmt.Sprintf("roles/r%02d", i), numbered("serviceAccount:account-%03d@my-project.iam.gserviceaccount.com", 30)...))
	}
	for _, bc := range []struct {
		name    string
		changes int
		wanted  []Grant
	}{
		{"NoChange", 0, grants(bindings...)},
		{"OneChange", 1, grants(bindings...)[1:]},
	} {
		b.Run(bc.name, func(b *testing.B) {
			in := Input{Live: policy(bindings...), Prefix: "spec", Mode: whole, Wanted: bc.wanted, Recorded: grants(bindings...), MaxRemovals: DefaultMaxRemovals, Self: selfOf(self)}
			b.ReportAllocs()
			for b.Loop() {
				if p := Make(in); len(p.Changes) != bc.changes || p.Refusal != "" {
					b.Fatalf("%d changes, refusal %q", len(p.Changes), p.Refusal)
				}
			}
		})
	}
}
