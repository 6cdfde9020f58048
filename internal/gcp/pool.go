package gcp

import (
	"context"
	"errors"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/api/option"
	"k8s.io/utils/lru"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// opener opens the client that acts as a service account (its e-mail; empty: as the manager), with credentials of its own. It
// calls nobody yet. It tells use of the client's calls and what to close, where there is something to close.
type opener[C any] func(ctx context.Context, account string, use *usage) (C, error)

// pool keeps one client of a service per service account, of those accounts that were used last.
type pool[C any] struct {
	endpoint Endpoint
	open     opener[C]
	gauge    prometheus.Gauge

	mu      sync.Mutex
	clients *lru.Cache // of account to pooled
	usages  map[*usage]struct{}
	closed  bool
}

type pooled[C any] struct {
	client C
	use    *usage
}

// newPool returns the pool of a service. Its gauge shows how many clients are open, those included that were evicted and are
// still in use.
func newPool[C any](c *Clients, service kind.Service, endpoint Endpoint, open opener[C]) *pool[C] {
	p := &pool[C]{
		endpoint: endpoint, open: open, gauge: c.metrics.clients.WithLabelValues(string(service)), usages: map[*usage]struct{}{},
	}
	p.clients = lru.NewWithEvictionFunc(c.opts.MaxAccounts, func(_ lru.Key, value any) {
		use := value.(pooled[C]).use
		use.expire(func() { p.forget(use) })
	})
	return p
}

// newRPCPool returns the pool of a gRPC API, whose library makes a client of a connection. configure changes what the library
// makes.
func newRPCPool[C any](
	c *Clients, service kind.Service, endpoint Endpoint,
	build func(context.Context, ...option.ClientOption) (C, error), configure func(C),
) *pool[C] {
	return newPool(c, service, endpoint, func(ctx context.Context, account string, use *usage) (C, error) {
		var none C
		conn, err := c.dial(ctx, service, endpoint, account, use)
		if err != nil {
			return none, err
		}
		client, err := build(ctx, option.WithGRPCConn(conn), option.WithoutAuthentication())
		if err != nil {
			return none, errors.Join(err, conn.Close())
		}
		configure(client)
		return client, nil
	})
}

var errClosed = errors.New("the clients of Google Cloud are closed")

// get returns the account's client, opened if there is none. Opening calls nobody, so that holding the lock is fine.
func (p *pool[C]) get(ctx context.Context, impersonate string) (C, error) {
	account := p.endpoint.account(impersonate)
	p.mu.Lock()
	defer p.mu.Unlock()
	var none C
	if p.closed {
		return none, errClosed
	}
	if kept, ok := p.clients.Get(account); ok {
		return kept.(pooled[C]).client, nil
	}
	use := &usage{}
	client, err := p.open(ctx, account, use)
	if err != nil {
		return none, err
	}
	p.usages[use] = struct{}{}
	p.gauge.Inc()
	p.clients.Add(account, pooled[C]{client, use})
	return client, nil
}

func (p *pool[C]) forget(use *usage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.usages[use]; ok {
		delete(p.usages, use)
		p.gauge.Dec()
	}
}

func (p *pool[C]) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var errs []error
	for use := range p.usages {
		errs = append(errs, use.close())
		p.gauge.Dec()
	}
	clear(p.usages)
	return errors.Join(errs...)
}
