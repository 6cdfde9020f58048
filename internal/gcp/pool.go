package gcp

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/option"
	"k8s.io/utils/lru"
)

// mostClients is of how many accounts the clients of a service are kept, of those that were used last. To make one calls nobody, and takes less
// than a call.
const mostClients = 1024

// pool keeps one client of a service per service account.
type pool[C any] struct {
	endpoint Endpoint
	// make makes the client that acts as a service account (its e-mail; empty: as the manager). It calls nobody.
	make   func(ctx context.Context, account string) (C, error)
	closed *atomic.Bool // of all pools

	mu      sync.Mutex
	clients *lru.Cache // of account to C
}

func newPool[C any](closed *atomic.Bool, endpoint Endpoint, makeClient func(ctx context.Context, account string) (C, error)) *pool[C] {
	return &pool[C]{endpoint: endpoint, make: makeClient, closed: closed, clients: lru.New(mostClients)}
}

var errClosed = errors.New("the clients of Google Cloud are closed")

// newRPCPool returns the pool of a gRPC API, whose library makes a client of a connection. all puts an option into each call of a client, in place
// of what the library has there: that retries.
func newRPCPool[C any](
	conn *connection, library func(context.Context, ...option.ClientOption) (C, error), all func(client C, option gax.CallOption),
) *pool[C] {
	return newPool(conn.closed, conn.endpoint, func(ctx context.Context, account string) (C, error) {
		var none C
		shared, err := conn.get(ctx)
		if err != nil {
			return none, err
		}
		client, err := library(ctx, option.WithGRPCConn(shared), option.WithoutAuthentication())
		if err != nil {
			return none, fmt.Errorf("making the client of %s: %w", conn.service, err)
		}
		all(client, gax.WithGRPCOptions(actsAs{account: account}))
		return client, nil
	})
}

// inEachCall are the call options of a client, of whose methods each has a field of its own, with one option for all.
func inEachCall[O any](option gax.CallOption) *O {
	all := new(O)
	one := reflect.ValueOf([]gax.CallOption{option})
	for _, method := range reflect.ValueOf(all).Elem().Fields() {
		method.Set(one)
	}
	return all
}

// get returns the account's client, made if there is none.
func (p *pool[C]) get(ctx context.Context, impersonate string) (C, error) {
	account := p.endpoint.account(impersonate)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Load() {
		var none C
		return none, errClosed
	}
	if kept, ok := p.clients.Get(account); ok {
		return kept.(C), nil
	}
	client, err := p.make(ctx, account)
	if err != nil {
		var none C
		return none, err
	}
	p.clients.Add(account, client)
	return client, nil
}
