package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// TestNoSpecAvoidsTheLimitsOfItsNamespace is the table of what a Namespace says of its objects.
func TestNoSpecAvoidsTheLimitsOfItsNamespace(t *testing.T) {
	bucket, project := aBucket, aProject
	removing := []given{grantedAda, adaAndBobLive, grants()}
	waits := decided{Hold, v1alpha1.ReasonAwaitingApproval}
	cases := map[string]struct {
		of    func() *situation
		given []given
		want  decided
		says  string
	}{
		"Manage becomes Approve":            {bucket, []given{owned, differs, leastApprove}, waits, "management is Approve, by the annotation holdfast.dev/least-management of the Namespace"},
		"Manage becomes Observe":            {bucket, []given{owned, differs, leastObserve}, decided{Leave, v1alpha1.ReasonDiffers}, "management is Observe, by the annotation"},
		"Approve stays":                     {bucket, []given{owned, differs, approve, leastApprove}, waits, "spec.management is Approve"},
		"Observe stays":                     {bucket, []given{owned, differs, observe, leastApprove}, decided{Leave, v1alpha1.ReasonDiffers}, "spec.management is Observe"},
		"approved":                          {bucket, []given{owned, differs, leastApprove, approved}, decided{Update, ""}, ""},
		"creating waits":                    {bucket, []given{absent, leastApprove}, waits, ""},
		"adoption Always waits":             {bucket, []given{always, differs, leastApprove}, waits, ""},
		"adoption Always with grants waits": {bucket, []given{always, grantsAda, nobodyIsLive, leastApprove}, waits, ""},
		"nothing to do is said with it":     {bucket, []given{owned, leastApprove}, decided{Leave, v1alpha1.ReasonUpToDate}, "(management is Approve, by the annotation"},
		"deleting waits":                    {bucket, []given{created, deleting, deletes, leastApprove}, waits, ""},
		"deleting under Observe lets go":    {bucket, []given{created, deleting, deletes, leastObserve}, decided{Release, ""}, ""},
		"an orphan keeps its labels":        {bucket, []given{created, marked, deleting, leastApprove}, decided{Release, ""}, ""},
		"a grant waits":                     {project, []given{grantsAda, nobodyIsLive, leastApprove}, waits, ""},
		"revoking all on deletion waits":    {project, []given{grantedAda, adaIsLive, deleting, aWhileAgo, deletes, leastApprove}, waits, ""},
		"no removal":                        {project, append([]given{removesNone}, removing...), waits, "the annotation holdfast.dev/max-removals of the Namespace is 0"},
		"no removal, whatever the manifest": {project, append([]given{removesNone, maxRemovals(1500)}, removing...), waits, "the annotation holdfast.dev/max-removals of the Namespace is 0"},
		"less than the Namespace lets":      {project, append([]given{namespaced(map[string]string{v1alpha1.MaxRemovalsAnnotation: "5"}), maxRemovals(0)}, removing...), waits, "spec.safety.maxRemovals is 0"},
		"no removal by deleting":            {project, []given{grantedAda, adaIsLive, deleting, aWhileAgo, deletes, removesNone}, waits, "this revokes 1 grants"},
		"no removal of a bucket's":          {bucket, append([]given{owned, removesNone}, removing...), waits, "max-removals"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tc.of().with(tc.given...).assess().Verdict
			if d := cmp.Diff(tc.want, decided{got.Action, got.Reason}); d != "" {
				t.Errorf("verdict (-want +got):\n%s\n%+v", d, got)
			}
			if !strings.Contains(got.Message, tc.says) {
				t.Errorf("it says %q, want %q in it", got.Message, tc.says)
			}
		})
	}
}

// TestNoOwnerGoesUnasked, not even with the manifest that has granted it.
func TestNoOwnerGoesUnasked(t *testing.T) {
	owner := func(member string) iampolicy.Grant { return iampolicy.Grant{Role: "roles/owner", Member: member} }
	owners := func(s *situation) {
		s.record.Policy = PolicyRecord{Known: true, Grants: []iampolicy.Grant{owner("user:ada@example.com")}}
		s.seen.Policy = livePolicy(owner("user:ada@example.com"), owner("user:bob@example.com"))
	}
	for name, tc := range map[string]struct {
		more []given
		want decided
	}{"it waits": {nil, decided{Hold, v1alpha1.ReasonAwaitingApproval}}, "approved": {[]given{approved}, decided{Revoke, ""}}} {
		got := aProject().with(append([]given{owners, deleting, aWhileAgo, deletes}, tc.more...)...).assess().Verdict
		if got.Action != tc.want.Action || got.Action == Hold && !strings.Contains(got.Message, "removes user:ada@example.com from roles/owner") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// maxRemovals is what the manifest says of removals.
func maxRemovals(n int32) given {
	return func(s *situation) { s.iam().Safety = &v1alpha1.IAMSafety{MaxRemovals: &n} }
}
