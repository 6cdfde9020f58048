package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// shown is how status shows a plan of a bucket, and what is said of what it does not show.
func shown(changes diff.Changes) (*v1alpha1.Plan, string) {
	m := Manifest{buckets, &v1alpha1.Bucket{}}
	m.Object.SetNamespace("shop")
	m.Object.SetName("logs")
	a := Assessment{Plan: changes, Hash: planHash(m.Object, 0, changes), Verdict: Verdict{Message: "because"}}
	return m.Show(a), m.Unshown(changes)
}

func TestAPlanInStatusIsBoundedAndItsHashIsNot(t *testing.T) {
	var plan diff.Changes
	for i := range mostChanges + 3 {
		plan = append(plan, diff.Change{Path: fmt.Sprintf("spec.labels[k%02d]", i), To: `"` + strings.Repeat("é", longestText) + `"`})
	}
	first, _ := shown(plan)
	if len(first.Changes) != mostChanges || first.Omitted != 3 {
		t.Errorf("%d changes are shown and %d omitted", len(first.Changes), first.Omitted)
	}
	if text := first.Changes[0].To; len(text) > longestText+len("…") || !strings.HasSuffix(text, "…") || strings.ContainsRune(text, '�') {
		t.Errorf("a long value is shown as %d bytes: %s", len(text), text)
	}
	plan[len(plan)-1].To = `"x"`
	if other, _ := shown(plan); other.Hash == first.Hash {
		t.Error("a change that is not shown does not change the hash")
	}
}

// grantsOf65 are grants of 64 roles that nobody knows, and of owner to one who hopes that nobody reads on.
func grantsOf65() diff.Changes {
	var changes diff.Changes
	for i := range 64 {
		changes = append(changes, diff.Change{Path: fmt.Sprintf("spec.bindings[roles/a%02d].members[user:eve@example.com]", i), To: `"user:eve@example.com"`})
	}
	return append(changes, diff.Change{Path: "spec.bindings[roles/owner].members[user:eve@example.com]", To: `"user:eve@example.com"`})
}

func TestNoOwnerIsHiddenInAPlan(t *testing.T) {
	changes := grantsOf65()
	got, unshown := shown(changes)
	if path := got.Changes[0].Path; !strings.Contains(path, "roles/owner") {
		t.Errorf("shown first: %s", path)
	}
	const want = "status.plan.changes shows 64 of 65 changes, dangerous ones first; " +
		"read all of it: kubectl get -n shop bucket.gcp.holdfast.dev logs -o jsonpath='{.status.plan.text}'"
	if d := cmp.Diff(want, unshown); d != "" {
		t.Errorf("what is said of it (-want +got):\n%s", d)
	}
	if n := strings.Count(got.Text, "\n"); n != 65 {
		t.Errorf("the text has %d lines:\n%s", n, got.Text)
	}
	if before := planHash(&v1alpha1.Bucket{}, 0, changes); before != planHash(&v1alpha1.Bucket{}, 0, grantsOf65()) {
		t.Error("showing a plan has sorted it")
	}
}

func TestDangerousFirst(t *testing.T) {
	member := func(role, member string) string { return "spec.iam.bindings[" + role + "].members[" + member + "]" }
	want := diff.Changes{
		{Path: "spec.retentionPolicy.locked", From: "false", To: "true"},
		{Path: "spec.versioning.enabled", From: "true", To: "false"},
		{Path: member("roles/editor", "user:a@x"), To: `"user:a@x"`},
		{Path: member("roles/owner if soon #1", "user:a@x"), To: `"user:a@x"`},
		{Path: member("roles/owner", "user:b@x"), From: `"user:b@x"`},
		{Path: member("roles/viewer", "allUsers"), To: `"allUsers"`},
		{Path: member("projects/p/roles/a", "user:a@x"), To: `"user:a@x"`},
		{Path: member("roles/iam.serviceAccountTokenCreator", "user:a@x"), To: `"user:a@x"`},
		{Path: member("roles/storage.admin", "user:a@x"), To: `"user:a@x"`},
		{Path: "spec.auditConfigs[all]", From: "{}"},
		{Path: member("roles/viewer", "user:b@x"), From: `"user:b@x"`},
		{Path: member("roles/viewer", "user:a@x"), To: `"user:a@x"`},
		{Path: "spec.labels[a]", From: "1", To: "2"},
	}
	byPath := slices.SortedFunc(slices.Values(want), func(a, b diff.Change) int { return strings.Compare(b.Path, a.Path) })
	if d := cmp.Diff(want, DangerousFirst(buckets, byPath)); d != "" {
		t.Errorf("order (-want +got):\n%s", d)
	}
}

// TestALineOfAPlanIsOneChange: no name makes one line look like several, or hides what follows it.
func TestALineOfAPlanIsOneChange(t *testing.T) {
	changes := grantsOf65()
	changes[0].Path = "spec.bindings[roles/viewer if x\n- spec.bindings[roles/owner].members[user:root@example.com]"
	changes[1].Path += "\u202e"
	got, _ := shown(changes)
	if n := strings.Count(got.Text, "\n"); n != len(changes) || strings.ContainsRune(got.Text, '\u202e') {
		t.Errorf("%d lines for %d changes, or text that runs backwards:\n%s", n, len(changes), got.Text)
	}
	if !strings.Contains(got.Text, `if x\u000a- spec`) {
		t.Errorf("the line feed is not shown:\n%s", got.Text)
	}
}

// TestWhatCannotBeReadIsNotApproved: a plan for which the object has no room says so, and no approval releases it.
func TestWhatCannotBeReadIsNotApproved(t *testing.T) {
	for name, tc := range map[string]struct {
		members, length int
		want            bool
	}{
		"1,500 members, as Google allows at most": {1499, 60, true},
		"1,500 members of the longest names":      {1499, 480, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := aProject().with(approve)
			for i := range tc.members {
				g := iampolicy.Grant{Role: fmt.Sprintf("roles/r%d", i%10), Member: fmt.Sprintf("user:%0*d@example.com", tc.length, i)}
				s.with(grants(g))
			}
			a := s.with(approved).assess()
			if a.Approved != tc.want || (a.Verdict.Action == Update) != tc.want {
				t.Errorf("approved: %t, and the verdict is %+v", a.Approved, a.Verdict)
			}
			plan := s.Show(a)
			if n := strings.Count(plan.Text, "\n"); (n == len(a.Plan)) != tc.want || len(plan.Text) > longestPlan+100 {
				t.Errorf("%d lines of %d changes, %d bytes", n, len(a.Plan), len(plan.Text))
			}
			s.Object.GetCommonStatus().Plan = plan
			if again := s.Show(a); again.Text != plan.Text {
				t.Error("a plan that is shown already is shown otherwise")
			}
			if unshown := s.Unshown(a.Plan); strings.Contains(unshown, "change the manifest in several steps") == tc.want {
				t.Errorf("it says %q", unshown)
			}
		})
	}
}
