package metrics

import "github.com/prometheus/client_golang/prometheus"

// Listing is the result of listing the resources of a kind, in all projects that have manifests.
type Listing struct {
	// Unmanaged counts the resources that no manifest declares.
	Unmanaged int
	// NotListed counts the projects that could not be listed: what is unmanaged there is not counted.
	NotListed int
}

var (
	descUnmanaged = prometheus.NewDesc("holdfast_unmanaged_resources",
		"Resources that no manifest declares, in the projects that have manifests, or with asset inventory in those that namespaces are bound to, as of the last sweep of each.", []string{"kind"}, nil)
	descNotListed = prometheus.NewDesc("holdfast_projects_not_listed",
		"Projects that have manifests and whose resources Holdfast is not allowed to list.", []string{"kind"}, nil)
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
