package plan

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// roles is a policy that grants members roles, and exempts some from a log.
func roles(members map[string][]string, exempted ...string) iampolicy.Policy {
	var p iampolicy.Policy
	for role, of := range members {
		p.Bindings = append(p.Bindings, iampolicy.Binding{Role: role, Members: of})
	}
	p.AuditConfigs = []iampolicy.AuditConfig{{Service: "allServices", Logs: []iampolicy.AuditLog{{Type: "DATA_READ", Exempted: exempted}}}}
	return p
}

// everybody is whom a policy lists.
func everybody(p iampolicy.Policy) map[string]bool {
	out := map[string]bool{}
	for _, members := range listsOf(p) {
		maps.Copy(out, members)
	}
	return out
}

func TestStoredOtherwise(t *testing.T) {
	const a, b, p, q = "user:a@x.com", "user:b@x.com", "user:p@x.com", "user:q@x.com"
	in := func(members ...string) map[string][]string { return map[string][]string{"roles/x": members} }
	cases := map[string]struct {
		sent, stored iampolicy.Policy
		want         StoredAs
	}{
		"as it was sent":       {roles(in(a, b), a), roles(in(b, a), a), nil},
		"in other letter case": {roles(in("user:A@x.com")), roles(in(a)), nil},
		"an alias":             {roles(in(a, b)), roles(in(p, b)), StoredAs{a: {Names: []string{p}}}},
		"an alias of somebody who is there already": {roles(in(a, p)), roles(in(p)), StoredAs{a: {}}},
		"somebody exempted":                         {roles(nil, a), roles(nil, p), StoredAs{a: {Names: []string{p}}}},
		"somebody exempted who is already":          {roles(nil, a, p), roles(nil, p), StoredAs{a: {}}},
		"there already in one place, not in another": {
			roles(in(a, p), a), roles(in(p), p), StoredAs{a: {Names: []string{p}}},
		},
		"two at once": {roles(in(a, b)), roles(in(p, q)), StoredAs{a: {Names: []string{p}, Uncertain: true}, b: {Names: []string{q}, Uncertain: true}}},
		"two at once, of which another place tells one": {
			roles(in(a, b), b), roles(in(p, q), p), StoredAs{a: {Names: []string{q}}, b: {Names: []string{p}}},
		},
		"two at once, of which one is there already": {
			roles(in(a, b, q)), roles(in(p, q)), StoredAs{a: {Names: []string{p}, Uncertain: true}, b: {Uncertain: true}},
		},
		"two at once, of which one is there already in another place": {
			roles(map[string][]string{"roles/x": {a, p}}, a, b), roles(map[string][]string{"roles/x": {p}}, p, q), StoredAs{a: {Names: []string{p}}, b: {Names: []string{q}}},
		},
		"a user and a group at once": {
			roles(in(a, "group:g@x.com")), roles(in("group:h@x.com", p)), StoredAs{a: {Names: []string{p}}, "group:g@x.com": {Names: []string{"group:h@x.com"}}},
		},
		"two at googlemail": {
			roles(in("user:z@googlemail.com", "user:y@googlemail.com")), roles(in("user:y@gmail.com", "user:z@gmail.com")),
			StoredAs{"user:z@googlemail.com": {Names: []string{"user:z@gmail.com"}}, "user:y@googlemail.com": {Names: []string{"user:y@gmail.com"}}},
		},
		"the role is another": {
			roles(map[string][]string{"roles/x": {a}, "projects/1/roles/y": {a}}), roles(map[string][]string{"roles/x": {a}, "projects/p/roles/y": {a}}), nil,
		},
		"deleted meanwhile": {roles(in(a, b)), roles(in("deleted:"+a+"?uid=1", b)), nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, storedOtherwise(listsOf(tc.sent), listsOf(tc.stored), everybody(tc.sent)), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("stored as (-want +got):\n%s", d)
			}
		})
	}
}

// TestNamesThatHoldNoLonger: what is not certain is found out again once the manifest is another.
func TestNamesThatHoldNoLonger(t *testing.T) {
	const a, b, c = "user:a@x.com", "user:b@x.com", "user:c@x.com"
	known := StoredAs{a: {Names: []string{"user:p@x.com"}}, b: {Names: []string{"user:q@x.com"}, Uncertain: true, Generation: 1}, c: {Generation: 1}}
	cases := map[string]struct {
		members    map[string]bool
		generation int64
		want       StoredAs
	}{
		"the same manifest":  {map[string]bool{a: true, b: true, c: true}, 1, known},
		"another generation": {map[string]bool{a: true, b: true, c: true}, 2, StoredAs{a: known[a]}},
		"not listed":         {map[string]bool{c: true}, 1, StoredAs{c: known[c]}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, known.among(tc.members, tc.generation)); d != "" {
				t.Errorf("known (-want +got):\n%s", d)
			}
		})
	}
}

// TestManyStoredOtherwise takes no longer for the many aliases that a migration leaves.
func TestManyStoredOtherwise(t *testing.T) {
	var sent, stored []string
	for i := range 500 {
		sent, stored = append(sent, fmt.Sprintf("user:alias%04d@x.com", i)), append(stored, fmt.Sprintf("user:name%04d@x.com", i))
	}
	p := roles(map[string][]string{"roles/x": sent})
	began := time.Now()
	got := storedOtherwise(listsOf(p), listsOf(roles(map[string][]string{"roles/x": stored})), everybody(p))
	if took := time.Since(began); len(got) != len(sent) || took > 10*time.Second {
		t.Errorf("%d names in %v", len(got), took)
	}
}
