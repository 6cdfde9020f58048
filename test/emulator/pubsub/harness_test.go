package pubsub_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	apiv1 "cloud.google.com/go/pubsub/v2/apiv1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/pubsub"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

const project = "projects/my-project"

// epoch is what the clock of the tests says.
var epoch = time.Date(2026, time.March, 4, 5, 6, 7, 123456000, time.UTC)

// cloud is a running Pub/Sub.
type cloud struct {
	service  *pubsub.Service
	control  *traffic.Control
	registry *projects.Registry
	grpcAddr string
	httpURL  string
}

// start serves a Pub/Sub over gRPC and HTTP until the test is over.
func start(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{control: traffic.New(), registry: projects.New(false)}
	c.service = pubsub.New(c.control, c.registry, policy.NewDirectory(c.registry), pubsub.WithClock(func() time.Time { return epoch }))
	t.Cleanup(func() {
		if err := c.service.Close(); err != nil {
			t.Errorf("closing Pub/Sub: %v", err)
		}
	})

	mux := http.NewServeMux()
	c.service.RegisterHTTP(mux)
	httpServer := httptest.NewServer(mux)
	t.Cleanup(httpServer.Close)
	c.httpURL = httpServer.URL

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(c.control.UnaryInterceptor(func(fullMethod string, req any) traffic.Call {
		call, _ := c.service.ClassifyRPC(fullMethod, req)
		return call
	})))
	c.service.RegisterGRPC(server)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	c.grpcAddr = listener.Addr().String()
	return c
}

func (c *cloud) grpcOptions() []option.ClientOption {
	return []option.ClientOption{
		option.WithEndpoint(c.grpcAddr), option.WithoutAuthentication(), option.WithTelemetryDisabled(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
	}
}

func (c *cloud) restOptions() []option.ClientOption {
	return []option.ClientOption{option.WithEndpoint(c.httpURL), option.WithoutAuthentication()}
}

// topics returns the real client for topics, over gRPC.
func (c *cloud) topics(t *testing.T) *apiv1.TopicAdminClient {
	t.Helper()
	client, err := apiv1.NewTopicAdminClient(t.Context(), c.grpcOptions()...)
	return opened(t, client, err)
}

// schemas returns the real client for schemas, over gRPC.
func (c *cloud) schemas(t *testing.T) *apiv1.SchemaClient {
	t.Helper()
	client, err := apiv1.NewSchemaClient(t.Context(), c.grpcOptions()...)
	return opened(t, client, err)
}

// subscriptions returns the real client for subscriptions, over gRPC.
func (c *cloud) subscriptions(t *testing.T) *apiv1.SubscriptionAdminClient {
	t.Helper()
	client, err := apiv1.NewSubscriptionAdminClient(t.Context(), c.grpcOptions()...)
	return opened(t, client, err)
}

// eachTransport runs a test with the real topic client over gRPC and over
// REST, each with a Pub/Sub of its own.
func eachTransport(t *testing.T, test func(t *testing.T, c *cloud, topics *apiv1.TopicAdminClient)) {
	t.Helper()
	t.Run("gRPC", func(t *testing.T) {
		c := start(t)
		test(t, c, c.topics(t))
	})
	t.Run("REST", func(t *testing.T) {
		c := start(t)
		client, err := apiv1.NewTopicAdminRESTClient(t.Context(), c.restOptions()...)
		test(t, c, opened(t, client, err))
	})
}

func opened[C io.Closer](t *testing.T, client C, err error) C {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// send makes one HTTP request and returns the status and the body.
func (c *cloud) send(ctx context.Context, t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, c.httpURL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// wantRefusal checks the code and the message of an error, whichever transport
// it came over.
func wantRefusal(t *testing.T, err error, code codes.Code, message string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %v %q", code, message)
	}
	got := status.Convert(err)
	same := got.Code() == code
	// 409 and 400 stand for several codes.
	if overHTTP, ok := errors.AsType[*googleapi.Error](err); ok {
		same = overHTTP.Code == traffic.HTTPStatus(code)
	}
	if !same || got.Message() != message {
		t.Errorf("got %v %q\nwant %v %q", got.Code(), got.Message(), code, message)
	}
}
