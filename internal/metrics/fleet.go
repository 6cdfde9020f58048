// Package metrics has the metrics about objects rather than about calls. All of them, and those of internal/gcp, are
// listed in config/prometheus/README.md.
package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Key names an object. Kind is in lower case, such as bucket.
type Key struct{ Kind, Namespace, Name string }

// Collector knows each object that this process has checked. What it shows of one comes from the object's status, so that a process
// that has just started shows the same as the one before as soon as it has checked it.
type Collector struct {
	mu      sync.Mutex
	objects map[Key]*object
	kinds   map[string]Kind

	notReady, drifted, glass, plan *series

	drift    drift
	reports  reports
	listings map[string]Listing
	assets   assets
	build    prometheus.Gauge
	onHold   *prometheus.GaugeVec
}

// Kind is what is known about a kind as a whole.
type Kind struct {
	// Sweep is the interval of the periodic drift check.
	Sweep time.Duration
	// Count says how many objects there are in the API server; ok is false if this process does not reconcile them.
	Count func() (n int, ok bool)
}

// object is what is known about one object.
type object struct {
	uid        types.UID
	looked     time.Time
	reason     string
	conditions [len(conditionTypes)]metav1.ConditionStatus
	// applied is the newest generation that was seen to be applied.
	applied int64
	edit    edit
	// drifting are the paths of drift that was found and is not corrected yet.
	drifting map[string]bool
}

// conditionTypes are counted; Reconciling and Stalled count as False where they are absent.
var conditionTypes = [...]string{
	v1alpha1.ConditionReady, v1alpha1.ConditionDrifted, v1alpha1.ConditionBreakGlass, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled,
}

var conditionStatuses = [...]metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown}

var (
	descObjects = prometheus.NewDesc("holdfast_objects",
		"Objects by kind and by the reason of their condition Ready; UpToDate is ready.", []string{"kind", "reason"}, nil)
	descUnseen = prometheus.NewDesc("holdfast_objects_unseen",
		"Objects in the API server that this process has not checked yet.", []string{"kind"}, nil)
	descConditions = prometheus.NewDesc("holdfast_object_conditions",
		"Objects by kind, condition and status (True, False, Unknown).", []string{"kind", "condition", "status"}, nil)
	descOmitted = prometheus.NewDesc("holdfast_object_series_omitted",
		"Objects that have no series of their own in a metric with one series per object, because the metric has reached its limit.",
		[]string{"metric"}, nil)
	descOldestLook = prometheus.NewDesc("holdfast_sweep_oldest_look_timestamp_seconds",
		"When the object whose last check is the oldest was last checked, in seconds since 1970.", []string{"kind"}, nil)
	descSweep = prometheus.NewDesc("holdfast_sweep_interval_seconds",
		"Interval of the periodic drift check of each object, in seconds.", []string{"kind"}, nil)
)

// New returns a collector that does not know any object yet.
func New() *Collector {
	return &Collector{
		objects: map[Key]*object{},
		kinds:   map[string]Kind{},
		notReady: newSeries("holdfast_object_not_ready_timestamp_seconds",
			"Since when an object is not ready, in seconds since 1970; the reason is that of its condition Ready. Only objects that are not.", "reason"),
		drifted: newSeries("holdfast_object_drifted_timestamp_seconds",
			"Since when Google Cloud differs from an object, in seconds since 1970. Only objects where it does."),
		glass: newSeries("holdfast_break_glass_opened_timestamp_seconds",
			"Since when break-glass is active for an object, in seconds since 1970; by whom, whether that name was verified, and whether "+
				"on the Object or on its Namespace. Only objects for which it is active.", "scope", "by", "verified"),
		plan: newSeries("holdfast_object_plan_changes",
			"How many changes of an object are on hold until approval. Only objects that have some."),
		drift:    newDrift(),
		reports:  newReports(),
		listings: map[string]Listing{},
		assets:   newAssets(),
		build:    newBuild(),
		onHold:   newOnHold(),
	}
}

// Watch registers a kind.
func (c *Collector) Watch(name string, kind Kind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kinds[name] = kind
}

// Show updates the metrics with an object's status.
func (c *Collector) Show(key Key, obj v1alpha1.Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.show(key, obj)
}

// Forget removes an object that no longer exists.
func (c *Collector) Forget(key Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.objects, key)
	for _, s := range c.perObject() {
		s.remove(key)
	}
}

func (c *Collector) perObject() []*series { return []*series{c.notReady, c.drifted, c.glass, c.plan} }

func (c *Collector) show(key Key, obj v1alpha1.Object) *object {
	known, ok := c.objects[key]
	if !ok || known.uid != obj.GetUID() { // another object of the same name, created meanwhile
		known = &object{uid: obj.GetUID()}
		c.objects[key] = known
	}
	status := obj.GetCommonStatus()
	known.conditions = statuses(status.Conditions)
	known.reason = v1alpha1.ReasonUnknown
	if ready := find(status.Conditions, v1alpha1.ConditionReady); ready != nil {
		known.reason = ready.Reason
	}
	c.showAbnormal(key, status)
	return known
}

// showAbnormal gives an object the series for what is not as it should be, and removes the others.
func (c *Collector) showAbnormal(key Key, status *v1alpha1.CommonStatus) {
	ready, drifted := find(status.Conditions, v1alpha1.ConditionReady), find(status.Conditions, v1alpha1.ConditionDrifted)
	if ready != nil && ready.Status != metav1.ConditionTrue {
		c.notReady.set(key, status.Project, seconds(ready.LastTransitionTime), ready.Reason)
	} else {
		c.notReady.remove(key)
	}
	if drifted != nil && drifted.Status == metav1.ConditionTrue {
		c.drifted.set(key, status.Project, seconds(drifted.LastTransitionTime))
	} else {
		c.drifted.remove(key)
	}
	if glass := status.BreakGlass; glass != nil {
		verified := "false"
		if glass.Verified {
			verified = "true"
		}
		c.glass.set(key, status.Project, seconds(glass.Since), string(glass.Scope), glass.By, verified)
	} else {
		c.glass.remove(key)
	}
	if plan := status.Plan; plan != nil {
		c.plan.set(key, status.Project, float64(int64(len(plan.Changes))+plan.Omitted))
	} else {
		c.plan.remove(key)
	}
}

func seconds(t metav1.Time) float64 { return float64(t.Unix()) }

func find(conditions []metav1.Condition, kind string) *metav1.Condition {
	for i := range conditions {
		if conditions[i].Type == kind {
			return &conditions[i]
		}
	}
	return nil
}

func statuses(conditions []metav1.Condition) (out [len(conditionTypes)]metav1.ConditionStatus) {
	for i, kind := range conditionTypes {
		out[i] = metav1.ConditionFalse
		if c := find(conditions, kind); c != nil {
			out[i] = c.Status
		}
	}
	return out
}
