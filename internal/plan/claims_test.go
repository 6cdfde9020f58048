package plan

import (
	"testing"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestClaims(t *testing.T) {
	of := func(mode v1alpha1.IAMMode, roles ...string) claim { return claim{mode: mode, roles: roles} }
	cases := map[string]struct {
		a, b claim
		want bool
	}{
		"two that add, to the same role":     {of(v1alpha1.IAMAdditive, "roles/a"), of(v1alpha1.IAMAdditive, "roles/a"), false},
		"two owners of different roles":      {of(v1alpha1.IAMAuthoritativeRoles, "roles/a"), of(v1alpha1.IAMAuthoritativeRoles, "roles/b"), false},
		"two owners of one role":             {of(v1alpha1.IAMAuthoritativeRoles, "roles/a", "roles/b"), of(v1alpha1.IAMAuthoritativeRoles, "roles/b"), true},
		"an owner, and one that adds to it":  {of(v1alpha1.IAMAuthoritativeRoles, "roles/a"), of(v1alpha1.IAMAdditive, "roles/a"), true},
		"an owner, and one that adds beside": {of(v1alpha1.IAMAuthoritativeRoles, "roles/a"), of(v1alpha1.IAMAdditive, "roles/b"), false},
		"the owner of all, and anybody":      {of(v1alpha1.IAMAuthoritative), of(v1alpha1.IAMAdditive, "roles/b"), true},
		"audit configs of one service":       {claim{services: []string{"allServices"}}, claim{services: []string{"allServices"}}, true},
		"audit configs of two services":      {claim{services: []string{"allServices"}}, claim{services: []string{"iam.googleapis.com"}}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got, turned := tc.a.clashes(tc.b), tc.b.clashes(tc.a); got != tc.want || turned != tc.want {
				t.Errorf("clashes: %v, and turned around %v; want %v", got, turned, tc.want)
			}
		})
	}
}
