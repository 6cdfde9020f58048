// Package planserver makes plans for those who have neither credentials of Google Cloud nor read access to the cluster: the pipelines that
// check pull requests. They show a token, and get what applying their manifests would do.
//
// A request takes this way: token (authenticate.go) → pace and memory (bounds.go) → decode → validate (read.go) → access, by kind and
// namespace (authorize.go, plan.go) → plan (planner.go). It is made from the cluster's Namespaces and status, and from what Google shows to the
// namespace's own account. Nothing is written: the kinds that are planned with have no writes, and the context refuses them at the transport.
//
// Nobody learns what is not his from the answers, nor from how long they take: what a caller may not ask for is not looked at, and a name that
// is everybody's, as a bucket's is, is looked for among the resources of the namespace's own project alone.
package planserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
	"k8s.io/apiserver/pkg/apis/apiserver"
	authentication "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorization "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"sigs.k8s.io/controller-runtime/pkg/certwatcher"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
)

// Options say how to serve.
type Options struct {
	// Address is where to listen, as HOST:PORT.
	Address string
	// CertFile and KeyFile are the certificate to serve with, in PEM. They are read again when they change.
	CertFile, KeyFile string
	// Issuers are who issues tokens, beside the cluster, see ReadIssuers.
	Issuers []apiserver.JWTAuthenticator
	// TokenReviews and AccessReviews are the API server's.
	TokenReviews  authentication.TokenReviewInterface
	AccessReviews authorization.SubjectAccessReviewInterface
	// Planner makes the plans.
	Planner Planner
	// Metrics count the requests.
	Metrics metrics.Plans
}

// Server serves plans. It is a manager.Runnable, and every replica serves, whether it leads or not.
type Server struct {
	options      Options
	bounds       bounds
	certificates *certwatcher.CertWatcher
}

// New reads the certificate.
func New(o Options) (*Server, error) {
	certificates, err := certwatcher.New(o.CertFile, o.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate of the plan server: %w", err)
	}
	return &Server{options: o, bounds: usual, certificates: certificates}, nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (s *Server) NeedLeaderElection() bool { return false }

// How long a connection may take over what, and how long the server lets plans end that are under way when it stops.
const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 30 * time.Second
	writeMargin   = 20 * time.Second
	stopTimeout   = 10 * time.Second
	// mostHeader bounds the headers: a token has a few thousand bytes.
	mostHeader = 32 << 10
)

// Start implements manager.Runnable: it serves until the context ends.
func (s *Server) Start(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.options.Address)
	if err != nil {
		return fmt.Errorf("serving plans: %w", err)
	}
	return s.serve(ctx, listener)
}

func (s *Server) serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	handler, err := s.handler(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: s.bounds.read, IdleTimeout: idleTimeout,
		WriteTimeout: s.bounds.read + s.bounds.most + writeMargin, MaxHeaderBytes: mostHeader,
		ErrorLog: quiet(log.FromContext(ctx)),
	}
	ended := make(chan error, 2)
	go func() { ended <- s.certificates.Start(ctx) }()
	go func() { ended <- server.Serve(s.secured(listener)) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	bounded, stop := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer stop()
	if server.Shutdown(bounded) != nil {
		return errors.Join(err, server.Close())
	}
	return err
}

// secured has TLS, and bounds the connections. It speaks HTTP/1.1 alone: one request at a time on each.
func (s *Server) secured(listener net.Listener) net.Listener {
	return tls.NewListener(netutil.LimitListener(listener, s.bounds.connections), &tls.Config{
		GetCertificate: s.certificates.GetCertificate, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	})
}

// handler answers requests. The context is that of the questions to issuers.
func (s *Server) handler(ctx context.Context) (http.Handler, error) {
	known := authenticators{issuers: map[string]authenticator{}, cluster: newServiceAccounts(s.options.TokenReviews)}
	for _, configured := range s.options.Issuers {
		by, err := newIssuer(ctx, configured)
		if err != nil {
			return nil, err
		}
		known.issuers[configured.Issuer.URL] = by
	}
	mux := http.NewServeMux()
	mux.Handle("POST "+protocol.Path, &handler{
		identify: known.authenticate, admissions: newAdmissions(s.bounds), authorizer: newAuthorizer(s.options.AccessReviews),
		planner: s.options.Planner, metrics: s.options.Metrics, log: log.FromContext(ctx),
	})
	return mux, nil
}
