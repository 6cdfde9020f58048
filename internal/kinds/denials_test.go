package kinds_test

import (
	"context"
	"net"
	"strings"
	"testing"

	core "cloud.google.com/go/iam"
	iam "cloud.google.com/go/iam/admin/apiv1"
	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	pubsub "cloud.google.com/go/pubsub/v2/apiv1"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	resourcemanager "cloud.google.com/go/resourcemanager/apiv3"
	"cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// calls are one of each method of the gRPC APIs, with the permission that it wants and on what.
var calls = map[string]struct {
	do                   func(context.Context, clients) error
	permission, resource string
}{
	"Publisher.GetTopic": {func(ctx context.Context, c clients) error {
		_, err := c.topics.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: "projects/p/topics/t"})
		return err
	}, "pubsub.topics.get", "projects/p/topics/t"},
	"Publisher.ListTopics": {func(ctx context.Context, c clients) error {
		_, err := c.topics.ListTopics(ctx, &pubsubpb.ListTopicsRequest{Project: "projects/p"}).Next()
		return err
	}, "pubsub.topics.list", "projects/p"},
	"Publisher.CreateTopic": {func(ctx context.Context, c clients) error {
		_, err := c.topics.CreateTopic(ctx, &pubsubpb.Topic{Name: "projects/p/topics/t"})
		return err
	}, "pubsub.topics.create", "projects/p"},
	"Publisher.UpdateTopic": {func(ctx context.Context, c clients) error {
		_, err := c.topics.UpdateTopic(ctx, &pubsubpb.UpdateTopicRequest{Topic: &pubsubpb.Topic{Name: "projects/p/topics/t"}})
		return err
	}, "pubsub.topics.update", "projects/p/topics/t"},
	"Publisher.DeleteTopic": {func(ctx context.Context, c clients) error {
		return c.topics.DeleteTopic(ctx, &pubsubpb.DeleteTopicRequest{Topic: "projects/p/topics/t"})
	}, "pubsub.topics.delete", "projects/p/topics/t"},
	"IAMPolicy.GetIamPolicy": {func(ctx context.Context, c clients) error {
		_, err := c.topics.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{Resource: "projects/p/topics/t"})
		return err
	}, "pubsub.topics.getIamPolicy", "projects/p/topics/t"},
	"IAMPolicy.SetIamPolicy": {func(ctx context.Context, c clients) error {
		_, err := c.topics.SetIamPolicy(ctx, &iampb.SetIamPolicyRequest{Resource: "projects/p/topics/t"})
		return err
	}, "pubsub.topics.setIamPolicy", "projects/p/topics/t"},

	"IAM.GetServiceAccount": {func(ctx context.Context, c clients) error {
		_, err := c.accounts.GetServiceAccount(ctx, &adminpb.GetServiceAccountRequest{Name: annName})
		return err
	}, "iam.serviceAccounts.get", annName},
	"IAM.ListServiceAccounts": {func(ctx context.Context, c clients) error {
		_, err := c.accounts.ListServiceAccounts(ctx, &adminpb.ListServiceAccountsRequest{Name: "projects/p"}).Next()
		return err
	}, "iam.serviceAccounts.list", "projects/p"},
	"IAM.CreateServiceAccount": {func(ctx context.Context, c clients) error {
		_, err := c.accounts.CreateServiceAccount(ctx, &adminpb.CreateServiceAccountRequest{Name: "projects/p"})
		return err
	}, "iam.serviceAccounts.create", "projects/p"},
	"IAM.PatchServiceAccount": {func(ctx context.Context, c clients) error {
		_, err := c.accounts.PatchServiceAccount(ctx, &adminpb.PatchServiceAccountRequest{ServiceAccount: &adminpb.ServiceAccount{Name: annName}})
		return err
	}, "iam.serviceAccounts.update", annName},
	"IAM.EnableServiceAccount": {func(ctx context.Context, c clients) error {
		return c.accounts.EnableServiceAccount(ctx, &adminpb.EnableServiceAccountRequest{Name: annName})
	}, "iam.serviceAccounts.enable", annName},
	"IAM.DisableServiceAccount": {func(ctx context.Context, c clients) error {
		return c.accounts.DisableServiceAccount(ctx, &adminpb.DisableServiceAccountRequest{Name: annName})
	}, "iam.serviceAccounts.disable", annName},
	"IAM.DeleteServiceAccount": {func(ctx context.Context, c clients) error {
		return c.accounts.DeleteServiceAccount(ctx, &adminpb.DeleteServiceAccountRequest{Name: annName})
	}, "iam.serviceAccounts.delete", annName},
	"IAM.UndeleteServiceAccount": {func(ctx context.Context, c clients) error {
		_, err := c.accounts.UndeleteServiceAccount(ctx, &adminpb.UndeleteServiceAccountRequest{Name: annName})
		return err
	}, "iam.serviceAccounts.undelete", annName},
	"IAM.GetIamPolicy": {func(ctx context.Context, c clients) error {
		_, err := c.accounts.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{Resource: annName})
		return err
	}, "iam.serviceAccounts.getIamPolicy", annName},
	"IAM.SetIamPolicy": {func(ctx context.Context, c clients) error {
		_, err := c.accounts.SetIamPolicy(ctx, &iam.SetIamPolicyRequest{Resource: annName, Policy: new(core.Policy)})
		return err
	}, "iam.serviceAccounts.setIamPolicy", annName},

	"Projects.GetProject": {func(ctx context.Context, c clients) error {
		_, err := c.projects.GetProject(ctx, &resourcemanagerpb.GetProjectRequest{Name: "projects/p"})
		return err
	}, "resourcemanager.projects.get", "projects/p"},
	"Projects.GetIamPolicy": {func(ctx context.Context, c clients) error {
		_, err := c.projects.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{Resource: "projects/p"})
		return err
	}, "resourcemanager.projects.getIamPolicy", "projects/p"},
	"Projects.SetIamPolicy": {func(ctx context.Context, c clients) error {
		_, err := c.projects.SetIamPolicy(ctx, &iampb.SetIamPolicyRequest{Resource: "projects/p"})
		return err
	}, "resourcemanager.projects.setIamPolicy", "projects/p"},
}

const annName = "projects/p/serviceAccounts/ann@p.iam.gserviceaccount.com"

// clients are those of all gRPC APIs.
type clients struct {
	topics   *pubsub.TopicAdminClient
	accounts *iam.IamClient
	projects *resourcemanager.ProjectsClient
}

// denying are the clients of a cloud that answers all calls with a denial that says no more than that.
func denying(t *testing.T, message string) (c clients) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
		return status.Error(codes.PermissionDenied, message)
	}))
	go func() { _ = server.Serve(listener) }() // ends with Stop
	t.Cleanup(server.Stop)
	endpoint := gcp.Endpoint{Address: listener.Addr().String(), Insecure: true}
	all, err := gcp.NewClients(gcp.Options{
		Storage: endpoint, PubSub: endpoint, IAM: endpoint, ResourceManager: endpoint, Methods: declared(),
		QuotaShare: 1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := all.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, open := range []func() error{
		func() error { c.topics, err = all.Topics(t.Context(), ""); return err },
		func() error { c.accounts, err = all.ServiceAccounts(t.Context(), ""); return err },
		func() error { c.projects, err = all.Projects(t.Context(), ""); return err },
	} {
		if err := open(); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// A denial names what is missing also where Google does not, whatever was called over gRPC.
func TestDenialsAreNamed(t *testing.T) {
	for _, m := range declared() {
		_, ok := calls[m.Name]
		switch m.Service {
		case kind.ServicePubSub, kind.ServiceIAM, kind.ServiceResourceManager:
			if !ok {
				t.Errorf("no call of %s %s is tested", m.Service, m.Name)
			}
		default: // Cloud Storage names the permission itself.
		}
	}
	const message = "The caller does not have permission"
	c := denying(t, message)
	for name, tc := range calls {
		got := gcp.Classify(tc.do(t.Context(), c))
		if got.Class != kind.Denied || got.Permission != tc.permission || got.Resource != tc.resource || got.Message != message {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestDenialsOfOtherThingsNameNoPermission: whatever is called, a role does not help where something else is wrong.
func TestDenialsOfOtherThingsNameNoPermission(t *testing.T) {
	for message, says := range map[string]string{
		"Some API has not been used in project 4711 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/some.googleapis.com/overview?project=4711 then retry.": "the API some.googleapis.com is disabled in project 4711",
		"Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: ABC_def-1":                                                                                                   "(unique identifier ABC_def-1)",
		"This API method requires billing to be enabled. Please enable billing on project #4711 by visiting https://console.developers.google.com/billing/enable?project=4711 then retry.":                "billing is disabled for project 4711",
		"Project #4711 has been deleted.": "project 4711 is shut down",
	} {
		c := denying(t, message)
		for name, tc := range calls {
			got := gcp.Classify(tc.do(t.Context(), c))
			if got.Class != kind.Denied || got.Permission != "" || !strings.Contains(got.Explain("p", ""), says) {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
}
