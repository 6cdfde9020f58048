package engine

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// aliasing is a Google that stores other names than it is sent, a manifest, and somebody in the console.
type aliasing struct {
	t      *rapid.T
	r      *Reconciler
	topics *policiedKind
	// primaries are the names that Google stores, by those that it is sent.
	primaries map[string]string
	// wanted and exempted are what the manifest lists: members by role, and those who are exempt from a log.
	wanted   map[string][]string
	exempted []string
	// others are the grants that somebody else made, as "role member".
	others map[string]bool
}

var (
	aliasRoles   = []string{"roles/a", "roles/b"}
	aliasMembers = []string{
		"user:ada@x.com", "user:ada.b@x.com", "user:ada.c@x.com", "user:bob@googlemail.com", "user:bob@gmail.com", "group:all@x.com", "group:everybody@x.com",
		"projectOwner:12345", "projectOwner:shop",
	}
	aliasPrimaries = []string{"user:ada@x.com", "user:bob@gmail.com", "group:everybody@x.com", "projectOwner:shop"}
)

// TestWhateverGoogleStoresInstead: whichever names Google stores instead of those that it is sent, each edit is written once and not again, who is meant has access, what leaves the manifest is gone, and what others granted stays.
func TestWhateverGoogleStoresInstead(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a := newAliasing(t, rt)
		for range rapid.IntRange(1, 6).Draw(rt, "edits") {
			a.edits(t)
			a.settles(t)
		}
		a.wanted, a.exempted = nil, nil
		a.apply(t)
		a.settles(t)
	})
}

func newAliasing(t *testing.T, rt *rapid.T) *aliasing {
	t.Helper()
	r, topics := policied(t)
	a := &aliasing{t: rt, r: r, topics: topics, primaries: map[string]string{}, others: map[string]bool{}}
	for _, member := range aliasMembers {
		if slices.Contains(aliasPrimaries, member) {
			continue
		}
		kind, _, _ := strings.Cut(member, ":")
		same := slices.DeleteFunc(slices.Clone(aliasPrimaries), func(p string) bool { k, _, _ := strings.Cut(p, ":"); return k != kind })
		a.primaries[member] = rapid.SampledFrom(append(same, member)).Draw(rt, member)
	}
	a.primaries["user:bob@googlemail.com"] = "user:bob@gmail.com"
	topics.storing = a.stored
	for _, role := range aliasRoles {
		for _, member := range rapid.SliceOfDistinct(rapid.SampledFrom(aliasPrimaries), rapid.ID[string]).Draw(rt, "before in "+role) {
			a.others[role+" "+member] = true
			topics.bindings = append(topics.bindings, iampolicy.Binding{Role: role, Members: []string{member}})
		}
	}
	a.apply(t)
	a.settles(t)
	return a
}

func (a *aliasing) stored(member string) string {
	if primary, is := a.primaries[member]; is {
		return primary
	}
	return member
}

func (a *aliasing) edits(t *testing.T) {
	t.Helper()
	some := rapid.SliceOfNDistinct(rapid.SampledFrom(aliasMembers), 0, 5, rapid.ID[string])
	a.wanted = map[string][]string{}
	for _, role := range aliasRoles {
		a.wanted[role] = some.Draw(a.t, "wanted in "+role)
	}
	a.exempted = some.Draw(a.t, "exempted")
	a.apply(t)
}

// apply brings the manifest to what is wanted.
func (a *aliasing) apply(t *testing.T) {
	t.Helper()
	a.topics.wantedAudit = nil
	if a.exempted != nil {
		log := v1alpha1.AuditLogConfig{LogType: v1alpha1.AuditLogDataRead, ExemptedMembers: membersOf(a.exempted)}
		a.topics.wantedAudit = []v1alpha1.AuditConfig{{Service: "allServices", AuditLogConfigs: []v1alpha1.AuditLogConfig{log}}}
	}
	edit(t, a.r, func(topic *v1alpha1.Topic) {
		topic.Generation++
		topic.Spec.Adoption = v1alpha1.AdoptionAlways
		topic.Spec.IAM = &v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAdditive, Safety: &v1alpha1.IAMSafety{MaxRemovals: new(int32(100))}}
		for _, role := range aliasRoles {
			if members := a.wanted[role]; len(members) > 0 {
				topic.Spec.IAM.Bindings = append(topic.Spec.IAM.Bindings, v1alpha1.IAMBinding{Role: role, Members: membersOf(members)})
			}
		}
	})
}

// settles looks a few times, and checks what that comes to.
func (a *aliasing) settles(t *testing.T) {
	t.Helper()
	before := a.topics.writes
	for range 4 {
		if _, err := reconcileOnce(t, a.r); err != nil {
			a.t.Fatal(err)
		}
	}
	if writes := a.topics.writes - before; writes > 1 {
		a.t.Fatalf("%d writes for one edit", writes)
	}
	got, want := map[string]bool{}, maps.Clone(a.others)
	for _, binding := range a.topics.bindings {
		for _, member := range binding.Members {
			got[binding.Role+" "+member] = true
		}
	}
	for role, members := range a.wanted {
		for _, member := range members {
			want[role+" "+a.stored(member)] = true
		}
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		a.t.Fatalf("grants (-want +got):\n%s", d)
	}
	gotExempt, wantExempt := map[string]bool{}, map[string]bool{}
	for _, config := range a.topics.audit {
		for _, log := range config.Logs {
			for _, member := range log.Exempted {
				gotExempt[member] = true
			}
		}
	}
	for _, member := range a.exempted {
		wantExempt[a.stored(member)] = true
	}
	if d := cmp.Diff(wantExempt, gotExempt); d != "" {
		a.t.Fatalf("exempted (-want +got):\n%s", d)
	}
}

func membersOf(names []string) []v1alpha1.IAMMember {
	var out []v1alpha1.IAMMember
	for _, name := range names {
		out = append(out, v1alpha1.IAMMember(name))
	}
	return out
}
