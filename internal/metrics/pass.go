package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Stale is the reason of a pass that is repeated because its object was out of date.
const Stale = "Stale"

// Limited is the reason of a pass that was put off because of Holdfast's own rate limits.
const Limited = "Limited"

// Pass is one pass over an object.
type Pass struct {
	// Object is the object as the pass left it, and Was its status before.
	Object v1alpha1.Object
	Was    *v1alpha1.CommonStatus
	// Reason is the result: one of the reasons of Ready, although Ready may show an older one while break-glass is active.
	Reason string
	// Began and Ended are when the pass began and ended.
	Began, Ended time.Time
	// Edited is when somebody last edited the spec; zero if that is not known.
	Edited time.Time
	// Written are the paths that a write set to what the manifest says; nil for no write.
	Written []string
}

// reports is what is measured of passes.
type reports struct {
	passes      *prometheus.HistogramVec
	gaps        *prometheus.HistogramVec
	timeToApply *prometheus.HistogramVec
}

func newReports() reports {
	return reports{
		passes: histogram("holdfast_reconcile_duration_seconds",
			"How long passes over an object took, by kind and result: the reason of Ready, the action that ended the object, Stale, or Limited.",
			[]float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30}, "kind", "reason"),
		gaps: histogram("holdfast_sweep_gap_seconds",
			"How long it was until an object was checked again, for whatever reason.",
			[]float64{1, 10, 60, 300, 600, 900, 1800, 3600, 14400}, "kind"),
		timeToApply: histogram("holdfast_time_to_apply_seconds",
			"How long it took from an edit of the spec until it was applied, by kind; held is true if it was on hold for an approval "+
				"or break-glass meanwhile. The API server dates edits to the second.",
			[]float64{1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400}, "kind", "held"),
	}
}

// histogram has native buckets for scrapers that ask for them, and classic ones for all others.
func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour,
	}, labels)
}

// Passed updates the metrics with the result of a pass, once that is stored.
func (c *Collector) Passed(key Key, p Pass) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.looks(key, p.Object, p.Began, p.Ended)
	c.reports.passes.WithLabelValues(key.Kind, p.Reason).Observe(p.Ended.Sub(p.Began).Seconds())
	c.drift.note(key.Kind, o, p)
	if took, ok := o.edit.pass(p); ok {
		c.reports.timeToApply.WithLabelValues(key.Kind, o.edit.heldText()).Observe(took.Seconds())
	}
	if isApplied(p.Object.GetCommonStatus(), p.Object.GetGeneration()) {
		o.applied = p.Object.GetGeneration()
	}
}

// Looked updates the metrics with a look at an object that found nothing to do: a list shows its resource as it should be.
func (c *Collector) Looked(key Key, obj v1alpha1.Object, began, ended time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looks(key, obj, began, ended)
}

// looks notes a look, from one time to another.
func (c *Collector) looks(key Key, obj v1alpha1.Object, began, ended time.Time) *object {
	o := c.show(key, obj)
	if !o.looked.IsZero() {
		c.reports.gaps.WithLabelValues(key.Kind).Observe(began.Sub(o.looked).Seconds())
	}
	o.looked = ended
	return o
}

// Ended updates the metrics with a pass that left no status: the action that ended the object, Stale or Limited.
func (c *Collector) Ended(kind, reason string, took time.Duration) {
	c.reports.passes.WithLabelValues(kind, reason).Observe(took.Seconds())
}

// isApplied says whether a status shows a generation as applied.
func isApplied(status *v1alpha1.CommonStatus, generation int64) bool {
	ready := find(status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == generation
}
