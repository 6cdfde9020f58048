package metrics

import "github.com/prometheus/client_golang/prometheus"

// Outcome is what a listing of assets came to.
type Outcome string

// The outcomes.
const (
	AssetsListed Outcome = "listed"
	AssetsDenied Outcome = "denied"
	AssetsFailed Outcome = "failed"
)

// assets count what listings of assets came to.
type assets struct {
	listings *prometheus.CounterVec
	looks    *prometheus.CounterVec
	covered  *prometheus.GaugeVec
}

func newAssets() assets {
	return assets{
		listings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_asset_listings_total",
			Help: "Listings of Cloud Asset Inventory by outcome: listed, denied, or failed for another reason.",
		}, []string{"outcome"}),
		looks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "holdfast_asset_looks_total",
			Help: "Declared resources that are read because a listing of Cloud Asset Inventory differs from the one before, by kind.",
		}, []string{"kind"}),
		covered: prometheus.NewGaugeVec(prometheus.GaugeOpts{ // of one series, which is not there where assets are not listed
			Name: "holdfast_asset_projects",
			Help: "Projects that Cloud Asset Inventory covers at the moment, so that they are listed, and their policies read, only now and then.",
		}, nil),
	}
}

// Assets counts a listing of assets, which covers so many projects.
func (c *Collector) Assets(outcome Outcome, covered int) {
	c.assets.listings.WithLabelValues(string(outcome)).Inc()
	c.assets.covered.WithLabelValues().Set(float64(covered))
}

// AssetLook counts a look at a resource of a kind that a listing of assets asked for.
func (c *Collector) AssetLook(kind string) { c.assets.looks.WithLabelValues(kind).Inc() }
