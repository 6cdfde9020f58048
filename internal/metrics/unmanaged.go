package metrics

import "github.com/prometheus/client_golang/prometheus"

// Listing is the result of listing the resources of a kind, in all projects that namespaces are bound to.
type Listing struct {
	// Unmanaged counts the resources that no manifest declares.
	Unmanaged int
	// NotListed counts the projects that could not be listed: what is unmanaged there is not counted.
	NotListed int
}

var (
	descUnmanaged = prometheus.NewDesc("holdfast_unmanaged_resources",
		"Resources that no manifest declares, in the projects that namespaces are bound to, as of the last listing.", []string{"kind"}, nil)
	descNotListed = prometheus.NewDesc("holdfast_projects_not_listed",
		"Projects that namespaces are bound to and whose resources could not be listed last time.", []string{"kind"}, nil)
)

// Listed updates the metrics with the latest listing of a kind.
func (c *Collector) Listed(kind string, listing Listing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listings[kind] = listing
}

func (l Listing) collect(ch chan<- prometheus.Metric, kind string) {
	ch <- gauge(descUnmanaged, float64(l.Unmanaged), kind)
	ch <- gauge(descNotListed, float64(l.NotListed), kind)
}
