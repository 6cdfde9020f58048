package gcp

import (
	"context"
	"testing"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
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
	opts.QuotaShare = 100
	return newClients(t, opts)
}

const annName = "projects/p/serviceAccounts/ann@p.iam.gserviceaccount.com"

func getAccount(ctx context.Context, clients *Clients) error {
	client, err := clients.ServiceAccounts(ctx, "")
	if err != nil {
		return err
	}
	_, err = client.GetServiceAccount(ctx, &adminpb.GetServiceAccountRequest{Name: annName})
	return err
}

func createTopic(ctx context.Context, clients *Clients) error {
	client, err := clients.Topics(ctx, "")
	if err != nil {
		return err
	}
	_, err = client.CreateTopic(ctx, &pubsubpb.Topic{Name: "projects/p/topics/t"})
	return err
}

// A denial names what is missing, also where Google does not.
func TestDenialsAreNamed(t *testing.T) {
	cases := map[string]struct {
		call                 func(context.Context, *Clients) error
		permission, resource string
	}{
		"on the resource": {getAccount, "iam.serviceAccounts.get", annName},
		"on the project":  {createTopic, "pubsub.topics.create", "projects/p"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for _, message := range []string{"User not authorized to perform this action.", "The caller does not have permission", "Permission denied."} {
				got := Classify(tc.call(t.Context(), refusal(t, codes.PermissionDenied, message)))
				want := &Error{Class: kind.Denied, Permission: tc.permission, Resource: tc.resource, Message: message}
				if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Error{}, "Err", "Denial")); diff != "" {
					t.Errorf("denial (-want +got):\n%s", diff)
				}
			}
		})
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
			got := Classify(getAccount(t.Context(), refusal(t, codes.PermissionDenied, tc.message, tc.details...)))
			want := &Error{Class: kind.Denied, Permission: tc.permission, Resource: tc.resource, Message: tc.message}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Error{}, "Err", "Denial")); diff != "" {
				t.Errorf("denial (-want +got):\n%s", diff)
			}
		})
	}
}
