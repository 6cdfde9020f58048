package planserver

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"

	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
	"github.com/holdfast-dev/holdfast/test/issuer"
)

// certificate writes a certificate for 127.0.0.1 into a folder, and returns the pool that trusts it.
func certificate(t *testing.T, folder, name string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	write(t, filepath.Join(folder, "tls.crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	pool := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return pool
}

// write replaces a file at once, as those of a mounted Secret are.
func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// listening is a server that runs.
type listening struct {
	address, folder string
	pool            *x509.CertPool
	stop            func() error
}

func start(t *testing.T, change func(*bounds)) *listening {
	t.Helper()
	return startWith(t, &reviews{}, change)
}

// startWith starts a server with whoever knows tokens.
func startWith(t *testing.T, by *reviews, change func(*bounds)) *listening {
	t.Helper()
	l := &listening{folder: t.TempDir()}
	l.pool = certificate(t, l.folder, "first")
	s, err := New(Options{
		CertFile: filepath.Join(l.folder, "tls.crt"), KeyFile: filepath.Join(l.folder, "tls.key"),
		TokenReviews: by, AccessReviews: &accesses{}, Planner: &asked{}, Metrics: metrics.NewPlans(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.certificates.WithWatchInterval(50 * time.Millisecond)
	if change != nil {
		change(&s.bounds)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.address = listener.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.serve(ctx, listener) }()
	l.stop = func() error {
		cancel()
		return <-ended
	}
	t.Cleanup(cancel)
	return l
}

// post asks for a plan without a token.
func (l *listening) post(t *testing.T, config *tls.Config) (*http.Response, error) {
	t.Helper()
	return l.postAs(t, "", config)
}

// postAs asks for a plan of nothing.
func (l *listening) postAs(t *testing.T, token string, config *tls.Config) (*http.Response, error) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+l.address+protocol.Path, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	return response, err
}

func TestTheServerSpeaksTLSAlone(t *testing.T) {
	l := start(t, nil)
	response, err := l.post(t, &tls.Config{RootCAs: l.pool})
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusUnauthorized || response.ProtoMajor != 1 || response.TLS.Version < tls.VersionTLS12 {
		t.Errorf("%s over %s", response.Status, response.Proto)
	}
	if _, err := l.post(t, &tls.Config{RootCAs: l.pool, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("it speaks an old version of TLS")
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+l.address+protocol.Path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := http.DefaultClient.Do(request); err == nil {
		_ = plain.Body.Close()
		if plain.StatusCode != http.StatusBadRequest {
			t.Errorf("without TLS: %s", plain.Status)
		}
	}
	if err := l.stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}
}

func TestOtherPathsAndMethodsAreNotServed(t *testing.T) {
	l := start(t, nil)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: l.pool, MinVersion: tls.VersionTLS12}}}
	defer client.CloseIdleConnections()
	for _, tc := range []struct {
		method, path string
		code         int
	}{
		{http.MethodGet, protocol.Path, http.StatusMethodNotAllowed},
		{http.MethodPost, "/", http.StatusNotFound},
		{http.MethodGet, "/metrics", http.StatusNotFound},
		{http.MethodGet, "/debug/pprof/", http.StatusNotFound},
	} {
		request, err := http.NewRequestWithContext(t.Context(), tc.method, "https://"+l.address+tc.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != tc.code {
			t.Errorf("%s %s: %s", tc.method, tc.path, response.Status)
		}
	}
}

// TestARenewedCertificateIsServed without a restart.
func TestARenewedCertificateIsServed(t *testing.T) {
	l := start(t, nil)
	if _, err := l.post(t, &tls.Config{RootCAs: l.pool, MinVersion: tls.VersionTLS12}); err != nil {
		t.Fatal(err)
	}
	renewed := certificate(t, l.folder, "second")
	eventually(t, "the renewed certificate is served", func() bool {
		_, err := l.post(t, &tls.Config{RootCAs: renewed, MinVersion: tls.VersionTLS12})
		return err == nil
	})
	write(t, filepath.Join(l.folder, "tls.crt"), []byte("broken")) // half a renewal serves what there was
	for range 5 {
		if _, err := l.post(t, &tls.Config{RootCAs: renewed, MinVersion: tls.VersionTLS12}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAServerWithoutACertificateDoesNotBegin(t *testing.T) {
	if _, err := New(Options{CertFile: "nowhere.crt", KeyFile: "nowhere.key"}); err == nil {
		t.Error("it begins")
	}
}

// TestConnectionsAreBounded: whoever opens all that there are waits, and so does everybody else; none is served beyond.
func TestConnectionsAreBounded(t *testing.T) {
	l := start(t, func(b *bounds) { b.connections = 2 })
	dial := func() net.Conn {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	first, second := dial(), dial()
	third := tls.Client(dial(), &tls.Config{RootCAs: l.pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12})
	if err := third.SetDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if err := third.HandshakeContext(t.Context()); err == nil {
		t.Error("a third connection is served beside two")
	}
	_, _ = first.Close(), second.Close()
	if _, err := l.post(t, &tls.Config{RootCAs: l.pool, MinVersion: tls.VersionTLS12}); err != nil {
		t.Errorf("after the others have gone: %v", err)
	}
}

// TestHostileRequests: what a caller without a token sends is not read, however much it is.
func TestHostileRequests(t *testing.T) {
	l := start(t, nil)
	for what, text := range map[string]string{
		"a huge body":     fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000000000\r\n\r\n{", protocol.Path),
		"an endless body": fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", protocol.Path),
		"a huge header":   fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", protocol.Path, strings.Repeat("x", 1<<20)),
		"no HTTP":         "\x00\x01\x02\r\n\r\n",
	} {
		t.Run(what, func(t *testing.T) {
			conn, err := (&tls.Dialer{Config: &tls.Config{RootCAs: l.pool, MinVersion: tls.VersionTLS12}}).DialContext(t.Context(), "tcp", l.address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			_, _ = conn.Write([]byte(text)) // which it need not read
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				return // it hangs up
			}
			defer response.Body.Close()
			if response.StatusCode < 400 || response.StatusCode >= 500 {
				t.Errorf("it answers %s", response.Status)
			}
		})
	}
}

// TestASlowBodyEnds: who is let in and then sends nothing, or a byte now and then, keeps neither his place nor the memory that he announced.
func TestASlowBodyEnds(t *testing.T) {
	status := authenticationv1.TokenReviewStatus{
		Authenticated: true, Audiences: []string{"holdfast-plan"}, User: authenticationv1.UserInfo{Username: "system:serviceaccount:ci:runner"},
	}
	token := issuer.Signed(t, nil, map[string]any{"iss": "https://kubernetes.default.svc", "aud": "holdfast-plan"}, func(string) []byte { return nil })
	for what, pause := range map[string]time.Duration{"nothing more": time.Hour, "a byte now and then": 20 * time.Millisecond} {
		t.Run(what, func(t *testing.T) {
			l := startWith(t, &reviews{answer: status}, func(b *bounds) { b.read, b.together, b.bytes = 500*time.Millisecond, 1, protocol.MostBytes })
			trusting := &tls.Config{RootCAs: l.pool, MinVersion: tls.VersionTLS12}
			conn, err := (&tls.Dialer{Config: trusting}).DialContext(t.Context(), "tcp", l.address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
				t.Fatal(err)
			}
			headers := "Host: x\r\nAuthorization: Bearer " + token + "\r\nContent-Type: application/json\r\n"
			_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n{", protocol.Path, headers, protocol.MostBytes)
			if err != nil {
				t.Fatal(err)
			}
			go trickle(t.Context(), conn, pause)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != http.StatusBadRequest {
				t.Errorf("it answers %s", response.Status)
			}
			next, err := l.postAs(t, token, trusting)
			if err != nil {
				t.Fatal(err)
			}
			if next.StatusCode != http.StatusBadRequest { // there are no manifests in it
				t.Errorf("the next request is answered %s", next.Status)
			}
		})
	}
}

// trickle writes a byte now and then until the other side has had enough.
func trickle(ctx context.Context, conn net.Conn, pause time.Duration) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if _, err := conn.Write([]byte(" ")); err != nil {
				return
			}
		}
	}
}
