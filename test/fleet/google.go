package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-dev/holdfast/test/rig"
)

// The hosts that give out tokens: for the operator's own key, and for the accounts that it impersonates.
const (
	keyTokens     = "oauth2.googleapis.com"
	accountTokens = "iamcredentials.googleapis.com"
)

// tokenLasts is how long a token is good, as Google's are.
const tokenLasts = time.Hour

// google stands before the emulated cloud as Google's front does: with TLS, and with credentials. It gives out tokens that nobody checks, so that
// the operator fetches one for each account that it acts as, and has connections for each. It listens on loopback, as all does, and is the proxy by
// which the operator reaches the hosts that give out tokens; it passes nothing on to anywhere else.
type google struct {
	// env has the operator trust it, use it, and read its credentials.
	env []string
	// storage and rpc are the endpoints of Cloud Storage and of the gRPC services.
	storage, rpc string
	// tokens counts those that were given out for accounts.
	tokens atomic.Int64

	servers []*http.Server
	serving sync.WaitGroup
}

// startGoogle starts one before a cloud; files go to a folder.
func startGoogle(ctx context.Context, cloud *rig.Cloud, folder string) (*google, error) {
	authority, certificate, err := newCertificate("127.0.0.1", keyTokens, accountTokens)
	if err != nil {
		return nil, err
	}
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	trusted, credentials := filepath.Join(folder, "google.pem"), filepath.Join(folder, "credentials.json")
	if err := errors.Join(os.WriteFile(trusted, authority, 0o600), os.WriteFile(credentials, key, 0o600)); err != nil {
		return nil, err
	}
	g := &google{}
	secure := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	front, err := g.serve(ctx, &http.Server{Handler: g.front(cloud), TLSConfig: secure})
	if err != nil {
		return nil, err
	}
	proxy, err := g.serve(ctx, &http.Server{Handler: tunnel(front)})
	if err != nil {
		return nil, errors.Join(err, g.stop())
	}
	g.storage, g.rpc = "https://"+front+"/storage/v1/", front
	g.env = []string{"SSL_CERT_FILE=" + trusted, "HTTPS_PROXY=http://" + proxy, "GOOGLE_APPLICATION_CREDENTIALS=" + credentials}
	return g, nil
}

// serve serves on a free port until stop, and returns the address.
func (g *google) serve(ctx context.Context, server *http.Server) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server.ReadHeaderTimeout = time.Minute
	g.servers = append(g.servers, server)
	g.serving.Go(func() {
		if server.TLSConfig != nil {
			_ = server.ServeTLS(listener, "", "") // it ends by stop alone
		} else {
			_ = server.Serve(listener)
		}
	})
	return listener.Addr().String(), nil
}

func (g *google) stop() error {
	var errs []error
	for _, server := range g.servers {
		errs = append(errs, server.Close())
	}
	g.serving.Wait()
	return errors.Join(errs...)
}

// managerArgs are the flags by which the operator uses it.
func (g *google) managerArgs() []string {
	return []string{
		"--storage-endpoint", g.storage, "--pubsub-endpoint", g.rpc, "--iam-endpoint", g.rpc, "--resourcemanager-endpoint", g.rpc,
	}
}

// front answers what is asked for tokens, and passes the rest to the cloud.
func (g *google) front(cloud *rig.Cloud) http.Handler {
	plain := new(http.Protocols)
	plain.SetUnencryptedHTTP2(true)
	web := passedTo(strings.TrimPrefix(cloud.URL, "http://"), &http.Transport{MaxIdleConnsPerHost: 256})
	rpc := passedTo(cloud.GRPC, &http.Transport{Protocols: plain})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Host == keyTokens:
			answer(w, map[string]any{"access_token": "operator", "token_type": "Bearer", "expires_in": int(tokenLasts.Seconds())})
		case r.Host == accountTokens && strings.HasSuffix(r.URL.Path, ":generateAccessToken"):
			g.tokens.Add(1)
			account := strings.TrimSuffix(r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], ":generateAccessToken")
			answer(w, map[string]any{"accessToken": account, "expireTime": time.Now().Add(tokenLasts).UTC().Format(time.RFC3339)})
		case strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc"):
			rpc.ServeHTTP(w, r)
		default:
			web.ServeHTTP(w, r)
		}
	})
}

func passedTo(address string, by http.RoundTripper) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: address}) },
		Transport:     by,
		FlushInterval: -1, // gRPC waits for the header
	}
}

func answer(w http.ResponseWriter, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // nobody is there to tell
}

// tunnel is a proxy by which all hosts are one.
func tunnel(address string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
			return
		}
		there, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", address)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer func() { _ = there.Close() }()
		w.WriteHeader(http.StatusOK)
		here, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = here.Close() }()
		go func() {
			_, _ = io.Copy(there, buffered)
			_ = there.Close()
		}()
		_, _ = io.Copy(here, there) // until either closes
	})
}

// newCertificate makes a certificate for hosts, which is its own authority; that is in PEM.
func newCertificate(address string, hosts ...string) (authority []byte, certificate tls.Certificate, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, certificate, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		DNSNames: hosts, IPAddresses: []net.IP{net.ParseIP(address)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, certificate, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}, nil
}

// newKey makes the key file of a service account.
func newKey() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "emulator", "private_key_id": "1", "client_email": operatorAccount, "client_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})),
		"token_uri":   "https://" + keyTokens + "/token",
	})
	if err != nil {
		return nil, fmt.Errorf("writing a key: %w", err)
	}
	return text, nil
}
