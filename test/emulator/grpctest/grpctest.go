// Package grpctest serves an emulated service to its own tests, over gRPC and
// over REST, and has what such tests need: the options of Google's real
// clients, plain HTTP requests, and checks of what a call was refused with.
package grpctest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// Service is what all emulated services have that are there over gRPC.
type Service interface {
	RegisterHTTP(mux *http.ServeMux)
	RegisterGRPC(server *grpc.Server)
	ClassifyRPC(fullMethod string, req any) (traffic.Call, bool)
}

// Endpoints are where an emulated service listens.
type Endpoints struct {
	// URL is the address of its REST form, such as "http://127.0.0.1:8085".
	URL string
	// Addr is the address of its gRPC form, such as "127.0.0.1:8086".
	Addr string
}

// Serve serves one service on free ports of the loopback interface until the
// test ends, its gRPC calls under the control as they are in the emulator.
func Serve(t *testing.T, control *traffic.Control, service Service) Endpoints {
	t.Helper()
	mux := http.NewServeMux()
	service.RegisterHTTP(mux)
	httpServer := httptest.NewServer(mux)
	t.Cleanup(httpServer.Close)

	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	Must(t, err)
	server := grpc.NewServer(grpc.UnaryInterceptor(control.UnaryInterceptor(func(fullMethod string, req any) traffic.Call {
		call, _ := service.ClassifyRPC(fullMethod, req)
		return call
	})))
	service.RegisterGRPC(server)
	go func() { _ = server.Serve(listener) }() // until it is stopped
	t.Cleanup(server.Stop)
	return Endpoints{URL: httpServer.URL, Addr: listener.Addr().String()}
}

// GRPC are the options with which a real client calls over gRPC.
func (e Endpoints) GRPC() []option.ClientOption {
	return []option.ClientOption{
		option.WithEndpoint(e.Addr), option.WithoutAuthentication(), option.WithTelemetryDisabled(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
	}
}

// REST are the options with which a real client calls over REST.
func (e Endpoints) REST() []option.ClientOption {
	return []option.ClientOption{option.WithEndpoint(e.URL), option.WithoutAuthentication()}
}

// Constructor makes a real client, as all packages of Google's clients have
// them.
type Constructor[C io.Closer] func(context.Context, ...option.ClientOption) (C, error)

// Open makes a real client that is closed when the test ends.
func Open[C io.Closer](t *testing.T, construct Constructor[C], options []option.ClientOption) C {
	t.Helper()
	client, err := construct(t.Context(), options...)
	Must(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// transports is what [Endpoints] have, and whatever embeds them.
type transports interface {
	GRPC() []option.ClientOption
	REST() []option.ClientOption
}

// EachTransport runs a test with a real client over gRPC and over REST, each
// time with a service that start starts for it alone.
func EachTransport[S transports, C io.Closer](
	t *testing.T, start func(*testing.T) S, overGRPC, overREST Constructor[C], test func(t *testing.T, started S, client C),
) {
	t.Helper()
	t.Run("gRPC", func(t *testing.T) {
		started := start(t)
		test(t, started, Open(t, overGRPC, started.GRPC()))
	})
	t.Run("REST", func(t *testing.T) {
		started := start(t)
		test(t, started, Open(t, overREST, started.REST()))
	})
}

// Send makes one HTTP request to a path, which may have a query, and returns
// the status and the body.
func (e Endpoints) Send(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, e.URL+path, strings.NewReader(body))
	Must(t, err)
	response, err := http.DefaultClient.Do(request)
	Must(t, err)
	defer func() { _ = response.Body.Close() }() // nothing more is read from it
	answer, err := io.ReadAll(response.Body)
	Must(t, err)
	return response.StatusCode, string(answer)
}

// Must ends the test on an error.
func Must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// WantRefusal checks the code and the message of an error, whichever transport
// it came over.
func WantRefusal(t *testing.T, err error, code codes.Code, message string) {
	t.Helper()
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
