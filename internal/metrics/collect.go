package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		descObjects, descUnseen, descConditions, descOmitted, descOldestLook, descSweep, descUnmanaged, descNotListed,
	} {
		ch <- desc
	}
	for _, s := range c.perObject() {
		ch <- s.desc
	}
	for _, part := range c.parts() {
		part.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	for kind, n := range c.present() { // asks the cache, so not while our lock is taken
		ch <- gauge(descUnseen, float64(max(0, n-c.looked(kind))), kind)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for kind, tally := range c.tally() {
		tally.collect(ch, kind)
	}
	for name, kind := range c.kinds {
		ch <- gauge(descSweep, kind.Sweep.Seconds(), name)
	}
	for kind, listing := range c.listings {
		listing.collect(ch, kind)
	}
	for _, s := range c.perObject() {
		s.collect(ch)
	}
	for _, part := range c.parts() {
		part.Collect(ch)
	}
}

// parts are the collectors that count and measure on their own.
func (c *Collector) parts() []prometheus.Collector {
	return []prometheus.Collector{
		c.drift.found, c.drift.corrected, c.reports.passes, c.reports.gaps, c.reports.timeToApply, c.reports.notTold, c.build,
		c.assets.listings, c.assets.looks, c.assets.covered, c.onHold,
	}
}

// present counts the objects in the API server, by kind.
func (c *Collector) present() map[string]int {
	c.mu.Lock()
	count := map[string]func() (int, bool){}
	for name, kind := range c.kinds {
		count[name] = kind.Count
	}
	c.mu.Unlock()
	present := map[string]int{}
	for name, count := range count {
		if n, ok := count(); ok {
			present[name] = n
		}
	}
	return present
}

// looked counts the objects of a kind that were checked.
func (c *Collector) looked(kind string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for key, o := range c.objects {
		if key.Kind == kind && !o.looked.IsZero() {
			n++
		}
	}
	return n
}

// tally sums up the objects of a kind.
type tally struct {
	reasons    map[string]int
	conditions [len(conditionTypes)][len(conditionStatuses)]int
	oldest     time.Time
}

func (c *Collector) tally() map[string]*tally {
	tallies := map[string]*tally{}
	for key, o := range c.objects {
		t := tallies[key.Kind]
		if t == nil {
			t = &tally{reasons: map[string]int{}}
			tallies[key.Kind] = t
		}
		t.add(o)
	}
	return tallies
}

func (t *tally) add(o *object) {
	t.reasons[o.reason]++
	for i := range conditionTypes {
		for j, status := range conditionStatuses {
			if o.conditions[i] == status {
				t.conditions[i][j]++
			}
		}
	}
	if !o.looked.IsZero() && (t.oldest.IsZero() || o.looked.Before(t.oldest)) {
		t.oldest = o.looked
	}
}

func (t *tally) collect(ch chan<- prometheus.Metric, kind string) {
	for reason, n := range t.reasons {
		ch <- gauge(descObjects, float64(n), kind, reason)
	}
	for i, condition := range conditionTypes {
		for j, status := range conditionStatuses {
			ch <- gauge(descConditions, float64(t.conditions[i][j]), kind, condition, string(status))
		}
	}
	if !t.oldest.IsZero() {
		ch <- gauge(descOldestLook, float64(t.oldest.UnixMilli())/1000, kind)
	}
}

func gauge(desc *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}
