package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func newOnHold() *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "holdfast_destruction_on_hold_timestamp_seconds",
		Help: "Since when nothing more is destroyed in a namespace, or in any (scope Fleet), because too much was at once, in seconds since 1970. " +
			"Only while that is so.",
	}, []string{"scope", "namespace"})
}

// OnHold shows since when namespaces are on hold; an empty name stands for all of them.
func (c *Collector) OnHold(since map[string]time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onHold.Reset()
	for namespace, at := range since {
		scope := "Namespace"
		if namespace == "" {
			scope = "Fleet"
		}
		c.onHold.WithLabelValues(scope, namespace).Set(float64(at.Unix()))
	}
}
