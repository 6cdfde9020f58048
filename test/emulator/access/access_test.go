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
			refusal := e.Check(tc.call, e.Token(eve))
			if tc.denied != (refusal != nil) {
				t.Errorf("%s by %s: %+v", tc.call, eve, refusal)
			}
			if refusal != nil && refusal.Status != http.StatusForbidden {
				t.Errorf("it is answered with %d", refusal.Status)
			}
		})
	}
}

func TestAConditionalBindingLetsNobodyIn(t *testing.T) {
	c := cloud{project: iampb.Policy{Bindings: []*iampb.Binding{{Role: "roles/storage.admin", Members: []string{eve}}}}}
	e, call := New(&c), traffic.Call{Service: "storage", Method: "buckets.get", Project: "shop", Resource: "logs"}
	token := e.Token(eve)
	if refusal := e.Check(call, token); refusal != nil {
		t.Errorf("without a condition: %+v", refusal)
	}
	c.project.Bindings[0].Condition = &expr.Expr{Expression: "true"}
	if refusal := e.Check(call, token); refusal == nil {
		t.Error("nobody evaluates the condition, and it lets her in")
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
		if diff := cmp.Diff(want, e.Check(call, token)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", call, diff)
		}
		if got := e.Check(call, "stolen"); got == nil || got.Status != http.StatusUnauthorized {
			t.Errorf("%s with a token that nobody issued: %+v", call, got)
		}
	}
}
