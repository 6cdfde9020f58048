// Package client asks a plan server for plans.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
)

// Client asks one plan server.
type Client struct {
	url    string
	http   *http.Client
	tokens Tokens
}

const (
	// timeout bounds a question with all that the server may do for it.
	timeout = 3 * time.Minute
	// mostTries is how often a server is asked that says to come again, and longestPause how long that is waited for at most.
	mostTries    = 4
	longestPause = time.Minute
	// mostAnswer bounds an answer: a plan has more to say than what was asked.
	mostAnswer = 64 << 20
)

// New makes the client of the server at a URL. It has https, unless it is on this machine. A file (empty for none) has the certificates, in
// PEM, of those who vouch for it instead of the system's.
func New(server, authorityFile string, tokens Tokens) (*Client, error) {
	at, err := url.Parse(server)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the plan server: %w", err)
	case at.Host == "" || at.User != nil || at.RawQuery != "" || at.Fragment != "":
		return nil, fmt.Errorf("the plan server %q is no URL such as https://plans.example.com", at.Redacted())
	case at.Scheme != "https" && !(at.Scheme == "http" && isLoopback(at.Hostname())):
		return nil, fmt.Errorf("the plan server %q has no https: whoever listens would get the token", server)
	}
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("there is no transport to make another of")
	}
	transport = transport.Clone()
	if authorityFile != "" {
		if transport.TLSClientConfig, err = trust(authorityFile); err != nil {
			return nil, err
		}
	}
	return &Client{
		url: at.JoinPath(protocol.Path).String(), tokens: tokens,
		http: &http.Client{
			Transport: transport, Timeout: timeout,
			// A token is for the server that was named.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

func isLoopback(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}

func trust(file string) (*tls.Config, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the user names it
	if err != nil {
		return nil, fmt.Errorf("reading the certificates of the plan server's authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in PEM", file)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// Plan asks what applying manifests would do, and returns the answer: the plan in JSON. A server that is busy is asked again when it says.
func (c *Client) Plan(ctx context.Context, request protocol.Request) (json.RawMessage, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		plan, after, err := c.ask(ctx, body)
		if after == 0 || try == mostTries {
			return plan, err
		}
		timer := time.NewTimer(after)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, err
		}
	}
}

// ask asks once. An answer to come again says after how long.
func (c *Client) ask(ctx context.Context, body []byte) (plan json.RawMessage, after time.Duration, err error) {
	token, err := c.tokens(ctx)
	if err != nil {
		return nil, 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, 0, fmt.Errorf("asking the plan server: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer+1))
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("reading the answer of the plan server: %w", err)
	case len(text) > mostAnswer:
		return nil, 0, fmt.Errorf("the answer of the plan server is larger than %d MiB", mostAnswer>>20)
	case response.StatusCode != http.StatusOK:
		return nil, retryAfter(response), refused(response, text)
	case !json.Valid(text):
		return nil, 0, fmt.Errorf("%s answers something that is no plan", c.url)
	}
	return text, 0, nil
}

// retryAfter is when to come again; 0 for never.
func retryAfter(response *http.Response) time.Duration {
	if response.StatusCode != http.StatusTooManyRequests && response.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if after := time.Duration(seconds) * time.Second; err == nil && after > 0 && after <= longestPause {
		return after
	}
	return 0
}

// refused is why there is no plan, in the server's words if they are its own.
func refused(response *http.Response, text []byte) error {
	var says protocol.Error
	if json.Unmarshal(text, &says) != nil || says.Message == "" {
		return fmt.Errorf("%s answers %s: is it a plan server?", response.Request.URL, response.Status)
	}
	return fmt.Errorf("the plan server answers %s: %s", strings.ToLower(response.Status), says.Message)
}
