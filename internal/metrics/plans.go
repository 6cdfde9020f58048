package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Plans is what is measured of the plan server, which runs in every replica.
type Plans struct{ *prometheus.HistogramVec }

// NewPlans makes the metrics.
func NewPlans() Plans {
	return Plans{histogram("holdfast_plan_request_duration_seconds",
		"How long the plan server took for requests, by the HTTP status of the answer.", []float64{.01, .1, .5, 1, 2.5, 5, 10, 30, 60}, "code")}
}

// Answered counts and times a request.
func (p Plans) Answered(code int, took time.Duration) {
	p.WithLabelValues(strconv.Itoa(code)).Observe(took.Seconds())
}
