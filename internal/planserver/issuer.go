package planserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"
)

// An issuer is asked for its keys when they are needed and not known: whoever sends tokens with keys that nobody knows must not make us ask
// all the time. Tokens with known keys are verified meanwhile.
const (
	askEvery = 10 * time.Second
	askAhead = 5
	// issuerTimeout bounds one question.
	issuerTimeout = 10 * time.Second
)

// tokenIssuer verifies the tokens of one issuer itself: signature, issuer, audience, time, and the rules on its claims.
type tokenIssuer struct {
	audiences []string
	verifier  oidc.AuthenticatorTokenWithHealthCheck
}

// newIssuer makes the authenticator of an issuer, which begins to ask it for its keys. The context is that of all its questions.
func newIssuer(ctx context.Context, configured apiserver.JWTAuthenticator) (authenticator, error) {
	client, err := issuerClient(configured.Issuer.CertificateAuthority)
	if err != nil {
		return nil, fmt.Errorf("issuer %s: %w", configured.Issuer.URL, err)
	}
	verifier, err := oidc.New(ctx, oidc.Options{
		JWTAuthenticator: configured, Client: client, SupportedSigningAlgs: oidc.AllValidSigningAlgorithms(),
	})
	if err != nil {
		return nil, fmt.Errorf("issuer %s: %w", configured.Issuer.URL, err)
	}
	return tokenIssuer{configured.Issuer.Audiences, verifier}, nil
}

// authenticate implements authenticator.
func (i tokenIssuer) authenticate(ctx context.Context, token string, says said) (user.Info, error) {
	if err := says.onlyFor(i.audiences...); err != nil {
		return nil, err
	}
	if err := i.verifier.HealthCheck(); err != nil {
		return nil, unavailable(fmt.Errorf("the issuer's keys are not known: %w", err))
	}
	response, ok, err := i.verifier.AuthenticateToken(ctx, token)
	switch {
	case err != nil:
		return nil, notAccepted("%w", err)
	case !ok:
		return nil, notAccepted("it is not the issuer's")
	}
	return response.User, nil
}

// issuerClient asks an issuer, whom a certificate authority vouches for (in PEM; empty: those of the system), and follows it nowhere else.
func issuerClient(authority string) (*http.Client, error) {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("there is no transport to make another of")
	}
	transport = transport.Clone()
	if authority != "" {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM([]byte(authority)) {
			return nil, errors.New("certificateAuthority: has no certificate")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: seldom{rate.NewLimiter(rate.Every(askEvery), askAhead), transport}, Timeout: issuerTimeout}, nil
}

// seldom refuses requests that come too often, and those that anybody could read.
type seldom struct {
	limiter *rate.Limiter
	next    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (s seldom) RoundTrip(request *http.Request) (*http.Response, error) {
	switch {
	case request.URL.Scheme != "https":
		return nil, fmt.Errorf("%s is not asked: it has no https", request.URL.Redacted())
	case !s.limiter.Allow():
		return nil, fmt.Errorf("%s was asked a moment ago", request.URL.Redacted())
	}
	return s.next.RoundTrip(request)
}
