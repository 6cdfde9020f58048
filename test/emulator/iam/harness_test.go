package iam_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	admin "cloud.google.com/go/iam/admin/apiv1"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/test/emulator/iam"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// cloud is a running IAM on a clock that tests move.
type cloud struct {
	service   *iam.Service
	control   *traffic.Control
	directory *policy.Directory
	registry  *projects.Registry
	now       time.Time
	grpcAddr  string
	httpURL   string
}

// start serves an IAM over gRPC and HTTP until the test is over, for the
// project "my-project" and "theirs", which belongs to somebody else.
func start(t *testing.T) *cloud {
	t.Helper()
	registry := projects.New(true)
	for _, p := range []projects.Project{{ID: "my-project", Number: 123}, {ID: "example.com:scoped"}, {ID: "theirs", Foreign: true}} {
		if err := registry.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	c := &cloud{control: traffic.New(), directory: policy.NewDirectory(registry), registry: registry, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	c.service = iam.New(iam.Options{
		Projects: registry, Traffic: c.control, Directory: c.directory, Now: func() time.Time { return c.now },
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

// client returns the real client, over gRPC.
func (c *cloud) client(t *testing.T) *admin.IamClient {
	t.Helper()
	client, err := admin.NewIamClient(t.Context(),
		option.WithEndpoint(c.grpcAddr), option.WithoutAuthentication(), option.WithTelemetryDisabled(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// send makes one HTTP request and returns the status and the body without
// white space around.
func (c *cloud) send(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	request, err := http.NewRequestWithContext(t.Context(), method, c.httpURL+path+separator+"prettyPrint=false", strings.NewReader(body))
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
	var compact bytes.Buffer
	if err := json.Compact(&compact, answer); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, answer)
	}
	return response.StatusCode, compact.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantRefusal checks the code and the message of an error.
func wantRefusal(t *testing.T, err error, code codes.Code, message string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %v %q", code, message)
	}
	if got := status.Convert(err); got.Code() != code || got.Message() != message {
		t.Errorf("got %v %q\nwant %v %q", got.Code(), got.Message(), code, message)
	}
}
