package metrics

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-dev/holdfast/internal/version"
)

func newBuild() prometheus.Gauge {
	number, commit := version.Build()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "holdfast_build_info",
		Help:        "Which build this is. Always 1.",
		ConstLabels: prometheus.Labels{"version": number, "commit": commit, "goversion": runtime.Version()},
	})
	build.Set(1)
	return build
}
