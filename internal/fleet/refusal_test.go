package fleet

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRefusal(t *testing.T) {
	const policy = `buckets.gcp.holdfast.dev "logs" is forbidden: ValidatingAdmissionPolicy 'holdfast-guard-break-glass' with binding 'holdfast-guard-break-glass' denied request: `
	for name, tc := range map[string]struct {
		message, user string
		onNamespace   bool
		want          string
	}{
		"the verb on a manifest": {
			policy + "bob may not change holdfast.dev/break-glass here: the RBAC verb break-glass on buckets.gcp.holdfast.dev is missing. The ClusterRole holdfast-break-glass has it", "bob", false,
			"bob may not change holdfast.dev/break-glass here: the RBAC verb break-glass on buckets.gcp.holdfast.dev is missing. " +
				"Who administers the namespace can grant it: kubectl create rolebinding -n shop bob-holdfast-break-glass --clusterrole=holdfast-break-glass --user=bob",
		},
		"the verb on a Namespace": {
			policy + "bob@example.com may not change holdfast.dev/break-glass here: the RBAC verb break-glass on namespaces is missing. The ClusterRole holdfast-break-glass has it", "bob@example.com", true,
			"bob@example.com may not change holdfast.dev/break-glass here: the RBAC verb break-glass on namespaces is missing. " +
				"Who administers the cluster can grant it: kubectl create clusterrolebinding bob-example.com-holdfast-break-glass-namespaces " +
				"--clusterrole=holdfast-break-glass-namespaces --user=bob@example.com",
		},
		"approve": {
			policy + "bob may not approve here: the RBAC verb approve on topics.gcp.holdfast.dev is missing. The ClusterRole holdfast-approve has it", "bob", false,
			"bob may not approve here: the RBAC verb approve on topics.gcp.holdfast.dev is missing. " +
				"Who administers the namespace can grant it: kubectl create rolebinding -n shop bob-holdfast-approve --clusterrole=holdfast-approve --user=bob",
		},
		"a reason that says nothing": {policy + "holdfast.dev/break-glass needs a reason", "ada", false, "holdfast.dev/break-glass needs a reason"},
		"by RBAC itself": {
			`buckets.gcp.holdfast.dev "logs" is forbidden: User "eve" cannot patch resource "buckets"`, "eve", false,
			`buckets.gcp.holdfast.dev "logs" is forbidden: User "eve" cannot patch resource "buckets"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Refusal(tc.message, tc.user, "shop", tc.onNamespace)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
