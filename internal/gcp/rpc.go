package gcp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"cloud.google.com/go/auth/grpctransport"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

const (
	// maxReconnect bounds the pause between attempts to connect, so that the end of an outage is noticed soon.
	maxReconnect = 5 * time.Second
	// idleTimeout closes the connections of accounts that are idle between two sweeps.
	idleTimeout = 2 * time.Minute
	// readBuffer is what gRPC reads at once, in bytes: TLS has a whole record in memory already, and gRPC's own 32 KiB would be most of what a
	// connection takes.
	readBuffer = 4 << 10
)

// dial makes a connection that is bounded in time, limited, counted and authenticated, in this order. It does not connect yet.
func (c *Clients) dial(ctx context.Context, service kind.Service, endpoint Endpoint, account string, use *usage) (*grpc.ClientConn, error) {
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
			grpc.WithReadBufferSize(readBuffer),
			// As Google's own clients: a page of a list may have more than gRPC's 4 MiB.
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)),
			grpc.WithIdleTimeout(idleTimeout),
			grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: maxReconnect}),
			grpc.WithChainUnaryInterceptor(
				use.unaryInterceptor,
				withTimeout(c.opts.Timeout),
				reasonedRPC,
				c.limiter.unaryInterceptor(service, account),
				c.metrics.unaryInterceptor(service),
				c.limiter.methods.nameDenial(service),
			),
		}, c.opts.dialOptions...),
	}
	if !endpoint.Insecure {
		own, err := c.credentials(account)
		if err != nil {
			return nil, err
		}
		opts.Credentials = own
	}
	conns, err := grpctransport.Dial(ctx, !endpoint.Insecure, opts)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s at %s: %w", service, endpoint.Address, err)
	}
	conn := conns.Connection()
	use.closer = conn
	return conn, nil
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
func (l *limiter) unaryInterceptor(service kind.Service, account string) grpc.UnaryClientInterceptor {
	return func(
		ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
	) error {
		c := rpcCall(ctx, service, method, account)
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
