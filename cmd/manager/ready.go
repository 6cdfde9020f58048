package main

import (
	"context"
	"errors"
	"math"
	"net/http"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
)

// authenticationTimeout bounds one attempt to get a token.
const authenticationTimeout = 10 * time.Second

// pauses are those between attempts to get a token. GKE's metadata server may take some seconds to know a pod that has just started.
var pauses = wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Cap: 30 * time.Second, Steps: math.MaxInt}

// readiness says when a replica is ready: once it knows the cluster, and once Google has given it a token. So an upgrade that has lost its
// credentials, or its way to Google, replaces no replica that works. What becomes of either later says nothing of this replica that is not as
// true of the next: conditions and metrics report it, and the probe does not. A standby is as ready as the leader.
type readiness struct {
	synced       func(context.Context) bool
	authenticate func(context.Context) error
	pauses       wait.Backoff

	lacks atomic.Pointer[error]
}

func newReadiness(synced func(context.Context) bool, authenticate func(context.Context) error) *readiness {
	r := &readiness{synced: synced, authenticate: authenticate, pauses: pauses}
	r.lack(errors.New("the caches are not synced yet"))
	return r
}

// Start waits for the caches, then for a token.
func (r *readiness) Start(ctx context.Context) error {
	if !r.synced(ctx) {
		return nil // the context has ended
	}
	r.lack(errors.New("there is no token of Google's yet"))
	err := r.pauses.DelayFunc().Until(ctx, true, false, func(ctx context.Context) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, authenticationTimeout)
		defer cancel()
		err := r.authenticate(ctx)
		if err != nil {
			r.lack(err)
			ctrl.Log.Error(err, "Not ready yet: there is no token of Google's")
		}
		return err == nil, nil
	})
	if err == nil {
		r.lacks.Store(nil)
	}
	return nil
}

// NeedLeaderElection says that a standby gets ready, too.
func (*readiness) NeedLeaderElection() bool { return false }

func (r *readiness) lack(err error) { r.lacks.Store(&err) }

// check answers the probe.
func (r *readiness) check(*http.Request) error {
	if lacks := r.lacks.Load(); lacks != nil {
		return *lacks
	}
	return nil
}
