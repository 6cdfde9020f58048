package resourcemanager_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	apiv3 "cloud.google.com/go/resourcemanager/apiv3"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/resourcemanager"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// cloud is a running Resource Manager with the projects "my-project" (123),
// "other-project", labelled team=shop, and "theirs" (456), which belongs to
// somebody else.
type cloud struct {
	service   *resourcemanager.Service
	control   *traffic.Control
	registry  *projects.Registry
	directory *policy.Directory
	grpcAddr  string
	httpURL   string
}

func start(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{control: traffic.New(), registry: projects.New(true)}
	for _, p := range []projects.Project{
		{ID: "my-project", Number: 123}, {ID: "other-project", Labels: map[string]string{"team": "shop"}},
		{ID: "theirs", Number: 456, Foreign: true},
	} {
		if err := c.registry.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	c.directory = policy.NewDirectory(c.registry)
	c.service = resourcemanager.New(resourcemanager.Options{Projects: c.registry, Traffic: c.control, Directory: c.directory})

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

// eachTransport runs a test with the real client over gRPC and over REST,
// each with a Resource Manager of its own.
func eachTransport(t *testing.T, test func(t *testing.T, c *cloud, client *apiv3.ProjectsClient)) {
	t.Helper()
	t.Run("gRPC", func(t *testing.T) {
		c := start(t)
		test(t, c, c.client(t))
	})
	t.Run("REST", func(t *testing.T) {
		c := start(t)
		client, err := apiv3.NewProjectsRESTClient(t.Context(), option.WithEndpoint(c.httpURL), option.WithoutAuthentication())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		test(t, c, client)
	})
}

// client returns the real client, over gRPC.
func (c *cloud) client(t *testing.T) *apiv3.ProjectsClient {
	t.Helper()
	client, err := apiv3.NewProjectsClient(t.Context(),
		option.WithEndpoint(c.grpcAddr), option.WithoutAuthentication(), option.WithTelemetryDisabled(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// send makes one HTTP request and returns the status and the body.
func (c *cloud) send(t *testing.T, method, path, body string, header ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, c.httpURL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
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

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
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
