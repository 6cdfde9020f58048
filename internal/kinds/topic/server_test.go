package topic

import (
	"context"
	"net"
	"testing"

	pubsub "cloud.google.com/go/pubsub/v2/apiv1"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

// server answers every call with one topic or one error, and keeps what it was asked.
type server struct {
	pubsubpb.UnimplementedPublisherServer
	topic    *pubsubpb.Topic
	err      error
	requests []proto.Message
	// impersonated are the service accounts that clients were asked for, in order.
	impersonated []string
}

func (s *server) CreateTopic(_ context.Context, request *pubsubpb.Topic) (*pubsubpb.Topic, error) {
	s.requests = append(s.requests, request)
	return s.topic, s.err
}

func (s *server) GetTopic(_ context.Context, request *pubsubpb.GetTopicRequest) (*pubsubpb.Topic, error) {
	s.requests = append(s.requests, request)
	return s.topic, s.err
}

func (s *server) UpdateTopic(_ context.Context, request *pubsubpb.UpdateTopicRequest) (*pubsubpb.Topic, error) {
	s.requests = append(s.requests, request)
	return s.topic, s.err
}

func (s *server) DeleteTopic(_ context.Context, request *pubsubpb.DeleteTopicRequest) (*emptypb.Empty, error) {
	s.requests = append(s.requests, request)
	return &emptypb.Empty{}, s.err
}

// start serves in memory and returns the kind that calls the server through the real client, its own retries included.
func (s *server) start(t *testing.T) *Kind {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	grpcServer := grpc.NewServer()
	pubsubpb.RegisterPublisherServer(grpcServer, s)
	go func() { _ = grpcServer.Serve(listener) }() // ends with Stop
	t.Cleanup(grpcServer.Stop)
	connection, err := grpc.NewClient("passthrough:///bufconn",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	client, err := pubsub.NewTopicAdminClient(t.Context(), option.WithGRPCConn(connection))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return New(func(_ context.Context, impersonate string) (*pubsub.TopicAdminClient, error) {
		s.impersonated = append(s.impersonated, impersonate)
		return client, nil
	})
}
