package gcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"
	"cloud.google.com/go/storage"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

func newClients(t *testing.T, opts Options) *Clients {
	t.Helper()
	opts.Methods = testMethods
	clients, err := NewClients(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := clients.Close(); err != nil {
			t.Errorf("closing the clients: %v", err)
		}
	})
	return clients
}

// insecure is an endpoint as an emulator has it.
func insecure(t *testing.T, address string) Endpoint {
	t.Helper()
	endpoint, err := ParseEndpoint(address, true)
	if err != nil {
		t.Fatal(err)
	}
	return endpoint
}

// allInsecure are options that want no credentials.
func allInsecure(t *testing.T, address string) Options {
	t.Helper()
	endpoint := insecure(t, address)
	return Options{Storage: endpoint, PubSub: endpoint, IAM: endpoint, ResourceManager: endpoint, UserAgent: "holdfast/test"}
}

// storageServer answers as the handler says and counts.
func storageServer(t *testing.T, handle http.HandlerFunc) (address string, calls *atomic.Int32) {
	t.Helper()
	calls = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		handle(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, calls
}

func getBucket(ctx context.Context, clients *Clients, account string) (*storage.BucketAttrs, error) {
	client, err := clients.Storage(ctx, account)
	if err != nil {
		return nil, err
	}
	return client.Bucket("logs").Attrs(WithProject(ctx, "p"))
}

func TestStorage(t *testing.T) {
	var seen *http.Request
	address, _ := storageServer(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r
		_, _ = io.WriteString(w, `{"name":"logs","projectNumber":"7"}`)
	})
	t.Setenv("STORAGE_EMULATOR_HOST", "127.0.0.1:1") // what the options say wins
	registry := prometheus.NewRegistry()
	opts := allInsecure(t, address)
	opts.Registerer = registry
	clients := newClients(t, opts)

	got, err := getBucket(t.Context(), clients, "")
	if err != nil || got.ProjectNumber != 7 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if agent := seen.UserAgent(); !strings.HasPrefix(agent, "holdfast/test ") {
		t.Errorf("user agent %q", agent)
	}
	if seen.URL.Path != "/storage/v1/b/logs" || seen.Header.Get("Authorization") != "" {
		t.Errorf("got %s with %v", seen.URL, seen.Header)
	}
	want := `
# HELP holdfast_gcp_requests_total Calls to Google Cloud by service, method and code: an HTTP status, a gRPC code, timeout, canceled or error without an answer, or undeclared if the call was refused unsent.
# TYPE holdfast_gcp_requests_total counter
holdfast_gcp_requests_total{code="200",method="buckets.get",service="storage"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "holdfast_gcp_requests_total"); err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(registry, "holdfast_gcp_request_duration_seconds"); n != 1 || err != nil {
		t.Errorf("%d durations, %v", n, err)
	}
}

func TestStorageFailures(t *testing.T) {
	cases := map[string]struct {
		handle http.HandlerFunc
		class  kind.Class
	}{
		"unavailable": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, storageBody(503, "backendError", "We encountered an internal error."))
		}, kind.Unavailable},
		"reply lost": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, kind.Unavailable},
		"too slow": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, kind.Unavailable},
		"not found": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, storageBody(404, "notFound", "The specified bucket does not exist."))
		}, kind.NotFound},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			address, calls := storageServer(t, tc.handle)
			opts := allInsecure(t, address)
			opts.Timeout = 200 * time.Millisecond
			_, err := getBucket(t.Context(), newClients(t, opts), "")
			if err == nil || Classify(err).Class != tc.class {
				t.Errorf("got %v, want %s", err, tc.class)
			}
			if n := calls.Load(); n != 1 {
				t.Errorf("%d calls, want 1: the engine retries, nobody else", n)
			}
		})
	}
}

func TestStorageThrottledIsHeldBack(t *testing.T) {
	for _, code := range []int{http.StatusTooManyRequests, http.StatusForbidden} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			address, calls := storageServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "30")
				w.WriteHeader(code)
				_, _ = io.WriteString(w, storageBody(code, "rateLimitExceeded", "Slow down."))
			})
			clients := newClients(t, allInsecure(t, address))
			want := Error{Class: kind.Throttled, RetryAfter: 30 * time.Second, Message: "Slow down."}
			_, err := getBucket(t.Context(), clients, "")
			if diff := cmp.Diff(&want, Classify(err), cmpopts.IgnoreFields(Error{}, "Err")); diff != "" {
				t.Errorf("the first call (-want +got):\n%s", diff)
			}
			_, err = getBucket(t.Context(), clients, "")
			got := Classify(err)
			if got.Class != kind.Throttled || got.Ours || got.RetryAfter < 29*time.Second ||
				got.Message != "Slow down. (storage reads of buckets for project p are paused)" {
				t.Errorf("the second call: %+v", got)
			}
			if n := calls.Load(); n != 1 {
				t.Errorf("%d calls, want 1", n)
			}
		})
	}
}

func TestDeniedBodyStaysReadable(t *testing.T) {
	sentence := "ann does not have storage.buckets.get access to the Google Cloud Storage bucket. " + strings.Repeat("x", 2*maxPeek)
	address, _ := storageServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, storageBody(403, "forbidden", sentence))
	})
	_, err := getBucket(t.Context(), newClients(t, allInsecure(t, address)), "")
	if got := Classify(err); got.Class != kind.Denied || got.Permission != "storage.buckets.get" {
		t.Errorf("got %+v", got)
	}
}

// fakeCloud speaks the gRPC APIs that we call. Unset functions are unimplemented.
type fakeCloud struct {
	pubsubpb.UnimplementedPublisherServer
	resourcemanagerpb.UnimplementedProjectsServer
	getTopic   func(context.Context) error
	getProject func(context.Context) (*resourcemanagerpb.Project, error)
	calls      atomic.Int32
}

func (f *fakeCloud) GetTopic(ctx context.Context, req *pubsubpb.GetTopicRequest) (*pubsubpb.Topic, error) {
	f.calls.Add(1)
	if err := f.getTopic(ctx); err != nil {
		return nil, err
	}
	return &pubsubpb.Topic{Name: req.GetTopic()}, nil
}

func (f *fakeCloud) GetProject(ctx context.Context, _ *resourcemanagerpb.GetProjectRequest) (*resourcemanagerpb.Project, error) {
	f.calls.Add(1)
	return f.getProject(ctx)
}

func (f *fakeCloud) serve(t *testing.T, opts ...grpc.ServerOption) (address string) {
	t.Helper()
	address, _ = f.listen(t, opts...)
	return address
}

// listen serves, and counts the connections.
func (f *fakeCloud) listen(t testing.TB, opts ...grpc.ServerOption) (address string, made *connections) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	made = &connections{Listener: listener}
	server := grpc.NewServer(opts...)
	pubsubpb.RegisterPublisherServer(server, f)
	resourcemanagerpb.RegisterProjectsServer(server, f)
	go func() { _ = server.Serve(made) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String(), made
}

func getTopic(ctx context.Context, clients *Clients, account string) error {
	client, err := clients.Topics(ctx, account)
	if err != nil {
		return err
	}
	_, err = client.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: "projects/p/topics/t"})
	return err
}

func TestTopics(t *testing.T) {
	var seen metadata.MD
	cloud := &fakeCloud{getTopic: func(ctx context.Context) error {
		seen, _ = metadata.FromIncomingContext(ctx)
		return nil
	}}
	t.Setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1") // what the options say wins
	registry := prometheus.NewRegistry()
	opts := allInsecure(t, cloud.serve(t))
	opts.Registerer = registry
	if err := getTopic(t.Context(), newClients(t, opts), "ann@p.iam.gserviceaccount.com"); err != nil {
		t.Fatal(err)
	}
	if agent := fmt.Sprint(seen.Get("user-agent")); !strings.Contains(agent, "holdfast/test") {
		t.Errorf("user agent %s", agent)
	}
	want := `
# HELP holdfast_gcp_requests_total Calls to Google Cloud by service, method and code: an HTTP status, a gRPC code, timeout, canceled or error without an answer, or undeclared if the call was refused unsent.
# TYPE holdfast_gcp_requests_total counter
holdfast_gcp_requests_total{code="OK",method="Publisher.GetTopic",service="pubsub"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "holdfast_gcp_requests_total"); err != nil {
		t.Error(err)
	}
}

func TestTopicsFailures(t *testing.T) {
	cases := map[string]struct {
		answer func(context.Context) error
		class  kind.Class
	}{
		"unavailable": {func(context.Context) error { return status.Error(codes.Unavailable, "try again") }, kind.Unavailable},
		"too slow":    {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, kind.Unavailable},
		"not found":   {func(context.Context) error { return status.Error(codes.NotFound, "Resource not found (resource=t).") }, kind.NotFound},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cloud := &fakeCloud{getTopic: tc.answer}
			opts := allInsecure(t, cloud.serve(t))
			opts.Timeout = 200 * time.Millisecond
			err := getTopic(t.Context(), newClients(t, opts), "")
			if err == nil || Classify(err).Class != tc.class {
				t.Errorf("got %v, want %s", err, tc.class)
			}
			if n := cloud.calls.Load(); n != 1 {
				t.Errorf("%d calls, want 1: the engine retries, nobody else", n)
			}
		})
	}
}

func TestTopicsThrottledIsHeldBack(t *testing.T) {
	cloud := &fakeCloud{getTopic: func(context.Context) error {
		st, err := status.New(codes.ResourceExhausted, "Quota exceeded.").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(30 * time.Second)})
		return errors.Join(err, st.Err())
	}}
	clients := newClients(t, allInsecure(t, cloud.serve(t)))
	for range 2 {
		if got := Classify(getTopic(t.Context(), clients, "")); got.Class != kind.Throttled || got.RetryAfter < 29*time.Second {
			t.Errorf("got %+v", got)
		}
	}
	if n := cloud.calls.Load(); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// A project that is full of accounts is not one that is asked too often: only the latter is left alone.
func TestFullQuotaHoldsNothingBack(t *testing.T) {
	for name, tc := range map[string]struct {
		message string
		calls   int32
	}{
		"full":      {"Maximum number of service accounts on project reached.", 3},
		"too often": {"Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute'.", 1},
	} {
		t.Run(name, func(t *testing.T) {
			calls := new(atomic.Int32)
			count := grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
				calls.Add(1)
				st, err := status.New(codes.ResourceExhausted, tc.message).WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(24 * time.Hour)})
				return errors.Join(err, st.Err())
			})
			client, err := newClients(t, allInsecure(t, (&fakeCloud{}).serve(t, count))).ServiceAccounts(t.Context(), tenant)
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				_, err := client.CreateServiceAccount(t.Context(), &adminpb.CreateServiceAccountRequest{Name: "projects/p"})
				if IsThrottled(err) == IsQuotaExceeded(err) || IsQuotaExceeded(err) != (tc.calls > 1) {
					t.Errorf("got %v", Classify(err))
				}
			}
			if n := calls.Load(); n != tc.calls {
				t.Errorf("%d calls, want %d", n, tc.calls)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	clients := newClients(t, allInsecure(t, "127.0.0.1:1"))
	_, err := getBucket(t.Context(), clients, "")
	if got := Classify(err); got.Class != kind.Unavailable || got.Message != "dial 127.0.0.1:1: connect: connection refused" {
		t.Errorf("storage: %+v", got)
	}
	if got := Classify(getTopic(t.Context(), clients, "")); got.Class != kind.Unavailable || !strings.Contains(got.Message, "connection refused") {
		t.Errorf("pubsub: %+v", got)
	}
}

func TestNewClients(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	file := t.TempDir() + "/key.json"
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	_, err := NewClients(Options{})
	want := "reading the Google Cloud credentials in " + file + " (GOOGLE_APPLICATION_CREDENTIALS): no such file or directory"
	if err == nil || err.Error() != want {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := NewClients(allInsecure(t, "127.0.0.1:1")); err != nil {
		t.Errorf("no credentials are wanted: %v", err)
	}
}

func TestClientsShareMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	opts := allInsecure(t, "127.0.0.1:1")
	opts.Registerer = registry
	for range 2 {
		_, _ = getBucket(t.Context(), newClients(t, opts), "")
	}
	want := `
# HELP holdfast_gcp_requests_total Calls to Google Cloud by service, method and code: an HTTP status, a gRPC code, timeout, canceled or error without an answer, or undeclared if the call was refused unsent.
# TYPE holdfast_gcp_requests_total counter
holdfast_gcp_requests_total{code="error",method="buckets.get",service="storage"} 2
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "holdfast_gcp_requests_total"); err != nil {
		t.Error(err)
	}
	registry = prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "holdfast_gcp_requests_total", Help: "Not ours."}))
	opts.Registerer = registry
	if _, err := NewClients(opts); err == nil {
		t.Error("somebody else's metric was taken for ours")
	}
}

func TestClientsAreShared(t *testing.T) {
	clients, err := NewClients(Options{credentials: staticToken("managers", nil)})
	if err != nil {
		t.Fatal(err)
	}
	one, _ := clients.Topics(t.Context(), tenant)
	two, _ := clients.Topics(t.Context(), tenant)
	other, _ := clients.Topics(t.Context(), "")
	if one == nil || one != two || one == other {
		t.Errorf("clients %p, %p and %p", one, two, other)
	}
	if err := clients.Close(); err != nil {
		t.Error(err)
	}
	for account, get := range map[string]func(context.Context, string) error{
		"late": func(ctx context.Context, account string) error { _, err := clients.Topics(ctx, account); return err },
		tenant: func(ctx context.Context, account string) error { _, err := clients.Topics(ctx, account); return err },
		"": func(ctx context.Context, account string) error {
			_, err := clients.StorageService(ctx, account)
			return err
		},
	} {
		if err := get(t.Context(), account); !errors.Is(err, errClosed) {
			t.Errorf("after Close, as %q: %v", account, err)
		}
	}
	if err := clients.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}
