package access

import (
	"net/http"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/type/expr"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// cloud is one project, and one resource in it.
type cloud struct{ project, resource iampb.Policy }

func (c *cloud) ResourcePolicy(traffic.Call) *iampb.Policy { return &c.resource }

func (c *cloud) ProjectPolicy(id string) *iampb.Policy {
	if id != "shop" {
		return nil
	}
	return &c.project
}

const eve = "user:eve@example.com"

func TestCheck(t *testing.T) {
	patch := traffic.Call{Service: "storage", Method: "buckets.patch", Project: "shop", Resource: "logs"}
	insert := traffic.Call{Service: "storage", Method: "buckets.insert", Project: "shop"}
	update := traffic.Call{Service: "pubsub", Method: "Publisher.UpdateTopic", Project: "shop", Resource: "orders"}
	become := traffic.Call{Service: "iamcredentials", Method: "GenerateAccessToken", Project: "shop", Resource: "holdfast"}
	grant := traffic.Call{Service: "resourcemanager", Method: "Projects.SetIamPolicy", Project: "shop", Resource: "shop"}
	const custom = "projects/shop/roles/labels"
	cases := map[string]struct {
		call     traffic.Call
		project  map[string]string
		resource map[string]string
		denied   bool
	}{
		"nobody was granted anything":                           {call: patch, denied: true},
		"a role on the project":                                 {call: patch, project: map[string]string{"roles/storage.admin": eve}},
		"a role on the bucket":                                  {call: patch, resource: map[string]string{"roles/storage.admin": eve}},
		"an e-mail address in another spelling":                 {call: patch, project: map[string]string{"roles/storage.admin": "user:Eve@Example.com"}},
		"a role of somebody else":                               {call: patch, project: map[string]string{"roles/storage.admin": "user:ada@example.com"}, denied: true},
		"a role for less":                                       {call: patch, project: map[string]string{"roles/storage.objectAdmin": eve}, denied: true},
		"a role of another service":                             {call: patch, project: map[string]string{"roles/pubsub.admin": eve}, denied: true},
		"everybody":                                             {call: patch, resource: map[string]string{"roles/storage.admin": "allUsers"}},
		"the domain":                                            {call: patch, project: map[string]string{"roles/storage.admin": "domain:example.com"}},
		"the end of the domain":                                 {call: patch, project: map[string]string{"roles/storage.admin": "domain:ample.com"}, denied: true},
		"a group, of whom nobody knows who is in it":            {call: patch, project: map[string]string{"roles/storage.admin": "group:all@example.com"}, denied: true},
		"the owners of the project, of whom she is one":         {call: patch, project: map[string]string{"roles/owner": eve}, resource: map[string]string{"roles/storage.legacyBucketOwner": "projectOwner:shop"}},
		"the editors of another project":                        {call: patch, project: map[string]string{"roles/editor": eve}, resource: map[string]string{"roles/storage.legacyBucketOwner": "projectEditor:bank"}, denied: true},
		"an editor creates":                                     {call: insert, project: map[string]string{"roles/editor": eve}},
		"what is not there yet inherits nothing from itself":    {call: insert, resource: map[string]string{"roles/storage.admin": eve}, denied: true},
		"a custom role":                                         {call: update, project: map[string]string{custom: eve}},
		"a custom role that nobody described":                   {call: update, project: map[string]string{"projects/shop/roles/other": eve}, denied: true},
		"an editor grants nothing":                              {call: grant, project: map[string]string{"roles/editor": eve}, denied: true},
		"an owner does":                                         {call: grant, project: map[string]string{"roles/owner": eve}},
		"an owner has to grant himself to become an account":    {call: become, project: map[string]string{"roles/owner": eve}, denied: true},
		"who creates tokens in the project becomes its account": {call: become, project: map[string]string{"roles/iam.serviceAccountTokenCreator": eve}},
		"who does so on the account":                            {call: become, resource: map[string]string{"roles/iam.workloadIdentityUser": eve}},
		"who is only a user of the account":                     {call: become, resource: map[string]string{"roles/iam.serviceAccountUser": eve}, denied: true},
		"a method that nobody described":                        {call: traffic.Call{Service: "pubsub", Method: "Publisher.Other", Project: "shop"}, project: map[string]string{"roles/owner": eve}, denied: true},
		"a bucket that is not there, as the service says":       {call: traffic.Call{Service: "storage", Method: "buckets.get", Resource: "other"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var c cloud
			for role, member := range tc.project {
				policy.Grant(&c.project, role, member)
			}
			for role, member := range tc.resource {
				policy.Grant(&c.resource, role, member)
			}
			e := New(&c)
			e.SetRole(custom, "pubsub.topics.get", "pubsub.topics.upd*")
			_, refusal := e.Check(tc.call, traffic.Credentials{Token: e.Token(eve)})
			if tc.denied != (refusal != nil) {
				t.Errorf("%s by %s: %+v", tc.call, eve, refusal)
			}
			if refusal != nil && refusal.Status != http.StatusForbidden {
				t.Errorf("it is answered with %d", refusal.Status)
			}
		})
	}
}

// A condition that limits which roles somebody grants is evaluated; any other lets nobody in.
func TestConditions(t *testing.T) {
	const (
		publisher, owner = "roles/pubsub.publisher", "roles/owner"
		limited          = `api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/pubsub.publisher', 'roles/viewer'])`
	)
	cases := map[string]struct {
		expression string
		granting   []string
		want       bool
	}{
		"a call that grants nothing":      {limited, nil, true},
		"a role that is in the list":      {limited, []string{publisher}, true},
		"all that is in the list":         {limited, []string{publisher, "roles/viewer"}, true},
		"a role that is not in the list":  {limited, []string{owner}, false},
		"one of two is not":               {limited, []string{publisher, owner}, false},
		"another spelling":                {`api.getAttribute( "iam.googleapis.com/modifiedGrantsByRole",[] ).hasOnly( ["roles/pubsub.publisher"] )`, []string{publisher}, true},
		"no role may be granted":          {`api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly([])`, []string{publisher}, false},
		"another condition":               {"true", nil, false},
		"a limit with another condition":  {limited + " && true", []string{publisher}, false},
		"a limit on another attribute":    {`api.getAttribute('iam.googleapis.com/other', []).hasOnly(['roles/pubsub.publisher'])`, []string{publisher}, false},
		"a limit whose default is a role": {`api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', ['roles/owner']).hasOnly([])`, nil, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := cloud{project: iampb.Policy{Bindings: []*iampb.Binding{{
				Role: "roles/resourcemanager.projectIamAdmin", Members: []string{eve}, Condition: &expr.Expr{Expression: tc.expression},
			}}}}
			e := New(&c)
			call := traffic.Call{Service: "resourcemanager", Method: "Projects.SetIamPolicy", Project: "shop", Resource: "shop"}
			who, _ := e.Check(call, traffic.Credentials{Token: e.Token(eve)})
			if got := who.Has("resourcemanager.projects.setIamPolicy", tc.granting...); got != tc.want {
				t.Errorf("she may: %v", got)
			}
		})
	}
}

// Whoever names a project for the quota of a call needs a permission there.
func TestTheQuotaOfAProject(t *testing.T) {
	var c cloud
	policy.Grant(&c.project, "roles/pubsub.admin", eve)
	policy.Grant(&c.project, "roles/storage.admin", eve)
	e := New(&c)
	e.SetRole("projects/shop/roles/user", useProject)
	topic := traffic.Call{Service: "pubsub", Method: "Publisher.GetTopic", Project: "shop", Resource: "orders"}
	billed := traffic.Credentials{Token: e.Token(eve), UserProject: "shop"}
	_, refusal := e.Check(topic, billed)
	if refusal == nil || refusal.Details.Info != "USER_PROJECT_DENIED" || refusal.Status != http.StatusForbidden {
		t.Errorf("without the permission: %+v", refusal)
	}
	if _, refusal := e.Check(traffic.Call{Service: "storage", Method: "buckets.get", Project: "shop", Resource: "logs"}, billed); refusal != nil {
		t.Errorf("who pays for a bucket, Cloud Storage says itself: %+v", refusal)
	}
	policy.Grant(&c.project, "projects/shop/roles/user", eve)
	if _, refusal := e.Check(topic, billed); refusal != nil {
		t.Errorf("with it: %+v", refusal)
	}
	if _, refusal := e.Check(topic, traffic.Credentials{Token: billed.Token, UserProject: "bank"}); refusal == nil {
		t.Error("nobody let her use bank's quota")
	}
}

func TestWhatARefusalSays(t *testing.T) {
	e := New(&cloud{})
	token := e.Token(eve)
	for call, want := range map[traffic.Call]*traffic.Refusal{
		{Service: "storage", Method: "buckets.delete", Project: "shop", Resource: "logs"}: {
			Message: "eve@example.com does not have storage.buckets.delete access to the Google Cloud Storage bucket. " +
				"Permission 'storage.buckets.delete' denied on resource (or it may not exist).",
		},
		{Service: "pubsub", Method: "Publisher.GetTopic", Project: "shop", Resource: "orders"}: {},
		{Service: "iam", Method: "IAM.DeleteServiceAccount", Project: "shop", Resource: "reader"}: {
			Message: "Permission 'iam.serviceAccounts.delete' denied on resource (or it may not exist).",
			Details: info("iam.serviceAccounts.delete", "projects/shop/serviceAccounts/reader@shop.iam.gserviceaccount.com"),
		},
		{Service: "iam", Method: "IAM.ListServiceAccounts", Project: "shop"}: {
			Message: "Permission 'iam.serviceAccounts.list' denied on resource (or it may not exist).",
			Details: info("iam.serviceAccounts.list", "projects/shop"),
		},
		{Service: "resourcemanager", Method: "Projects.GetProject", Project: "shop", Resource: "shop"}: {
			Details: info("resourcemanager.projects.get", "projects/shop"),
		},
	} {
		want.Call, want.Status = call, http.StatusForbidden
		_, got := e.Check(call, traffic.Credentials{Token: token})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", call, diff)
		}
		if _, got := e.Check(call, traffic.Credentials{Token: "stolen"}); got == nil || got.Status != http.StatusUnauthorized {
			t.Errorf("%s with a token that nobody issued: %+v", call, got)
		}
	}
}
