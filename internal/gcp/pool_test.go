package gcp

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"github.com/googleapis/gax-go/v2"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// tokenGiver gives each account a token that is its e-mail, and counts. To all else it answers as cloudOverTLS does.
type tokenGiver struct{ given atomic.Int32 }

func (g *tokenGiver) RoundTrip(req *http.Request) (*http.Response, error) {
	answer := cloudOverTLS{tokenCode: http.StatusOK}
	if req.URL.Hostname() == "iamcredentials.googleapis.com" {
		g.given.Add(1)
		account := emailIn([]byte(fmt.Sprintf(`{"service_account_impersonation_url":%q}`, req.URL.String())))
		answer.tokenBody = fmt.Sprintf(`{"accessToken":%q,"expireTime":%q}`, account, time.Now().Add(time.Hour).Format(time.RFC3339))
	}
	return answer.RoundTrip(req)
}

// TestATokenServesAllClients: of all services.
func TestATokenServesAllClients(t *testing.T) {
	server, client := rpcOverTLS(t)
	topics := &fakeCloud{getTopic: func(context.Context) error { return nil }}
	tokens := &tokenGiver{}
	clients := newClients(t, Options{
		PubSub:      Endpoint{Address: topics.serve(t, server)},
		credentials: staticToken("managers", nil), base: tokens, dialOptions: []grpc.DialOption{client},
	})
	for _, account := range []string{tenant, tenant, "bob@tenant.iam.gserviceaccount.com", tenant} {
		if err := getTopic(t.Context(), clients, account); err != nil {
			t.Fatal(err)
		}
		if _, err := getBucket(t.Context(), clients, account); err != nil {
			t.Fatal(err)
		}
	}
	if n := tokens.given.Load(); n != 2 {
		t.Errorf("%d tokens, want one for each of two accounts", n)
	}
}

// TestAConnectionServesAllAccounts: whoever calls at the same time, each call has the token of whom it is made as, and their quota.
func TestAConnectionServesAllAccounts(t *testing.T) {
	server, client := rpcOverTLS(t)
	var mu sync.Mutex
	callers := map[string]int{}
	topics := &fakeCloud{getTopic: func(ctx context.Context) error {
		sent, _ := metadata.FromIncomingContext(ctx)
		mu.Lock()
		defer mu.Unlock()
		callers[fmt.Sprint(sent.Get("x-goog-request-reason"), sent.Get("authorization"), sent.Get("x-goog-user-project"))]++
		return nil
	}}
	address, made := topics.listen(t, server)
	manager := auth.NewCredentials(&auth.CredentialsOptions{
		TokenProvider:          staticToken("managers", nil),
		QuotaProjectIDProvider: auth.CredentialsPropertyFunc(func(context.Context) (string, error) { return "billed", nil }),
	})
	clients := newClients(t, Options{
		PubSub: Endpoint{Address: address}, QuotaShare: 1e6, credentials: manager, base: &tokenGiver{}, dialOptions: []grpc.DialOption{client},
	})
	want := map[string]int{"[manager] [Bearer managers] [billed]": 10}
	var all errgroup.Group
	for i := range 20 {
		account, reason := fmt.Sprintf("account-%d@tenant.iam.gserviceaccount.com", i), fmt.Sprint("account ", i)
		if i == 0 {
			account, reason = "", "manager"
		} else {
			want[fmt.Sprintf("[%s] [Bearer %s] []", reason, account)] = 10
		}
		for range 10 {
			all.Go(func() error { return getTopic(WithReason(t.Context(), reason), clients, account) })
		}
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, callers); diff != "" {
		t.Errorf("calls by reason, token and quota project (-want +got):\n%s", diff)
	}
	if n := made.accepted.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// TestEachMethodActsAsSomebody: of all clients, those methods included that nobody calls yet.
func TestEachMethodActsAsSomebody(t *testing.T) {
	clients := newClients(t, allInsecure(t, "http://127.0.0.1:1"))
	topics, _ := clients.Topics(t.Context(), "")
	accounts, _ := clients.ServiceAccounts(t.Context(), "")
	projects, _ := clients.Projects(t.Context(), "")
	folders, _ := clients.folders.get(t.Context(), "")
	assets, _ := clients.assets.get(t.Context(), "")
	for of, options := range map[string]any{
		"topics": topics.CallOptions, "service accounts": accounts.CallOptions, "projects": projects.CallOptions, "folders": folders.CallOptions,
		"assets": assets.CallOptions,
	} {
		for method, is := range reflect.ValueOf(options).Elem().Fields() {
			var settings gax.CallSettings
			for _, option := range is.Interface().([]gax.CallOption) {
				option.Resolve(&settings)
			}
			if diff := cmp.Diff([]grpc.CallOption{actsAs{}}, settings.GRPC, cmp.AllowUnexported(actsAs{})); diff != "" || settings.Retry != nil {
				t.Errorf("%s of %s, which may retry (%t): (-want +got)\n%s", method.Name, of, settings.Retry != nil, diff)
			}
		}
	}
}

// TestNobodyCallsByMistake: a call that does not say as whom it is made would be made as the manager.
func TestNobodyCallsByMistake(t *testing.T) {
	cloud := &fakeCloud{getTopic: func(context.Context) error { return nil }}
	clients := newClients(t, Options{PubSub: insecure(t, "http://"+cloud.serve(t)), credentials: staticToken("managers", nil)})
	client, err := clients.Topics(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	client.CallOptions.GetTopic = nil
	_, err = client.GetTopic(t.Context(), &pubsubpb.GetTopicRequest{Topic: "projects/p/topics/orders"})
	if diff := cmp.Diff("Publisher.GetTopic is not called: nobody says as whom", fmt.Sprint(err)); diff != "" || cloud.calls.Load() > 0 {
		t.Errorf("%d calls, and the error (-want +got):\n%s", cloud.calls.Load(), diff)
	}
}

// TestNothingStreams: what streams would not be limited, and made as the manager.
func TestNothingStreams(t *testing.T) {
	cloud := &fakeCloud{}
	clients := newClients(t, Options{PubSub: insecure(t, "http://"+cloud.serve(t)), credentials: staticToken("managers", nil)})
	conn, err := clients.connections[0].get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, "/google.pubsub.v1.Subscriber/StreamingPull")
	if diff := cmp.Diff("Subscriber.StreamingPull is not called: it streams", fmt.Sprint(err)); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

// TestPoolKeepsSoMany: and makes what it does not have any more anew.
func TestPoolKeepsSoMany(t *testing.T) {
	made := map[string]int{}
	p := newPool(&atomic.Bool{}, Endpoint{}, func(_ context.Context, account string) (string, error) { made[account]++; return account, nil })
	get := func(i int) {
		account := fmt.Sprint(i)
		if client, err := p.get(t.Context(), account); err != nil || client != account {
			t.Fatalf("got %q, %v", client, err)
		}
	}
	for i := range mostClients + 1 { // the last one takes the place of the first
		get(i)
	}
	get(mostClients)
	get(0)
	if len(made) != mostClients+1 || made["0"] != 2 || made[fmt.Sprint(mostClients)] != 1 {
		t.Errorf("%d accounts, %d clients of the first, %d of the last", len(made), made["0"], made[fmt.Sprint(mostClients)])
	}
}

// connections are those that a listener has accepted.
type connections struct {
	net.Listener

	accepted atomic.Int32
}

func (c *connections) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.accepted.Add(1)
	}
	return conn, err
}

// BenchmarkIdentities says what it takes to act as one more service account, once it has made a call: memory, with its connection and what a server of
// the same process has of it; goroutines; connections; and tokens.
func BenchmarkIdentities(b *testing.B) {
	for name, call := range map[string]func(context.Context, *Clients, string) error{
		"gRPC": getTopic,
		"JSON": func(ctx context.Context, clients *Clients, account string) error {
			_, err := getBucket(ctx, clients, account)
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			server, client := rpcOverTLS(b)
			topics := &fakeCloud{getTopic: func(context.Context) error { return nil }}
			address, made := topics.listen(b, server)
			tokens := &tokenGiver{}
			clients, err := NewClients(Options{
				PubSub: Endpoint{Address: address}, QuotaShare: 1e6, Methods: testMethods,
				credentials: staticToken("managers", nil), base: tokens, dialOptions: []grpc.DialOption{client},
			})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = clients.Close() }) // the benchmark is over
			live := func() (bytes, goroutines float64) {
				runtime.GC()
				var is runtime.MemStats
				runtime.ReadMemStats(&is)
				return float64(is.HeapInuse + is.StackInuse), float64(runtime.NumGoroutine())
			}
			bytes, goroutines := live()
			identities := 0
			for b.Loop() {
				identities++
				if err := call(b.Context(), clients, fmt.Sprintf("account-%d@tenant.iam.gserviceaccount.com", identities)); err != nil {
					b.Fatal(err)
				}
			}
			after, more := live()
			per := func(n float64) float64 { return n / float64(identities) }
			b.ReportMetric(per(after-bytes)/1024, "KiB/identity")
			b.ReportMetric(per(more-goroutines), "goroutines/identity")
			b.ReportMetric(per(float64(made.accepted.Load())), "connections/identity")
			b.ReportMetric(per(float64(tokens.given.Load())), "tokens/identity")
		})
	}
}
