package iampolicy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNotGrantable(t *testing.T) {
	const (
		publisher, viewer, owner = "roles/pubsub.publisher", "roles/viewer", "roles/owner"
		limited                  = `api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/pubsub.publisher', 'roles/viewer'])`
		we                       = "holdfast@ops.iam.gserviceaccount.com"
	)
	bound := func(member, expression string) Binding {
		return Binding{Role: "roles/custom", Members: []string{"group:others@example.com", member}, Condition: Condition{Title: "limited", Expression: expression}}
	}
	cases := map[string]struct {
		live  []Binding
		add   []string
		roles []string
		known bool
	}{
		"one is not in the list": {[]Binding{bound("serviceAccount:"+we, limited)}, []string{publisher, owner}, []string{owner}, true},
		"another spelling": {
			[]Binding{bound("serviceAccount:Holdfast@ops.iam.gserviceaccount.com", `api.getAttribute("iam.googleapis.com/modifiedGrantsByRole",[])
				.hasOnly(["roles/viewer"])`)}, []string{publisher, viewer}, []string{publisher}, true,
		},
		"nothing is in the list": {
			[]Binding{bound("serviceAccount:"+we, `api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly([])`)}, []string{viewer}, []string{viewer}, true,
		},
		"two conditions have one each": {
			[]Binding{
				bound("serviceAccount:"+we, `api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/viewer'])`),
				bound("serviceAccount:"+we, `api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/pubsub.publisher'])`),
			}, []string{viewer, publisher}, []string{publisher, viewer}, false,
		},
		"somebody else's condition": {[]Binding{bound("user:ada@example.com", limited)}, []string{owner, publisher}, []string{owner, publisher}, false},
		"a condition that is more":  {[]Binding{bound("serviceAccount:"+we, limited+" && true")}, []string{owner}, []string{owner}, false},
		"no condition":              {nil, []string{owner, owner}, []string{owner}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var p Plan
			for i, role := range tc.add {
				if g := (Grant{Role: role, Member: "user:eve@example.com"}); i%2 == 0 {
					p.Add = append(p.Add, g)
				} else {
					p.Revoke = append(p.Revoke, g)
				}
			}
			roles, known := p.NotGrantable(Policy{Bindings: tc.live}, Self{Email: we})
			if diff := cmp.Diff(tc.roles, roles); diff != "" || known != tc.known {
				t.Errorf("known: %v (-want +got):\n%s", known, diff)
			}
		})
	}
}
