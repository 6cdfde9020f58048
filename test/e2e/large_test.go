package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// manyMembers are so many members, each with a name of so many characters.
func manyMembers(tag string, n, length int) (members []v1alpha1.IAMMember, names []string) {
	for i := range n {
		name := fmt.Sprintf("user:%s%d", tag, i)
		name += strings.Repeat("x", max(0, length-len(name)-len("@example.com"))) + "@example.com"
		members, names = append(members, v1alpha1.IAMMember(name)), append(names, name)
	}
	slices.Sort(names)
	return members, names
}

// TestTheLargestPolicyIsReplaced: what the manifest has granted, and what it is about to grant, is all in status at a time.
func TestTheLargestPolicyIsReplaced(t *testing.T) {
	forEachGranter(t, func(t *testing.T, g granter) {
		w := startWorld(t)
		members, names := manyMembers("a", 700, 100)
		obj := g.manifest("orders", v1alpha1.CommonSpec{}, members...)
		w.create(obj)
		w.ready(obj)
		g.expectMembers(w, "orders", names...)
		members, names = manyMembers("b", 700, 100)
		g.regrant(w, obj, members...)
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		approve(w, obj)
		w.ready(obj)
		g.expectMembers(w, "orders", names...)
		if iam := obj.GetCommonStatus().IAM; len(iam.Pending) > 0 || len(iam.Grants) != 1 || len(iam.Grants[0].Members) != len(names) {
			t.Errorf("status has %d grants, pending %v", len(iam.Grants), iam.Pending)
		}
	})
}
