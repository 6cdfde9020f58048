package e2e

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-dev/holdfast/test/emulator"
)

// wire stands between the controllers and both APIs. It counts the calls that go out, and can be cut at one of them. After
// that nothing gets through any more: to the world outside the process is dead from there on.
type wire struct {
	proxy *httptest.Server

	mu     sync.Mutex
	calls  int
	cutAt  int
	moment moment
	broken chan struct{}
}

// moment is when a call meets its end.
type moment string

const (
	beforeSending moment = "before it is sent"
	beforeAnswer  moment = "before its answer"
)

var errCut = errors.New("the wire is cut")

// newWire puts a wire in front of a cloud. HTTP/1 is Cloud Storage, HTTP/2 is gRPC.
func newWire(t *testing.T, cloud *emulator.Emulator) *wire {
	t.Helper()
	w := &wire{}
	w.mend()
	rpc := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: cloud.GRPCAddr()})
	rpc.FlushInterval = -1
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	rpc.Transport = transport
	storage, err := url.Parse(cloud.URL())
	if err != nil {
		t.Fatal(err)
	}
	rest := httputil.NewSingleHostReverseProxy(storage)
	broken := func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	rpc.ErrorHandler, rest.ErrorHandler = broken, broken
	w.proxy = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		to := rest
		if r.ProtoMajor == 2 {
			to = rpc
		}
		w.google(rw, r, to)
	}))
	w.proxy.Config.Protocols = new(http.Protocols)
	w.proxy.Config.Protocols.SetHTTP1(true)
	w.proxy.Config.Protocols.SetUnencryptedHTTP2(true)
	w.proxy.Start()
	t.Cleanup(func() { w.proxy.Close(); transport.CloseIdleConnections() })
	return w
}

func (w *wire) storageEndpoint() string { return w.proxy.URL + "/storage/v1/" }

func (w *wire) grpcAddr() string { return w.proxy.Listener.Addr().String() }

// cut lets calls through up to the n-th from now on, and ends that one at a moment.
func (w *wire) cut(n int, at moment) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls, w.cutAt, w.moment, w.broken = 0, n, at, make(chan struct{})
}

// mend lets everything through again.
func (w *wire) mend() { w.cut(0, beforeSending) }

// isCut says whether the call has come that the wire was to be cut at.
func (w *wire) isCut() bool {
	w.mu.Lock()
	broken := w.broken
	w.mu.Unlock()
	select {
	case <-broken:
		return true
	default:
		return false
	}
}

// admit counts a call and says whether it goes out, and whether its answer comes back. A read whose answer is lost is as good
// as one that was never sent, so that only writes count where answers are to be lost.
func (w *wire) admit(writes bool) (out, back bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if writes || w.moment == beforeSending || w.calls >= w.cutAt {
		w.calls++
	}
	if w.cutAt == 0 || w.calls < w.cutAt {
		return true, true
	}
	if w.calls == w.cutAt {
		close(w.broken)
		return w.moment == beforeAnswer, false
	}
	return false, false
}

func (w *wire) google(rw http.ResponseWriter, r *http.Request, to http.Handler) {
	out, back := w.admit(r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/Get"))
	switch {
	case back:
		to.ServeHTTP(rw, r)
		return
	case out:
		to.ServeHTTP(httptest.NewRecorder(), r)
	}
	panic(http.ErrAbortHandler)
}

// single are the requests for one object. The cache's lists and watches are no calls of a reconcile, nor is discovery.
var single = regexp.MustCompile(`/(topics|buckets|serviceaccounts|projectpolicies|customresourcedefinitions)/|/api/v1/namespaces/[^/]+$`)

// kubernetes puts the wire in front of the API server. Events are written whenever they come; they are not counted.
func (w *wire) kubernetes(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if !single.MatchString(r.URL.Path) || strings.Contains(r.URL.Path, "/events") {
			return next.RoundTrip(r)
		}
		out, back := w.admit(r.Method != http.MethodGet)
		if !out {
			return nil, errCut
		}
		response, err := next.RoundTrip(r)
		if err != nil || back {
			return response, err
		}
		return nil, errors.Join(errCut, response.Body.Close())
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// refusing fails the requests that refuse says true to.
func refusing(next http.RoundTripper, refuse func(*http.Request) bool) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if refuse(r) {
			return nil, errCut
		}
		return next.RoundTrip(r)
	})
}
