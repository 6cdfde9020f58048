package planserver

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apiserver/pkg/authentication/user"

	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
)

// handler answers requests for plans.
type handler struct {
	// identify knows whose a token is.
	identify   func(ctx context.Context, token string) (user.Info, error)
	admissions *admissions
	authorizer authorizer
	planner    Planner
	metrics    metrics.Plans
	log        logr.Logger
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began, code := time.Now(), http.StatusOK
	who, request, plan, err := h.serve(w, r)
	if err != nil {
		code = answerError(w, err)
	} else {
		answer(w, code, plan)
	}
	took := time.Since(began)
	h.metrics.Answered(code, took)
	h.note(who, request, code, took, err)
}

// note writes into the log who has asked. What nobody could be made of is written only where everything is: anybody can send it.
func (h *handler) note(who user.Info, request protocol.Request, code int, took time.Duration, err error) {
	log := h.log.WithValues("code", code, "manifests", len(request.Manifests), "against", len(request.Against),
		"duration", took.Round(time.Millisecond).String())
	if err != nil {
		log = log.WithValues("reason", reasonOf(err).Error())
	}
	if who == nil {
		log.V(1).Info("A request for a plan was refused")
		return
	}
	log.Info("Somebody asked for a plan", "user", who.GetName(), "groups", who.GetGroups())
}

// authenticateTimeout bounds how long it may take to know a caller.
const authenticateTimeout = 10 * time.Second

// serve answers one request; who is nil if nobody knows.
func (h *handler) serve(w http.ResponseWriter, r *http.Request) (who user.Info, request protocol.Request, plan any, err error) {
	if who, err = h.caller(r); err != nil {
		return nil, request, nil, err
	}
	done, err := h.admissions.admit(who.GetName())
	if err != nil {
		return who, request, nil, err
	}
	defer done()
	release, err := h.admissions.take(r.ContentLength)
	if err != nil {
		return who, request, nil, err
	}
	defer release()
	if request, err = decode(w, r); err != nil {
		return who, request, nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.admissions.most)
	defer cancel()
	plan, err = h.guarded(ctx, who, request)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return who, request, plan, err
}

// guarded makes a plan, and fails where that panics: the log has where, which it has not of what the server itself catches.
func (h *handler) guarded(ctx context.Context, who user.Info, request protocol.Request) (plan any, err error) {
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("a panic: %v\n%s", why, debug.Stack())
		}
	}()
	return h.plan(ctx, who, request)
}

// caller is who asks, by the token.
func (h *handler) caller(r *http.Request) (user.Info, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, notAccepted("there is none")
	}
	ctx, cancel := context.WithTimeout(r.Context(), authenticateTimeout)
	defer cancel()
	return h.identify(ctx, token)
}
