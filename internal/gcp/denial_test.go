package gcp

import (
	"context"
	"testing"

	core "cloud.google.com/go/iam"
	iam "cloud.google.com/go/iam/admin/apiv1"
	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	pubsub "cloud.google.com/go/pubsub/v2/apiv1"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	resourcemanager "cloud.google.com/go/resourcemanager/apiv3"
	"cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// refusal answers every call with one error, whatever the service and method.
func refusal(t *testing.T, code codes.Code, message string, details ...protoadapt.MessageV1) (clients *Clients) {
	t.Helper()
	st, err := status.New(code, message).WithDetails(details...)
	if err != nil {
		t.Fatal(err)
	}
	opts := allInsecure(t, (&fakeCloud{}).serve(t,
		grpc.UnaryInterceptor(func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
			return nil, st.Err()
		}),
		grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return st.Err() })))
	opts.Limits = Limits{Project: 1000, QuotaProject: 1000}
	return newClients(t, opts)
}

// calls are all that we make over gRPC, with the permission and the resource that each wants.
var calls = map[string]struct {
	do                   func(context.Context, services) error
	permission, resource string
}{
	"get topic": {func(ctx context.Context, s services) error {
		_, err := s.topics.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: "projects/p/topics/t"})
		return err
	}, "pubsub.topics.get", "projects/p/topics/t"},
	"list topics": {func(ctx context.Context, s services) error {
		_, err := s.topics.ListTopics(ctx, &pubsubpb.ListTopicsRequest{Project: "projects/p"}).Next()
		return err
	}, "pubsub.topics.list", "projects/p"},
	"create topic": {func(ctx context.Context, s services) error {
		_, err := s.topics.CreateTopic(ctx, &pubsubpb.Topic{Name: "projects/p/topics/t"})
		return err
	}, "pubsub.topics.create", "projects/p"},
	"update topic": {func(ctx context.Context, s services) error {
		_, err := s.topics.UpdateTopic(ctx, &pubsubpb.UpdateTopicRequest{Topic: &pubsubpb.Topic{Name: "projects/p/topics/t"}})
		return err
	}, "pubsub.topics.update", "projects/p/topics/t"},
	"delete topic": {func(ctx context.Context, s services) error {
		return s.topics.DeleteTopic(ctx, &pubsubpb.DeleteTopicRequest{Topic: "projects/p/topics/t"})
	}, "pubsub.topics.delete", "projects/p/topics/t"},
	"get a topic's policy": {func(ctx context.Context, s services) error {
		_, err := s.topics.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{Resource: "projects/p/topics/t"})
		return err
	}, "pubsub.topics.getIamPolicy", "projects/p/topics/t"},
	"set a topic's policy": {func(ctx context.Context, s services) error {
		_, err := s.topics.SetIamPolicy(ctx, &iampb.SetIamPolicyRequest{Resource: "projects/p/topics/t"})
		return err
	}, "pubsub.topics.setIamPolicy", "projects/p/topics/t"},

	"get account": {func(ctx context.Context, s services) error {
		_, err := s.accounts.GetServiceAccount(ctx, &adminpb.GetServiceAccountRequest{Name: annName})
		return err
	}, "iam.serviceAccounts.get", annName},
	"list accounts": {func(ctx context.Context, s services) error {
		_, err := s.accounts.ListServiceAccounts(ctx, &adminpb.ListServiceAccountsRequest{Name: "projects/p"}).Next()
		return err
	}, "iam.serviceAccounts.list", "projects/p"},
	"create account": {func(ctx context.Context, s services) error {
		_, err := s.accounts.CreateServiceAccount(ctx, &adminpb.CreateServiceAccountRequest{Name: "projects/p"})
		return err
	}, "iam.serviceAccounts.create", "projects/p"},
	"patch account": {func(ctx context.Context, s services) error {
		_, err := s.accounts.PatchServiceAccount(ctx, &adminpb.PatchServiceAccountRequest{ServiceAccount: &adminpb.ServiceAccount{Name: annName}})
		return err
	}, "iam.serviceAccounts.update", annName},
	"enable account": {func(ctx context.Context, s services) error {
		return s.accounts.EnableServiceAccount(ctx, &adminpb.EnableServiceAccountRequest{Name: annName})
	}, "iam.serviceAccounts.enable", annName},
	"disable account": {func(ctx context.Context, s services) error {
		return s.accounts.DisableServiceAccount(ctx, &adminpb.DisableServiceAccountRequest{Name: annName})
	}, "iam.serviceAccounts.disable", annName},
	"delete account": {func(ctx context.Context, s services) error {
		return s.accounts.DeleteServiceAccount(ctx, &adminpb.DeleteServiceAccountRequest{Name: annName})
	}, "iam.serviceAccounts.delete", annName},
	"undelete account": {func(ctx context.Context, s services) error {
		_, err := s.accounts.UndeleteServiceAccount(ctx, &adminpb.UndeleteServiceAccountRequest{Name: annName})
		return err
	}, "iam.serviceAccounts.undelete", annName},
	"get an account's policy": {func(ctx context.Context, s services) error {
		_, err := s.accounts.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{Resource: annName})
		return err
	}, "iam.serviceAccounts.getIamPolicy", annName},
	"set an account's policy": {func(ctx context.Context, s services) error {
		_, err := s.accounts.SetIamPolicy(ctx, &iam.SetIamPolicyRequest{Resource: annName, Policy: new(core.Policy)})
		return err
	}, "iam.serviceAccounts.setIamPolicy", annName},

	"get project": {func(ctx context.Context, s services) error {
		_, err := s.projects.GetProject(ctx, &resourcemanagerpb.GetProjectRequest{Name: "projects/p"})
		return err
	}, "resourcemanager.projects.get", "projects/p"},
	"get a project's policy": {func(ctx context.Context, s services) error {
		_, err := s.projects.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{Resource: "projects/p"})
		return err
	}, "resourcemanager.projects.getIamPolicy", "projects/p"},
	"set a project's policy": {func(ctx context.Context, s services) error {
		_, err := s.projects.SetIamPolicy(ctx, &iampb.SetIamPolicyRequest{Resource: "projects/p"})
		return err
	}, "resourcemanager.projects.setIamPolicy", "projects/p"},
}

const annName = "projects/p/serviceAccounts/ann@p.iam.gserviceaccount.com"

// services are the clients of all gRPC APIs.
type services struct {
	topics   *pubsub.TopicAdminClient
	accounts *iam.IamClient
	projects *resourcemanager.ProjectsClient
}

func servicesOf(t *testing.T, clients *Clients) (s services) {
	t.Helper()
	var err error
	for _, open := range []func() error{
		func() error { s.topics, err = clients.Topics(t.Context(), ""); return err },
		func() error { s.accounts, err = clients.ServiceAccounts(t.Context(), ""); return err },
		func() error { s.projects, err = clients.Projects(t.Context(), ""); return err },
	} {
		if err := open(); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// A denial names what is missing, also where Google does not.
func TestDenialsAreNamed(t *testing.T) {
	if len(calls) != len(permissions) {
		t.Errorf("%d calls for %d permissions", len(calls), len(permissions))
	}
	byMessage := map[string]services{}
	for _, message := range []string{"User not authorized to perform this action.", "The caller does not have permission", "Permission denied."} {
		byMessage[message] = servicesOf(t, refusal(t, codes.PermissionDenied, message))
	}
	for name, tc := range calls {
		for message, s := range byMessage {
			got := Classify(tc.do(t.Context(), s))
			if got.Class != kind.Denied || got.Permission != tc.permission || got.Resource != tc.resource || got.Message != message {
				t.Errorf("%s, %q: %+v", name, message, got)
			}
		}
	}
}

// What is named is what is missing: not what the call would have wanted besides.
func TestDenialsOfOtherThings(t *testing.T) {
	cases := map[string]struct {
		message              string
		details              []protoadapt.MessageV1
		permission, resource string
	}{
		"the resource is left out": {
			"Permission 'iam.serviceAccounts.get' denied on resource (or it may not exist).", nil, "iam.serviceAccounts.get", annName,
		},
		"the reason says that it is the caller": {"No.", []protoadapt.MessageV1{
			&errdetails.ErrorInfo{Reason: "IAM_PERMISSION_DENIED", Domain: "iam.googleapis.com"},
		}, "iam.serviceAccounts.get", annName},
		"all is said": {"No.", []protoadapt.MessageV1{
			&errdetails.ErrorInfo{Reason: "IAM_PERMISSION_DENIED", Metadata: map[string]string{"permission": "iam.serviceAccounts.get", "resource": "projects/p"}},
		}, "iam.serviceAccounts.get", "projects/p"},
		"another permission": {
			"Permission 'iam.serviceAccounts.actAs' denied on resource 'projects/q' (or it may not exist).", nil, "iam.serviceAccounts.actAs", "projects/q",
		},
		"another permission, on who knows what": {
			"Permission 'iam.serviceAccounts.actAs' denied on resource (or it may not exist).", nil, "iam.serviceAccounts.actAs", "",
		},
		"an API that is disabled": {"Identity and Access Management (IAM) API has not been used in project 4711 before or it is disabled.", []protoadapt.MessageV1{
			&errdetails.ErrorInfo{Reason: "SERVICE_DISABLED", Domain: "googleapis.com"},
		}, "", ""},
		"a quota project": {"Caller does not have required permission to use project q.", []protoadapt.MessageV1{
			&errdetails.ErrorInfo{Reason: "USER_PROJECT_DENIED", Domain: "googleapis.com"},
		}, "", ""},
		"an organization policy": {"The caller does not have permission: constraints/iam.disableServiceAccountCreation", nil, "", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := servicesOf(t, refusal(t, codes.PermissionDenied, tc.message, tc.details...))
			got := Classify(calls["get account"].do(t.Context(), s))
			want := &Error{Class: kind.Denied, Permission: tc.permission, Resource: tc.resource, Message: tc.message}
			got.Err = nil
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("denial (-want +got):\n%s", diff)
			}
		})
	}
}
