package traffic

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
)

// newRPC is a gRPC service under a control that calls it
// "pubsub Publisher.GetTopic".
func newRPC(t *testing.T, options ...Option) (*Control, grpc_health_v1.HealthClient) {
	t.Helper()
	control := New(options...)
	classify := func(_ string, req any) Call {
		project := req.(*grpc_health_v1.HealthCheckRequest).GetService()
		return Call{Service: "pubsub", Method: "Publisher.GetTopic", Project: project, Resource: "t"}
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(control.UnaryInterceptor(classify)))
	grpc_health_v1.RegisterHealthServer(server, healthy{})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		<-served
	})
	return control, grpc_health_v1.NewHealthClient(conn)
}

type healthy struct {
	grpc_health_v1.UnimplementedHealthServer
}

func (healthy) Check(context.Context, *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

func check(t *testing.T, client grpc_health_v1.HealthClient) *status.Status {
	t.Helper()
	_, err := client.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "my-project"})
	return status.Convert(err)
}

func TestRPCQuota(t *testing.T) {
	control, client := newRPC(t, WithProjectNumbers(func(string) string { return "123" }))
	control.SetQuota("pubsub", "my-project", 1)
	if s := check(t, client); s.Code() != codes.OK {
		t.Fatalf("within the quota: %v", s)
	}
	s := check(t, client)
	const message = "Quota exceeded for quota metric 'Administrator operations' and limit 'Administrator operations per minute' of service 'pubsub.googleapis.com' for consumer 'project_number:123'."
	if s.Code() != codes.ResourceExhausted || s.Message() != message {
		t.Errorf("beyond it: %v", s)
	}
	want := []any{&errdetails.ErrorInfo{Reason: "RATE_LIMIT_EXCEEDED", Domain: "googleapis.com", Metadata: map[string]string{
		"consumer": "projects/123", "quota_limit": "administratorPerMinutePerProject", "quota_limit_value": "1",
		"quota_location": "global", "quota_metric": "pubsub.googleapis.com/administrator", "service": "pubsub.googleapis.com",
	}}}
	if diff := cmp.Diff(want, s.Details(), protocmp.Transform()); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}

func TestRPCFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault   Fault
		code    codes.Code
		message string
		details int
	}{
		"too many":     {Fault{Status: http.StatusTooManyRequests, RetryAfter: time.Second}, codes.ResourceExhausted, "Resource has been exhausted (e.g. check quota).", 1},
		"denied":       {Fault{Status: http.StatusForbidden}, codes.PermissionDenied, "User not authorized to perform this action.", 0},
		"unavailable":  {Fault{Status: http.StatusServiceUnavailable}, codes.Unavailable, "The service is currently unavailable.", 0},
		"invalid":      {Fault{Status: http.StatusBadRequest, Message: "Bad topic."}, codes.InvalidArgument, "Bad topic.", 0},
		"a lost reply": {Fault{LoseReply: true}, codes.Unavailable, "error reading from server: EOF", 0},
	} {
		t.Run(name, func(t *testing.T) {
			control, client := newRPC(t)
			c.fault.Times = 1
			control.Inject(c.fault)
			s := check(t, client)
			if s.Code() != c.code || s.Message() != c.message || len(s.Details()) != c.details {
				t.Errorf("got %v with %d details", s, len(s.Details()))
			}
			if s := check(t, client); s.Code() != codes.OK {
				t.Errorf("the next call: %v", s)
			}
			if control.Total("pubsub") != 2 {
				t.Errorf("counted %d", control.Total("pubsub"))
			}
		})
	}
}

func TestRPCJournal(t *testing.T) {
	control, client := newRPC(t)
	control.Record(true)
	control.Inject(Fault{Times: 1, LoseReply: true})
	check(t, client)
	control.Inject(Fault{Times: 1, Status: http.StatusForbidden})
	check(t, client)
	type short struct {
		Path, Request, Response string
		Status                  int
		Executed, Lost, Write   bool
	}
	var got []short
	for _, e := range control.Journal() {
		got = append(got, short{e.Path, e.Request, e.Response, e.Status, e.Executed, e.Lost, e.Write})
	}
	const path, request = "/grpc.health.v1.Health/Check", `{"service":"my-project"}`
	want := []short{
		{path, request, `{"status":"SERVING"}`, 200, true, true, false},
		{path, request, `{"code":7,"message":"User not authorized to perform this action."}`, 403, false, false, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
}

func TestRPCBreakpoint(t *testing.T) {
	control, client := newRPC(t)
	held := control.Pause(Call{Method: "Publisher.GetTopic"})
	answered := make(chan *status.Status, 1)
	go func() { answered <- check(t, client) }()
	if call := <-held.Reached(); call.Resource != "t" {
		t.Errorf("reached %v", call)
	}
	select {
	case s := <-answered:
		t.Errorf("answered while held: %v", s)
	default:
	}
	held.Release()
	if s := <-answered; s.Code() != codes.OK {
		t.Errorf("after the release: %v", s)
	}
}

func TestCodesRoundTrip(t *testing.T) {
	for httpStatus, code := range rpcCodes {
		if got := HTTPStatus(code); got != httpStatus {
			t.Errorf("%d is %v is %d", httpStatus, code, got)
		}
	}
	for code, want := range map[codes.Code]string{
		codes.OK: "OK", codes.Canceled: "CANCELLED", codes.NotFound: "NOT_FOUND", codes.ResourceExhausted: "RESOURCE_EXHAUSTED",
		codes.FailedPrecondition: "FAILED_PRECONDITION",
	} {
		if got := codeName(code); got != want {
			t.Errorf("%v is called %s, want %s", code, got, want)
		}
	}
}

func TestIsCut(t *testing.T) {
	if !IsCut(cut("gone")) || IsCut(errors.New("other")) || IsCut(nil) {
		t.Error("IsCut tells other errors from broken connections")
	}
}
