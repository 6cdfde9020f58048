package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestAnEditOfASharedPolicyHasEachSharerLookOnce, at the most, and write once, at the most: what they say then is news to none of the others.
func TestAnEditOfASharedPolicyHasEachSharerLookOnce(t *testing.T) {
	t.Parallel()
	const sharers = 6
	alike := func(i int) v1alpha1.IAMPolicy {
		return additive(granting(roleOf(fmt.Sprintf("policy-%d", i)), "user:ada@example.com"))
	}
	owning := func(i int) v1alpha1.IAMPolicy {
		policy := additive(granting(roleOf("orders"), v1alpha1.IAMMember(fmt.Sprintf("user:ada-%d@example.com", i))))
		policy.Mode = v1alpha1.IAMAuthoritativeRoles
		return policy
	}
	for name, tc := range map[string]struct {
		policy func(i int) v1alpha1.IAMPolicy
		edited int
	}{
		"that all apply":                       {alike, 0},
		"that one owns, who edits it":          {owning, 0},
		"that one owns, and another edits its": {owning, sharers - 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			var policies []*v1alpha1.ProjectPolicy
			for i := range sharers {
				p := aPolicy(fmt.Sprintf("policy-%d", i), tc.policy(i))
				p.Spec.Adoption = v1alpha1.AdoptionAlways
				w.create(p)
				reason := v1alpha1.ReasonUpToDate
				if tc.policy(1).Mode == v1alpha1.IAMAuthoritativeRoles && i > 0 {
					reason = v1alpha1.ReasonConflict
				}
				w.reason(p, reason)
				policies = append(policies, p)
			}
			for _, p := range policies { // with all the others there
				w.settled(p)
			}
			<-time.After(time.Second)
			w.cloud.Traffic.ResetCounts()
			w.kubeWrites.Store(0)
			edited := policies[tc.edited]
			edit(w, edited, func(p *v1alpha1.ProjectPolicy) { p.Spec.Bindings[0].Members[0] = "user:bob@example.com" })
			<-time.After(2 * time.Second) // whatever follows from it
			reads, writes := w.cloud.Traffic.Count(readProjectPolicy), w.kubeWrites.Load()
			t.Logf("%d reads, %d writes to Kubernetes", reads, writes)
			if most := sharers + 1; reads > most {
				t.Errorf("%d reads, want %d at the most", reads, most)
			}
			if most := int64(sharers + 2); writes > most { // one is of the breaker's record
				t.Errorf("%d writes to Kubernetes, want %d at the most", writes, most)
			}
		})
	}
}
