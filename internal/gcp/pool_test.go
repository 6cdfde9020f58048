package gcp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/grpc"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// fakeClient is a client whose calls take a time, and fail if it is closed before they end.
type fakeClient struct {
	account string
	use     *usage
	closed  atomic.Bool
}

func (c *fakeClient) Close() error {
	c.closed.Store(true)
	return nil
}

var errFakeClosed = errors.New("closed under the call")

func (c *fakeClient) call(takes time.Duration) error {
	invoke := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
		time.Sleep(takes) //nolint:forbidigo // in a bubble's time
		if c.closed.Load() {
			return errFakeClosed
		}
		return nil
	}
	return c.use.unaryInterceptor(context.Background(), "", nil, nil, nil, invoke)
}

// fakePool is a pool of fake clients. opened are all that it ever opened, in order.
func fakePool(t *testing.T, size int) (p *pool[*fakeClient], opened func() []*fakeClient) {
	t.Helper()
	m, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []*fakeClient
	open := func(_ context.Context, account string, use *usage) (*fakeClient, error) {
		client := &fakeClient{account: account, use: use}
		use.closer = client
		all = append(all, client)
		return client, nil
	}
	p = newPool(&Clients{metrics: m, opts: Options{MaxAccounts: size}}, kind.ServicePubSub, Endpoint{}, open)
	return p, func() []*fakeClient {
		p.mu.Lock()
		defer p.mu.Unlock()
		return all
	}
}

func mustGet(t *testing.T, p *pool[*fakeClient], account string) *fakeClient {
	t.Helper()
	client, err := p.get(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestPoolEvictsTheLeastRecentlyUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, opened := fakePool(t, 2)
		for _, account := range []string{"a", "b", "a", "c", "a", "b"} { // c evicts b, and the second b evicts c
			mustGet(t, p, account)
		}
		time.Sleep(linger + time.Second) //nolint:forbidigo // in a bubble's time
		got := map[string]bool{}
		for i, client := range opened() {
			got[fmt.Sprint(i, " ", client.account)] = client.closed.Load()
		}
		if diff := cmp.Diff(map[string]bool{"0 a": false, "1 b": true, "2 c": true, "3 b": false}, got); diff != "" {
			t.Errorf("closed (-want +got):\n%s", diff)
		}
		if open := testutil.ToFloat64(p.gauge); open != 2 {
			t.Errorf("the gauge shows %v open clients, want 2", open)
		}
		if err := p.close(); err != nil {
			t.Error(err)
		}
		if open := testutil.ToFloat64(p.gauge); open != 0 {
			t.Errorf("the gauge shows %v open clients after the end", open)
		}
	})
}

func TestPoolClosesNothingInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := fakePool(t, 1)
		first := mustGet(t, p, "a")
		answer := make(chan error)
		go func() { answer <- first.call(3 * linger) }()
		synctest.Wait()
		mustGet(t, p, "b")
		if err := <-answer; err != nil {
			t.Errorf("a call that began before the eviction: %v", err)
		}
		time.Sleep(linger / 2) //nolint:forbidigo // in a bubble's time
		if err := first.call(time.Second); err != nil {
			t.Errorf("a call soon after: %v", err)
		}
		time.Sleep(linger + time.Second) //nolint:forbidigo // in a bubble's time
		if !first.closed.Load() {
			t.Error("nobody uses the client, and it is open")
		}
		if err := first.call(time.Second); !errors.Is(err, errFakeClosed) {
			t.Errorf("a call after all: %v", err)
		}
		if open := testutil.ToFloat64(p.gauge); open != 1 {
			t.Errorf("the gauge shows %v open clients, want 1", open)
		}
	})
}

// However clients are used and evicted, none is closed under whoever got it a short time ago.
func TestPoolUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, accounts, workers, rounds = 3, 10, 20, 50
		p, opened := fakePool(t, size)
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range rounds {
					client, err := p.get(t.Context(), fmt.Sprint("account ", rand.IntN(accounts)))
					if err != nil {
						t.Error(err)
						return
					}
					for range 1 + rand.IntN(3) {
						time.Sleep(rand.N(linger)) //nolint:forbidigo // in a bubble's time
						if err := client.call(rand.N(2 * linger)); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
		time.Sleep(2 * linger) //nolint:forbidigo // in a bubble's time
		open := 0
		for _, client := range opened() {
			if !client.closed.Load() {
				open++
			}
		}
		if gauge := testutil.ToFloat64(p.gauge); open != size || gauge != size {
			t.Errorf("%d clients are open and the gauge shows %v, want %d", open, gauge, size)
		}
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
}

// tokenCounter answers as cloudOverTLS does, and counts tokens.
type tokenCounter struct{ atomic.Int32 }

func (c *tokenCounter) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Hostname() == "iamcredentials.googleapis.com" {
		c.Add(1)
	}
	return (&cloudOverTLS{tokenCode: http.StatusOK, tokenBody: annsToken()}).RoundTrip(req)
}

// TestATokenServesAllClients: of all services, and those that are opened anew for an account whose client was evicted.
func TestATokenServesAllClients(t *testing.T) {
	server, client := rpcOverTLS(t)
	topics := &fakeCloud{getTopic: func(context.Context) error { return nil }}
	tokens := &tokenCounter{}
	registry := prometheus.NewRegistry()
	clients := newClients(t, Options{
		PubSub:      Endpoint{Address: topics.serve(t, server)},
		MaxAccounts: 1, Registerer: registry, credentials: staticToken("managers", nil), base: tokens,
		dialOptions: []grpc.DialOption{client},
	})
	for _, account := range []string{tenant, tenant, "bob@tenant.iam.gserviceaccount.com", tenant} {
		if err := getTopic(t.Context(), clients, account); err != nil {
			t.Fatal(err)
		}
		if _, err := getBucket(t.Context(), clients, account); err != nil {
			t.Fatal(err)
		}
	}
	if n := tokens.Load(); n != 2 {
		t.Errorf("%d tokens, want one for each of two accounts", n)
	}
	if diff := cmp.Diff(map[string]float64{"storage": 3, "pubsub": 3, "iam": 0, "resourcemanager": 0, "asset": 0}, sums(t, registry, "holdfast_gcp_clients", "service")); diff != "" {
		t.Errorf("open clients, the evicted ones included (-want +got):\n%s", diff)
	}
}

// TestAThousandIdentities: sweeps over as many, evenly over ten minutes, keep no more clients open than the pool has and those that are about to be
// closed.
func TestAThousandIdentities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const identities, sweeps, interval = 1000, 3, 10 * time.Minute
		p, _ := fakePool(t, DefaultMaxAccounts)
		lingering := int(linger*identities/interval) + 1
		most := 0.0
		for range sweeps {
			for i := range identities {
				client := mustGet(t, p, fmt.Sprint("account ", i))
				if err := client.call(interval / identities); err != nil {
					t.Fatal(err)
				}
				most = max(most, testutil.ToFloat64(p.gauge))
			}
		}
		if most > float64(DefaultMaxAccounts+lingering) {
			t.Errorf("%v clients were open, want at most %d and %d", most, DefaultMaxAccounts, lingering)
		}
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
}

// connections are those that a listener has accepted.
type connections struct {
	net.Listener

	accepted atomic.Int32
}

func (c *connections) Accept() (net.Conn, error) {
	c.accepted.Add(1)
	return c.Listener.Accept()
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
			tokens := &tokenCounter{}
			clients, err := NewClients(Options{
				PubSub: Endpoint{Address: address}, MaxAccounts: math.MaxInt32, QuotaShare: 1e6, Methods: testMethods,
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
			b.ReportMetric(per(float64(tokens.Load())), "tokens/identity")
		})
	}
}
