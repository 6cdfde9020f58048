package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// turnstile lets the controllers' requests for single objects pass to the API server one by one. It keeps the times of those
// that tell what the gate knew, and can hold one of them.
type turnstile struct {
	mu       sync.Mutex
	requests []request
	holding  *hold
}

// request is one that was answered.
type request struct {
	method, path string
	// pass is the reconcile that made it.
	pass         types.UID
	began, ended time.Time
	// stored says that it stored a status, and acknowledges that BreakGlass is True in that.
	stored, acknowledges bool
}

// isAbout says whether the request is for a resource's object, or for its status.
func (r request) isAbout(resource string) bool {
	return strings.HasSuffix(strings.TrimSuffix(r.path, "/status"), "/"+resource)
}

// hold is what a request comes to a stop at.
type hold struct {
	match   func(request) bool
	reached chan request
	release chan struct{}
	once    sync.Once
	at      time.Time
}

// stop holds the first request from now on that matches, before it is sent.
func (s *turnstile) stop(match func(request) bool) *hold {
	h := &hold{match: match, reached: make(chan request, 1), release: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding = h
	return h
}

// goOn lets the request go on, if one is held, and none be held if none is.
func (h *hold) goOn() { h.once.Do(func() { h.at = time.Now(); close(h.release) }) }

// went is when the request went on.
func (h *hold) went() time.Time { <-h.release; return h.at }

// arrive returns what a request has to stop at; nil for nothing.
func (s *turnstile) arrive(r request) *hold {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.holding
	if h == nil || !h.match(r) {
		return nil
	}
	s.holding = nil
	return h
}

func (h *hold) wait(r request) {
	if h != nil {
		h.reached <- r
		<-h.release
	}
}

// namespaced matches requests for one Namespace.
var namespaced = regexp.MustCompile(`/api/v1/namespaces/[^/]+$`)

// kubernetes puts the turnstile in front of the API server.
func (s *turnstile) kubernetes(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if !single.MatchString(req.URL.Path) {
			return next.RoundTrip(req)
		}
		r := request{method: req.Method, path: req.URL.Path, pass: controller.ReconcileIDFromContext(req.Context())}
		s.arrive(r).wait(r)
		r.began = time.Now()
		response, err := next.RoundTrip(req)
		r.ended = time.Now()
		if err != nil {
			return response, err
		}
		if r.stored = strings.HasSuffix(r.path, "/status") && response.StatusCode == http.StatusOK; r.stored {
			r.acknowledges, response.Body = acknowledges(response.Body)
		}
		s.mu.Lock()
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		return response, nil
	})
}

// acknowledges says whether an object's BreakGlass is True, and returns the body anew.
func acknowledges(body io.ReadCloser) (bool, io.ReadCloser) {
	text, err := io.ReadAll(body)
	again := struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(text), body}
	var obj struct {
		Status struct{ Conditions []metav1.Condition }
	}
	if err != nil || json.Unmarshal(text, &obj) != nil {
		return false, again
	}
	return meta.IsStatusConditionTrue(obj.Status.Conditions, v1alpha1.ConditionBreakGlass), again
}

// answered are the requests so far.
func (s *turnstile) answered() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// gateRead is when the gate looked at the object and at its Namespace, for one write.
type gateRead struct{ object, namespace request }

// gateBefore finds the read of the gate that let a write about a resource out, which arrived at a time. There is none if the
// gate was gone round.
func (s *turnstile) gateBefore(resource string, arrived time.Time) (gateRead, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, object := range slices.Backward(s.requests) {
		if object.method != http.MethodGet || !strings.HasSuffix(object.path, "/"+resource) || object.ended.After(arrived) {
			continue
		}
		for _, r := range s.requests[i+1:] {
			if r.pass == object.pass && r.method == http.MethodGet && namespaced.MatchString(r.path) && r.ended.Before(arrived) {
				return gateRead{object, r}, true
			}
		}
		return gateRead{}, false
	}
	return gateRead{}, false
}

// statusBefore is the request that stored the status of a resource's object last, of those that went out before a time.
func (s *turnstile) statusBefore(resource string, t time.Time) (r request, is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range slices.Backward(s.requests) {
		if r.method == http.MethodPatch && strings.HasSuffix(r.path, "/"+resource+"/status") && r.stored && r.began.Before(t) {
			return r, true
		}
	}
	return request{}, false
}
