package serviceaccount

import (
	"context"
	"net"
	"testing"

	iam "cloud.google.com/go/iam/admin/apiv1"
	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

var ref = kind.Ref{Project: "demo-project", ID: "importer", Impersonate: "boss@demo-project.iam.gserviceaccount.com"}

const (
	uid     = "111111111111111111111"
	address = "importer@demo-project.iam.gserviceaccount.com"
	byName  = "projects/demo-project/serviceAccounts/" + address
	byUID   = "projects/demo-project/serviceAccounts/" + uid
)

// liveAccount is an account as Google shows it, with all that it has.
func liveAccount() *adminpb.ServiceAccount {
	return &adminpb.ServiceAccount{
		Name: byName, ProjectId: "demo-project", UniqueId: uid, Email: address, Oauth2ClientId: "222222222222222222222",
		DisplayName: "Importer", Description: "Imports.", Disabled: true,
	}
}

// server answers every call with one account, one policy or one error, and keeps what it was asked.
type server struct {
	adminpb.UnimplementedIAMServer
	account  *adminpb.ServiceAccount
	policy   *iampb.Policy
	err      error
	requests []proto.Message
	// impersonated are the service accounts that clients were asked for, in order.
	impersonated []string
}

func (s *server) intercept(_ context.Context, request any, _ *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
	s.requests = append(s.requests, request.(proto.Message))
	if s.err != nil {
		return nil, s.err
	}
	switch request.(type) {
	case *adminpb.DeleteServiceAccountRequest, *adminpb.EnableServiceAccountRequest, *adminpb.DisableServiceAccountRequest:
		return &emptypb.Empty{}, nil
	case *adminpb.UndeleteServiceAccountRequest:
		return &adminpb.UndeleteServiceAccountResponse{RestoredAccount: s.account}, nil
	case *iampb.GetIamPolicyRequest, *iampb.SetIamPolicyRequest:
		return s.policy, nil
	default:
		return s.account, nil
	}
}

// start serves in memory and returns the kind that calls the server through the real client.
func (s *server) start(t *testing.T) *Kind {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	grpcServer := grpc.NewServer(grpc.UnaryInterceptor(s.intercept))
	adminpb.RegisterIAMServer(grpcServer, s)
	go func() { _ = grpcServer.Serve(listener) }() // ends with Stop
	t.Cleanup(grpcServer.Stop)
	connection, err := grpc.NewClient("passthrough:///bufconn",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	client, err := iam.NewIamClient(t.Context(), option.WithGRPCConn(connection))
	if err != nil {
		t.Fatal(err)
	}
	client.CallOptions = &iam.IamCallOptions{}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return New(func(_ context.Context, impersonate string) (*iam.IamClient, error) {
		s.impersonated = append(s.impersonated, impersonate)
		return client, nil
	})
}
