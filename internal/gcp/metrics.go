package gcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// metrics count and time each call as it goes over the wire: after waiting for a limit, before anything retries. They also
// tell of the limits: what Google throttled, and what waited or was refused on this side.
type metrics struct {
	requests  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	throttled *prometheus.CounterVec
	waited    *prometheus.CounterVec
	refused   *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_gcp_requests_total",
			Help: "Calls to Google Cloud by service, method and code: an HTTP status, a gRPC code, timeout, canceled or error without an answer, or undeclared if the call was refused unsent.",
		}, []string{"service", "method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                            "holdfast_gcp_request_duration_seconds",
			Help:                            "How long calls to Google Cloud took until the answer began, by service and method.",
			Buckets:                         []float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"service", "method"}),
		throttled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_gcp_throttled_total",
			Help: "Calls that Google Cloud throttled, by service, method and code.",
		}, []string{"service", "method", "code"}),
		waited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_gcp_limit_wait_seconds_total",
			Help: "How long calls to Google Cloud waited for Holdfast's own rate limits, in seconds, by service.",
		}, []string{"service"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_gcp_limit_refused_total",
			Help: "Calls to Google Cloud that were postponed because they would have waited too long for Holdfast's own rate limits, by service.",
		}, []string{"service"}),
	}
	if registerer == nil {
		return m, nil
	}
	for _, counter := range []**prometheus.CounterVec{&m.requests, &m.throttled, &m.waited, &m.refused} {
		shared, err := register(registerer, *counter)
		if err != nil {
			return nil, err
		}
		*counter = shared
	}
	var err error
	m.duration, err = register(registerer, m.duration)
	return m, err
}

// shares tells how far the rates of a limiter have adapted.
func shares(registerer prometheus.Registerer, l *limiter) error {
	if registerer == nil {
		return nil
	}
	for _, service := range []kind.Service{kind.ServiceStorage, kind.ServicePubSub, kind.ServiceIAM, kind.ServiceResourceManager} {
		_, err := register(registerer, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "holdfast_gcp_limit_share",
			Help:        "The lowest rate that calls are limited to at present in any project, as a share of the configured one, by service: below 1 after Google throttled calls.",
			ConstLabels: prometheus.Labels{"service": string(service)},
		}, func() float64 { return l.lowest(service) }))
		if err != nil {
			return err
		}
	}
	return nil
}

// register returns the collector, or the one that was registered in its place before: clients of one process share them.
func register[C prometheus.Collector](registerer prometheus.Registerer, collector C) (C, error) {
	err := registerer.Register(collector)
	if before, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if shared, ok := before.ExistingCollector.(C); ok {
			return shared, nil
		}
	}
	if err != nil {
		return collector, fmt.Errorf("registering the metrics of Google Cloud calls: %w", err)
	}
	return collector, nil
}

func (m *metrics) observe(c call, code string, since time.Time) {
	m.requests.WithLabelValues(string(c.service), c.method, code).Inc()
	m.duration.WithLabelValues(string(c.service), c.method).Observe(time.Since(since).Seconds())
}

// undeclared counts a call that is not made because its method is not declared.
func (m *metrics) undeclared(c call) {
	if m != nil {
		m.requests.WithLabelValues(string(c.service), c.method, "undeclared").Inc()
	}
}

// throttle counts a call that Google answered by asking to slow down.
func (m *metrics) throttle(c call, code string) {
	if m != nil {
		m.throttled.WithLabelValues(string(c.service), c.method, code).Inc()
	}
}

// keptBack counts the time that a call waits for a limit.
func (m *metrics) keptBack(service kind.Service, delay time.Duration) {
	if m != nil {
		m.waited.WithLabelValues(string(service)).Add(delay.Seconds())
	}
}

// putOff counts a call that is not made because of a limit.
func (m *metrics) putOff(service kind.Service) {
	if m != nil {
		m.refused.WithLabelValues(string(service)).Inc()
	}
}

// roundTripper counts a JSON API's calls.
func (m *metrics) roundTripper(callOf func(*http.Request) call, next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		start := time.Now()
		resp, err := next.RoundTrip(req)
		m.observe(callOf(req), httpOutcome(resp, err), start)
		return resp, err
	})
}

func httpOutcome(resp *http.Response, err error) string {
	switch {
	case err == nil:
		return strconv.Itoa(resp.StatusCode)
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return "error"
}

// unaryInterceptor counts a gRPC API's calls.
func (m *metrics) unaryInterceptor(service kind.Service) grpc.UnaryClientInterceptor {
	return func(
		ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
	) error {
		start := time.Now()
		err := invoke(ctx, method, req, reply, conn, opts...)
		m.observe(call{service: service, method: rpcMethod(method)}, status.Code(err).String(), start)
		return err
	}
}
