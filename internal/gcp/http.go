package gcp

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/httptransport"
	"google.golang.org/api/googleapi"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// roundTripper is a function as http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// newBaseTransport makes the connections, shared by all accounts: a header says who calls.
func newBaseTransport() http.RoundTripper {
	base, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	base = base.Clone()
	base.MaxIdleConnsPerHost = 100
	// Detects connections that broke without notice.
	base.HTTP2 = &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second}
	return base
}

// httpClient makes the client below those of Cloud Storage that acts as an account (empty: as the manager).
func (c *Clients) httpClient(endpoint Endpoint, account string) (*http.Client, error) {
	callOf := func(req *http.Request) call { return storageCall(req, endpoint.Path, account) }
	paid := c.payers.roundTripper(callOf, c.counted(callOf))
	if endpoint.Insecure {
		return c.limited(callOf, paid), nil
	}
	own, err := c.credentials(account)
	if err != nil {
		return nil, err
	}
	return c.authenticated(own, callOf, paid)
}

// authenticated makes a client of a JSON API that is bounded in time, limited and authenticated, in this order, before next.
func (c *Clients) authenticated(own *auth.Credentials, callOf func(*http.Request) call, next http.RoundTripper) (*http.Client, error) {
	client, err := httptransport.NewClient(&httptransport.Options{
		Credentials: own, BaseRoundTripper: next, DisableTelemetry: true, Logger: unlogged,
		Headers: http.Header{}, // which gets the quota project; a nil one is replaced, and the quota project lost
	})
	if err != nil {
		return nil, err
	}
	return c.limited(callOf, client.Transport), nil
}

// anonymous makes a client without credentials.
func (c *Clients) anonymous(callOf func(*http.Request) call) *http.Client {
	return c.limited(callOf, c.counted(callOf))
}

func (c *Clients) counted(callOf func(*http.Request) call) http.RoundTripper {
	return introduced(c.opts.UserAgent, reasoned(c.metrics.roundTripper(callOf, c.opts.base)))
}

func (c *Clients) limited(callOf func(*http.Request) call, next http.RoundTripper) *http.Client {
	return &http.Client{Transport: c.limiter.roundTripper(callOf, next), Timeout: c.opts.Timeout}
}

// always is for clients that call a single method.
func always(service kind.Service, method string) func(*http.Request) call {
	return func(*http.Request) call { return call{service: service, method: method} }
}

// introduced puts our user agent before the client library's.
func introduced(userAgent string, next http.RoundTripper) http.RoundTripper {
	if userAgent == "" {
		return next
	}
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		library := req.Header.Get("User-Agent")
		req.Header.Set("User-Agent", userAgent)
		if library != "" {
			req.Header.Set("User-Agent", userAgent+" "+library)
		}
		return next.RoundTrip(req)
	})
}

// roundTripper limits the calls to a JSON API.
func (l *limiter) roundTripper(callOf func(*http.Request) call, next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		c := callOf(req)
		scopes, err := l.admit(req.Context(), c)
		if err != nil {
			return nil, errors.Join(err, closeBody(req))
		}
		resp, err := next.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		if refusal := peekThrottled(resp); refusal != nil {
			l.metrics.throttle(c, strconv.Itoa(resp.StatusCode))
			l.throttled(scopes, refusal)
		}
		return resp, nil
	})
}

// closeBody closes the request's body, as a RoundTripper must even if it does not send it.
func closeBody(req *http.Request) error {
	if req.Body == nil {
		return nil
	}
	return req.Body.Close()
}

// maxPeek bounds how much of an error response is read to classify it, in bytes.
const maxPeek = 64 << 10

// peek reads the beginning of a response's body, up to limit bytes, and leaves all of it to be read again.
func peek(resp *http.Response, limit int64) []byte {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, limit)) // A failed read fails again for whoever reads on.
	rest := resp.Body
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), rest), rest}
	return body
}

// peekRefusal returns the error that a response is, and leaves its body to be read again.
func peekRefusal(resp *http.Response) *Error {
	return Classify(googleapi.CheckResponseWithBody(resp, peek(resp, maxPeek)))
}

// peekThrottled returns the error if a response says that there were too many calls.
func peekThrottled(resp *http.Response) *Error {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusForbidden {
		return nil
	}
	if refusal := peekRefusal(resp); refusal.Class == kind.Throttled {
		return refusal
	}
	return nil
}
