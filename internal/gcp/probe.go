package gcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// probeTimeout bounds the attempt to connect to an endpoint.
const probeTimeout = 5 * time.Second

// Unreachable is an endpoint that cannot be connected to.
type Unreachable struct {
	// Service is the service, which also names its flag: storage.
	Service kind.Service
	// Address is host:port.
	Address string
	// Err is the cause.
	Err error
}

// Error says which service cannot be reached, where and why.
func (e *Unreachable) Error() string {
	return fmt.Sprintf("%s cannot be reached at %s: %v", e.Service, e.Address, e.Err)
}

// Unwrap returns the cause.
func (e *Unreachable) Unwrap() error { return e.Err }

// Probe connects to each endpoint, or to the proxy that the environment sets for it, and sends nothing. It returns an
// Unreachable for the first that fails, in the order of Options.
func (c *Clients) Probe(ctx context.Context) error {
	type served struct {
		service kind.Service
		Endpoint
	}
	endpoints := []served{
		{kind.ServiceStorage, c.opts.Storage},
		{kind.ServicePubSub, c.opts.PubSub},
		{kind.ServiceIAM, c.opts.IAM},
		{kind.ServiceResourceManager, c.opts.ResourceManager},
	}
	if c.opts.AssetScope != "" {
		endpoints = append(endpoints, served{kind.ServiceAsset, c.opts.Asset})
	}
	results := make([]chan error, len(endpoints))
	for i, endpoint := range endpoints {
		results[i] = make(chan error, 1)
		go func() { results[i] <- endpoint.probe(ctx) }()
	}
	for i, endpoint := range endpoints {
		if err := <-results[i]; err != nil {
			return &Unreachable{Service: endpoint.service, Address: endpoint.Address, Err: err}
		}
	}
	return nil
}

func (e Endpoint) probe(ctx context.Context) error {
	address := e.Address
	target, err := url.Parse(e.url())
	if err != nil {
		return err
	}
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: target}); err == nil && proxy != nil {
		address = proxy.Host
	}
	dialer := net.Dialer{Timeout: probeTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err == nil {
		return conn.Close()
	}
	var op *net.OpError
	if errors.As(err, &op) && address == e.Address { // the message has the address already
		return op.Err
	}
	return err
}
