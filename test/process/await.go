package process

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// pace is how often a program is asked whether it answers.
const pace = 50 * time.Millisecond

// Probe says whether a program answers yet.
type Probe func(context.Context) bool

// Listening is true once the address, host and port, accepts connections.
func Listening(address string) Probe {
	return func(ctx context.Context) bool {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return false
		}
		_ = connection.Close() // nothing was sent over it
		return true
	}
}

// Serving is true once a GET of the URL answers 200.
func Serving(url string) Probe {
	return func(ctx context.Context) bool {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return false
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		_ = response.Body.Close() // nothing is read from it
		return response.StatusCode == http.StatusOK
	}
}

// Await waits until the program answers, at most for bound. It fails at once when the program ends, with [Process.Ended], or
// when the context is done, with its cause.
func (p *Process) Await(ctx context.Context, bound time.Duration, answers Probe) error {
	bounded, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for !answers(bounded) {
		select {
		case <-p.done:
			return p.Ended()
		case <-bounded.Done():
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return fmt.Errorf("%s does not answer after %s; its last lines:\n%s", p.Name, bound, p.Tail(tailLines))
		case <-tick.C:
		}
	}
	return nil
}
