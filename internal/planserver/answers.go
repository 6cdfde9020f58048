package planserver

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
)

// refusal is an answer without a plan.
type refusal struct {
	code int
	told string
}

// Error implements error.
func (r *refusal) Error() string { return r.told }

// busy is the answer to whoever is to come again after a while.
type busy struct {
	told  string
	after time.Duration
}

// Error implements error.
func (b *busy) Error() string { return b.told + "; try again later" }

// The pauses that callers are asked for.
const (
	// pauseBusy is that of callers who all together are too many, pauseUnavailable that of those whom nobody can answer.
	pauseBusy        = 5 * time.Second
	pauseUnavailable = 10 * time.Second
)

var errUnavailable = errors.New("this cannot be answered at the moment; try again later")

// unavailable is errUnavailable, with the reason for the log.
func unavailable(reason error) error { return &because{errUnavailable, reason} }

// reasonOf is what the log has for an error.
func reasonOf(err error) error {
	var hidden *because
	if errors.As(err, &hidden) {
		return hidden.reason
	}
	return err
}

// answerError answers a request that gets no plan, and returns the code.
func answerError(w http.ResponseWriter, err error) int {
	code, told := http.StatusInternalServerError, "this failed; the operator's log says why"
	var refused *refusal
	var later *busy
	switch {
	case errors.Is(err, errNotAccepted):
		code, told = http.StatusUnauthorized, err.Error()
		w.Header().Set("WWW-Authenticate", "Bearer")
	case errors.As(err, &refused):
		code, told = refused.code, refused.told
	case errors.As(err, &later):
		code, told = http.StatusTooManyRequests, later.Error()
		retryAfter(w, later.after)
	case errors.Is(err, errUnavailable):
		code, told = http.StatusServiceUnavailable, err.Error()
		retryAfter(w, pauseUnavailable)
	case errors.Is(err, context.DeadlineExceeded):
		code, told = http.StatusGatewayTimeout, "this takes too long; ask for plans of fewer manifests at once"
	}
	answer(w, code, protocol.Error{Message: told})
	return code
}

func retryAfter(w http.ResponseWriter, after time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(max(after, time.Second).Seconds()))))
}

// answer writes an answer. That it cannot be written is the caller's affair, who has gone.
func answer(w http.ResponseWriter, code int, says any) {
	text, err := json.Marshal(says)
	if err != nil {
		code, text = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written"}`)
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write(append(text, '\n'))
}
