package gcp

import (
	"context"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// linger is how long nobody must have called with a client that was evicted before it is closed: whoever got it earlier may yet
// be about to, as for the next page of a list; what then fails is tried again. Where a change to the fleet has many accounts used in turn, all that
// are evicted in this time have connections beside those of the pool.
const linger = 10 * time.Second

// usage is what is known of how a client is used, so that it is never closed while calls are under way. The zero value is of a
// client that nobody uses and that needs no closing.
type usage struct {
	closer io.Closer // nil if there is nothing to close

	mu     sync.Mutex
	calls  int         // under way
	expiry *time.Timer // nil until the client is evicted
	closed bool
}

// unaryInterceptor keeps count of the calls under way.
func (u *usage) unaryInterceptor(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	u.add(1)
	defer u.add(-1)
	return invoke(ctx, method, req, reply, conn, opts...)
}

func (u *usage) add(calls int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.calls += calls
	if u.expiry != nil && u.calls == 0 {
		u.expiry.Reset(linger)
	}
}

// expire closes the client once there was no call for a while, and says so.
func (u *usage) expire(closed func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.expiry = time.AfterFunc(linger, func() {
		if u.closeIdle() {
			closed()
		}
	})
}

// closeIdle closes the client unless there are calls under way. Those that begin meanwhile wait, and fail before they are sent.
func (u *usage) closeIdle() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.calls > 0 || u.closed {
		return false
	}
	_ = u.closeLocked() // Nobody is there to be told, and the connection is gone either way.
	return true
}

// close closes the client at once.
func (u *usage) close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil
	}
	return u.closeLocked()
}

func (u *usage) closeLocked() error {
	u.closed = true
	if u.expiry != nil {
		u.expiry.Stop()
	}
	if u.closer == nil {
		return nil
	}
	return u.closer.Close()
}
