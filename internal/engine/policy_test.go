package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// TestWhatWasNotWrittenIsNotHeld: a plan that turned out to need an approval, or to be impossible, leaves no grant recorded that
// was not made, nor the mode as if it had been applied.
func TestWhatWasNotWrittenIsNotHeld(t *testing.T) {
	ada := iampolicy.Grant{Role: "roles/viewer", Member: "user:ada@example.com"}
	live := iampolicy.Policy{Etag: []byte("1"), Bindings: []iampolicy.Binding{{Role: "roles/editor", Members: []string{"user:bob@example.com"}}}}
	written := iampolicy.Policy{Etag: []byte("2"), Bindings: []iampolicy.Binding{{Role: ada.Role, Members: []string{ada.Member}}}}
	cases := map[string]struct {
		live iampolicy.Policy
		self string
		want v1alpha1.IAMStatus
	}{
		"applied": {written, "holdfast@p.iam.gserviceaccount.com", v1alpha1.IAMStatus{
			Mode: v1alpha1.IAMAuthoritative, Grants: []v1alpha1.IAMGrants{{Role: ada.Role, Members: []string{ada.Member}}}, Members: 1,
		}},
		"held":       {live, "holdfast@p.iam.gserviceaccount.com", v1alpha1.IAMStatus{Members: 1}},
		"impossible": {live, "", v1alpha1.IAMStatus{Members: 1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := (&policyView{}).replan(func(in *iampolicy.Input) {
				*in = iampolicy.Input{
					Live: tc.live, Prefix: "spec", Managed: true, Mode: v1alpha1.IAMAuthoritative, First: true, Self: tc.self,
					Wanted: []iampolicy.Grant{ada}, MaxRemovals: iampolicy.DefaultMaxRemovals,
				}
				if name == "applied" {
					in.Recorded = []iampolicy.Grant{ada}
				}
			})
			obj := &v1alpha1.ProjectPolicy{}
			holdPolicy(obj, p)
			if d := cmp.Diff(&tc.want, obj.Status.IAM); d != "" {
				t.Errorf("status (-want +got):\n%s", d)
			}
		})
	}
}
