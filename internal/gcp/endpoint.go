package gcp

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Endpoint is where a service is reached. The zero value is Google's own.
type Endpoint struct {
	// Address is host:port.
	Address string
	// Path is the root of the API at that address, with a slash at either end. Only JSON APIs have one; empty is Google's.
	Path string
	// Insecure means no TLS and no credentials, as for emulators.
	Insecure bool
}

// ParseEndpoint reads an endpoint as people write it, host:port or a URL. Without a port it is 443, or 80 if insecure. A
// URL's scheme must agree with insecure, so that credentials are not sent unencrypted by mistake.
func ParseEndpoint(text string, insecure bool) (Endpoint, error) {
	scheme, port := "https", "443"
	if insecure {
		scheme, port = "http", "80"
	}
	if !strings.Contains(text, "://") {
		text = scheme + "://" + text
	}
	parsed, err := url.Parse(text)
	switch {
	case err != nil:
		return Endpoint{}, errors.Unwrap(err)
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return Endpoint{}, fmt.Errorf("scheme %q is neither http nor https", parsed.Scheme)
	case parsed.Scheme == "http" && scheme == "https":
		return Endpoint{}, errors.New("http has no TLS")
	case parsed.Scheme == "https" && scheme == "http":
		return Endpoint{}, errors.New("https has TLS")
	case parsed.Hostname() == "":
		return Endpoint{}, errors.New("no host")
	case parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "":
		return Endpoint{}, errors.New("more than scheme, host, port and path")
	}
	if parsed.Port() != "" {
		port = parsed.Port()
	}
	endpoint := Endpoint{Address: net.JoinHostPort(parsed.Hostname(), port), Insecure: insecure}
	if path := strings.Trim(parsed.Path, "/"); path != "" {
		endpoint.Path = "/" + path + "/"
	}
	return endpoint, nil
}

// or returns the endpoint, completed from Google's own.
func (e Endpoint) or(google Endpoint) Endpoint {
	if e.Address == "" {
		return google
	}
	if e.Path == "" {
		e.Path = google.Path
	}
	return e
}

// url is the endpoint as a JSON API's client expects it.
func (e Endpoint) url() string {
	scheme := "https"
	if e.Insecure {
		scheme = "http"
	}
	return scheme + "://" + e.Address + e.Path
}

// Google's own endpoints.
var (
	googleStorage         = Endpoint{Address: "storage.googleapis.com:443", Path: "/storage/v1/"}
	googlePubSub          = Endpoint{Address: "pubsub.googleapis.com:443"}
	googleIAM             = Endpoint{Address: "iam.googleapis.com:443"}
	googleResourceManager = Endpoint{Address: "cloudresourcemanager.googleapis.com:443"}
	googleAsset           = Endpoint{Address: "cloudasset.googleapis.com:443"}
)
