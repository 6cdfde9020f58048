package metrics

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// drift counts what was changed behind an object's back.
type drift struct{ found, corrected *prometheus.CounterVec }

func newDrift() drift {
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"kind", "field"})
	}
	return drift{
		found: counter("holdfast_drift_found_total",
			"Fields that were applied and were then found to differ in Google Cloud, by kind and field; the field resource is the whole of it."),
		corrected: counter("holdfast_drift_corrected_total",
			"Fields that were found to differ and were put back, by kind and field."),
	}
}

// note counts what a pass found and put back. Each difference counts once, however often it is looked at.
func (d drift) note(kind string, o *object, p Pass) {
	status, generation := p.Object.GetCommonStatus(), p.Object.GetGeneration()
	if o.edit.generation != generation {
		o.unsettled = nil // what the manifest says is another matter now
	}
	left, written := paths(status.Drift), wholeOr(p.Written)
	if isApplied(p.Was, generation) || o.applied == generation {
		known := paths(p.Was.Drift)
		for _, path := range union(left, written) {
			if !o.unsettled[path] && !slices.Contains(known, path) {
				d.found.WithLabelValues(kind, field(path)).Inc()
			}
			o.unsettle(path)
		}
	}
	for _, path := range written {
		if o.unsettled[path] && !slices.Contains(left, path) {
			d.corrected.WithLabelValues(kind, field(path)).Inc()
		}
	}
	if drifted := find(status.Conditions, v1alpha1.ConditionDrifted); drifted != nil && drifted.Status != metav1.ConditionUnknown {
		o.settleAllBut(left)
	}
}

func (o *object) unsettle(path string) {
	if o.unsettled == nil {
		o.unsettled = map[string]bool{}
	}
	o.unsettled[path] = true
}

func (o *object) settleAllBut(left []string) {
	for path := range o.unsettled {
		if !slices.Contains(left, path) {
			delete(o.unsettled, path)
		}
	}
}

// whole is the path of a resource as such. Where it is gone, its fields are not worth a count each.
const whole = "resource"

func paths(changes []v1alpha1.Change) []string {
	out := make([]string, 0, len(changes))
	for _, c := range changes {
		out = append(out, c.Path)
	}
	return wholeOr(out)
}

func wholeOr(paths []string) []string {
	if slices.Contains(paths, whole) {
		return []string{whole}
	}
	return paths
}

func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return wholeOr(slices.Compact(out))
}

// field is a path as the schema has it, without a map's keys and a list's indices.
func field(path string) string {
	name, _, _ := strings.Cut(path, "[")
	return name
}
