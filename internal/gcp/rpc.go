package gcp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cloud.google.com/go/auth/grpctransport"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

const (
	// maxReconnect bounds the pause between attempts to connect, so that the end of an outage is noticed soon.
	maxReconnect = 5 * time.Second
	// idleTimeout closes a connection that nobody uses, before something on the way forgets it without notice: Google's own networks do after ten
	// minutes.
	idleTimeout = 2 * time.Minute
	// pingAfter is how long nothing came in until a connection that is used is asked whether it still is one, as often as Google's own clients do.
	// With it gRPC also gives up a connection on which what was sent is not acknowledged for 20 s: all calls of all accounts would wait for it.
	pingAfter = 5 * time.Minute
)

// connection is the connection to a gRPC API that the clients of all accounts share: each call says as whom it is made.
type connection struct {
	service  kind.Service
	endpoint Endpoint
	// dial makes the connection that get returns, once.
	dial func(ctx context.Context) (*grpc.ClientConn, error)

	closed *atomic.Bool // of all connections

	mu   sync.Mutex
	made *grpc.ClientConn
}

// connect returns the connection to a service, which is made when it is first asked for.
func (c *Clients) connect(service kind.Service, endpoint Endpoint) *connection {
	conn := &connection{service: service, endpoint: endpoint, closed: &c.closed}
	conn.dial = func(ctx context.Context) (*grpc.ClientConn, error) { return c.dial(ctx, service, endpoint) }
	c.connections = append(c.connections, conn)
	return conn
}

func (c *connection) get(ctx context.Context) (*grpc.ClientConn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed.Load() {
		return nil, errClosed
	}
	if c.made == nil {
		made, err := c.dial(ctx)
		if err != nil {
			return nil, err
		}
		c.made = made
	}
	return c.made, nil
}

func (c *connection) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := c.made
	c.made = nil
	if made == nil {
		return nil
	}
	return made.Close()
}

// actsAs is an option of each call. It says as whom the call is made: a service account, by its e-mail; empty: the manager.
type actsAs struct {
	grpc.EmptyCallOption

	account string
}

type accountKey struct{}

// accountFrom is as whom a call is made, as identified knows it.
func accountFrom(ctx context.Context) string {
	account, _ := ctx.Value(accountKey{}).(string)
	return account
}

// identified tells all that follows as whom a call is made. One that does not say so is not made: it would be made as the manager, who may
// do more than most.
func identified(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	for _, opt := range opts {
		if as, ok := opt.(actsAs); ok {
			return invoke(context.WithValue(ctx, accountKey{}, as.account), method, req, reply, conn, opts...)
		}
	}
	return &Error{Class: kind.Invalid, Message: rpcMethod(method) + " is not called: nobody says as whom"}
}

// unstreamed refuses streams, which nothing here limits or counts, and which would be made as the manager.
func unstreamed(
	_ context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, method string, _ grpc.Streamer, _ ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return nil, &Error{Class: kind.Invalid, Message: rpcMethod(method) + " is not called: it streams"}
}

// dial makes a connection whose calls are bounded in time, limited, counted and authenticated, in this order. It does not connect yet.
func (c *Clients) dial(ctx context.Context, service kind.Service, endpoint Endpoint) (*grpc.ClientConn, error) {
	reconnect := backoff.DefaultConfig
	reconnect.MaxDelay = maxReconnect
	opts := &grpctransport.Options{
		Endpoint:              endpoint.Address,
		DisableTelemetry:      true,
		Logger:                unlogged,
		DisableAuthentication: endpoint.Insecure,
		GRPCDialOpts: append([]grpc.DialOption{
			grpc.WithUserAgent(c.opts.UserAgent),
			grpc.WithDisableRetry(),
			// As Google's own clients: a page of a list may have more than gRPC's 4 MiB.
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)),
			grpc.WithIdleTimeout(idleTimeout),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingAfter}),
			grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: maxReconnect}),
			grpc.WithChainStreamInterceptor(unstreamed),
			grpc.WithChainUnaryInterceptor(
				identified,
				withTimeout(c.opts.Timeout),
				reasonedRPC,
				c.limiter.unaryInterceptor(service),
				c.metrics.unaryInterceptor(service),
				c.limiter.methods.nameDenial(service),
			),
		}, c.opts.dialOptions...),
	}
	if !endpoint.Insecure {
		opts.Credentials = c.identifiedCredentials()
		opts.GRPCDialOpts = append(opts.GRPCDialOpts, grpc.WithChainUnaryInterceptor(c.ownQuotaProject))
	}
	conns, err := grpctransport.Dial(ctx, !endpoint.Insecure, opts)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s at %s: %w", service, endpoint.Address, err)
	}
	return conns.Connection(), nil
}

// ownQuotaProject names the quota project that the manager's own credentials name, in calls that are made as the manager, unless there is one for
// all.
func (c *Clients) ownQuotaProject(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	if c.opts.QuotaProject == "" && accountFrom(ctx) == "" {
		own, err := c.base.QuotaProjectID(ctx)
		if err != nil {
			return err
		}
		if own != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, strings.ToLower(userProjectHeader), own)
		}
	}
	return invoke(ctx, method, req, reply, conn, opts...)
}

// withTimeout bounds a call in time; a context that ends sooner wins.
func withTimeout(timeout time.Duration) grpc.UnaryClientInterceptor {
	return func(
		ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
	) error {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return invoke(ctx, method, req, reply, conn, opts...)
	}
}

// unaryInterceptor limits the calls to a gRPC API.
func (l *limiter) unaryInterceptor(service kind.Service) grpc.UnaryClientInterceptor {
	return func(
		ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
	) error {
		c := rpcCall(ctx, service, method, accountFrom(ctx))
		scopes, err := l.admit(ctx, c)
		if err != nil {
			return err
		}
		err = invoke(ctx, method, req, reply, conn, opts...)
		if _, ofToken := errors.AsType[*tokenError](err); ofToken { // which another service refused
			return err
		}
		if refusal := Classify(err); refusal != nil && refusal.Class == kind.Throttled {
			l.metrics.throttle(c, status.Code(err).String())
			l.throttled(scopes, refusal)
		}
		return err
	}
}
