package traffic

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"
)

// ErrorBody answers a refusal in the form of a service's errors, see
// [StorageErrors] and [RPCErrors].
type ErrorBody func(w http.ResponseWriter, r Refusal)

// Middleware puts an HTTP service under the control. Classify names the call
// of a request; a request that it cannot name (an empty Service) passes
// without being counted or faulted.
func (c *Control) Middleware(classify func(*http.Request) Call, refuse ErrorBody) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			call := classify(r)
			if call.Service == "" {
				next.ServeHTTP(w, r)
				return
			}
			c.serve(w, r, call, next, refuse)
		})
	}
}

func (c *Control) serve(w http.ResponseWriter, r *http.Request, call Call, next http.Handler, refuse ErrorBody) {
	v := c.arrive(arrival{
		Call: call, httpMethod: r.Method, path: r.URL.RequestURI(), userProject: r.Header.Get("X-Goog-User-Project"),
		token: bearer(r.Header.Get("Authorization")), userAgent: r.UserAgent(), reason: r.Header.Get("X-Goog-Request-Reason"),
	})
	delay(r.Context(), v.latency)
	if v.outage {
		CutConnection()
	}
	request := c.copyRequest(r)
	recorder := &responseRecorder{ResponseWriter: w, status: http.StatusOK, lose: v.loseReply}
	if v.refusal != nil {
		refuse(recorder, *v.refusal)
	} else {
		v.breakpoint.wait(call)
		next.ServeHTTP(recorder, r.WithContext(v.context(r.Context())))
	}
	c.finish(v, outcome{
		request: request.String(), response: recorder.body.String(), status: recorder.status,
		executed: v.refusal == nil, lost: v.loseReply,
	})
	if v.loseReply {
		CutConnection()
	}
}

// CutConnection ends the handler that calls it and closes the connection
// without an answer.
func CutConnection() { panic(http.ErrAbortHandler) }

// delay waits, or until the client has gone away.
func delay(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// copyRequest arranges that what the service reads of the body is kept for
// the journal.
func (c *Control) copyRequest(r *http.Request) *clippedBuffer {
	kept := &clippedBuffer{}
	if c.recording() {
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, kept), r.Body}
	}
	return kept
}

// clippedBuffer keeps the first [bodyLimit] bytes and drops the rest.
type clippedBuffer struct{ bytes.Buffer }

func (b *clippedBuffer) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), bodyLimit-b.Len())])
	return len(p), nil
}

// responseRecorder keeps the beginning of an answer, and sends nothing if
// the answer is to be lost.
type responseRecorder struct {
	http.ResponseWriter
	status int
	body   clippedBuffer
	lose   bool
}

func (r *responseRecorder) WriteHeader(status int) {
	r.status = status
	if !r.lose {
		r.ResponseWriter.WriteHeader(status)
	}
}

func (r *responseRecorder) Write(p []byte) (int, error) {
	_, _ = r.body.Write(p)
	if r.lose {
		return len(p), nil
	}
	return r.ResponseWriter.Write(p)
}
