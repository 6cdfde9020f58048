// Package metrics has the metrics that tell of objects rather than of calls. They register with whatever registry the
// manager serves.
package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Glasses are the glasses that are broken now. One series per object, and only while it is broken.
var Glasses = &OpenGlasses{since: map[glassKey]time.Time{}}

// OpenGlasses collects since when each glass is broken.
type OpenGlasses struct {
	mu    sync.Mutex
	since map[glassKey]time.Time
}

type glassKey struct{ kind, namespace, name string }

var (
	glassOpened = prometheus.NewDesc("holdfast_break_glass_opened_timestamp_seconds",
		"Since when the glass of an object is broken, in seconds since 1970. Only objects whose glass is broken.",
		[]string{"kind", "namespace", "name"}, nil)
	glassCount = prometheus.NewDesc("holdfast_break_glass_open",
		"How many objects of a kind have their glass broken.", []string{"kind"}, nil)
)

// Open takes in an object whose glass is broken.
func (g *OpenGlasses) Open(kind, namespace, name string, since time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.since[glassKey{kind, namespace, name}] = since
}

// Close forgets an object whose glass is closed, or that is gone.
func (g *OpenGlasses) Close(kind, namespace, name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.since, glassKey{kind, namespace, name})
}

// Describe implements prometheus.Collector.
func (g *OpenGlasses) Describe(ch chan<- *prometheus.Desc) {
	ch <- glassOpened
	ch <- glassCount
}

// Collect implements prometheus.Collector.
func (g *OpenGlasses) Collect(ch chan<- prometheus.Metric) {
	g.mu.Lock()
	defer g.mu.Unlock()
	counts := map[string]float64{}
	for key, since := range g.since {
		counts[key.kind]++
		ch <- prometheus.MustNewConstMetric(glassOpened, prometheus.GaugeValue, float64(since.Unix()), key.kind, key.namespace, key.name)
	}
	for kind, n := range counts {
		ch <- prometheus.MustNewConstMetric(glassCount, prometheus.GaugeValue, n, kind)
	}
}
