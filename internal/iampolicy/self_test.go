package iampolicy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const (
	ourPool  = "serviceAccount:ops.svc.id.goog[holdfast-system/holdfast-manager]"
	poolPath = "//iam.googleapis.com/projects/4711/locations/global/workloadIdentityPools/"
)

func TestWhoCarriesSelf(t *testing.T) {
	everything := Self{
		Email:    "shop@shop.iam.gserviceaccount.com",
		Own:      "Holdfast@ops.iam.gserviceaccount.com",
		Accounts: NewAccounts("Bank@bank.iam.gserviceaccount.com", "mall@mall.iam.gserviceaccount.com"),
		Members:  []string{ourPool, "group:Ops@x.com", "principal:" + poolPath + "github/subject/repo:holdfast"},
	}
	anyPool := Self{Members: []string{"serviceAccount:" + AnyPool + "[holdfast-system/holdfast-manager]"}}
	cases := map[string]struct {
		self   Self
		member string
		want   bool
	}{
		"who writes":                             {everything, "serviceAccount:shop@shop.iam.gserviceaccount.com", true},
		"its own account":                        {everything, "serviceAccount:holdfast@OPS.iam.gserviceaccount.com", true},
		"a third namespace's":                    {everything, "serviceAccount:mall@mall.iam.gserviceaccount.com", true},
		"another namespace's":                    {everything, "serviceAccount:bank@bank.iam.gserviceaccount.com", true},
		"somebody's":                             {everything, "serviceAccount:x@ops.iam.gserviceaccount.com", false},
		"the deleted account of that name":       {everything, "deleted:serviceAccount:holdfast@ops.iam.gserviceaccount.com?uid=1", false},
		"its group":                              {everything, "group:ops@x.com", true},
		"another group":                          {everything, "group:ops@y.com", false},
		"a user of a group's name":               {everything, "user:ops@x.com", false},
		"its Kubernetes account":                 {everything, ourPool, true},
		"the same, as a principal":               {everything, "principal:" + poolPath + "ops.svc.id.goog/subject/ns/holdfast-system/sa/holdfast-manager", true},
		"another Kubernetes account":             {everything, "serviceAccount:ops.svc.id.goog[holdfast-system/default]", false},
		"one of the name in another pool":        {everything, "serviceAccount:shop.svc.id.goog[holdfast-system/holdfast-manager]", false},
		"its namespace":                          {everything, "principalSet:" + poolPath + "ops.svc.id.goog/namespace/holdfast-system", true},
		"another namespace of the pool":          {everything, "principalSet:" + poolPath + "ops.svc.id.goog/namespace/holdfast", false},
		"its whole pool":                         {everything, "principalSet:" + poolPath + "ops.svc.id.goog/*", true},
		"a cluster of its pool":                  {everything, "principalSet:" + poolPath + "ops.svc.id.goog/kubernetes.cluster/https://container.googleapis.com/v1/projects/ops", true},
		"another pool":                           {everything, "principalSet:" + poolPath + "shop.svc.id.goog/*", false},
		"a federated subject":                    {everything, "principal:" + poolPath + "github/subject/repo:holdfast", true},
		"another subject":                        {everything, "principal:" + poolPath + "github/subject/repo:other", false},
		"an attribute that the subject may have": {everything, "principalSet:" + poolPath + "github/attribute.org/holdfast", true},
		"in whatever pool of GKE":                {anyPool, ourPool, true},
		"in whatever pool, as a principal":       {anyPool, "principal:" + poolPath + "x.svc.id.goog/subject/ns/holdfast-system/sa/holdfast-manager", true},
		"in whatever pool, another account":      {anyPool, "serviceAccount:ops.svc.id.goog[default/default]", false},
		"in whatever pool, but not in another's": {anyPool, "principalSet:" + poolPath + "github/*", false},
		"nobody":                                 {Self{}, "serviceAccount:", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.self.normal().carries(NormalMember(tc.member)); got != tc.want {
				t.Errorf("carries: %t", got)
			}
		})
	}
}

// TestNoWayInIsRevoked: neither from any policy what carries self, nor from that of its own account what may.
func TestNoWayInIsRevoked(t *testing.T) {
	for name, mode := range map[string]v1alpha1.IAMMode{"byRole": byRole, "whole": whole} {
		in := Input{
			Mode: mode, MaxRemovals: 100, Self: Self{Email: self, Own: self, Members: []string{ourPool}},
			Wanted: grants(to("roles/iam.workloadIdentityUser", "user:alice@x.com")),
			Live:   policy(to("roles/iam.workloadIdentityUser", ourPool, "serviceAccount:other.svc.id.goog[a/b]", "group:g@x.com", "user:bob@x.com")),
		}
		in.Live.Etag = []byte("1")
		revoked := func() (members []string) {
			for _, g := range Make(in).Revoke {
				members = append(members, g.Member)
			}
			return members
		}
		if diff := cmp.Diff([]string{"group:g@x.com", "serviceAccount:other.svc.id.goog[a/b]", "user:bob@x.com"}, revoked()); diff != "" {
			t.Errorf("%s: revoked from somebody's policy (-want +got):\n%s", name, diff)
		}
		in.OfSelf = true
		if diff := cmp.Diff([]string{"user:bob@x.com"}, revoked()); diff != "" {
			t.Errorf("%s: revoked from its own (-want +got):\n%s", name, diff)
		}
	}
}

func TestProjectOfAccount(t *testing.T) {
	for email, want := range map[string]string{
		"holdfast@ops.iam.gserviceaccount.com":               "ops",
		"Holdfast@OPS.iam.gserviceaccount.com":               "ops",
		"holdfast@ops.example.com.iam.gserviceaccount.com":   "example.com:ops",
		"ops@appspot.gserviceaccount.com":                    "ops",
		"4711-compute@developer.gserviceaccount.com":         "",
		"service-4711@gcp-sa-pubsub.iam.gserviceaccount.com": "gcp-sa-pubsub",
		"ada@example.com":                                    "",
		"":                                                   "",
	} {
		if got := ProjectOfAccount(email); got != want {
			t.Errorf("%s is in %q, want %q", email, got, want)
		}
	}
}

func TestReachesAccounts(t *testing.T) {
	for role, want := range map[string]bool{
		"roles/owner": true, "roles/editor": true, "roles/viewer": false, "roles/browser": false,
		"roles/iam.serviceAccountTokenCreator": true, "roles/iam.serviceAccountUser": true, "roles/iam.serviceAccountAdmin": true,
		"roles/iam.serviceAccountKeyAdmin": true, "roles/iam.workloadIdentityUser": true, "roles/iam.serviceAccountOpenIdTokenCreator": true,
		"roles/iam.securityAdmin": true, "roles/iam.roleAdmin": true, "roles/iam.securityReviewer": false, "roles/iam.serviceAccountViewer": false,
		"roles/resourcemanager.projectIamAdmin": true, "roles/cloudbuild.builds.builder": true, "roles/run.serviceAgent": true,
		"roles/storage.admin": false, "roles/pubsub.admin": false, "roles/logging.logWriter": false,
		"projects/p/roles/mine": true, "organizations/1/roles/ours": true,
	} {
		if got := ReachesAccounts(role); got != want {
			t.Errorf("%s: %t", role, got)
		}
	}
}
