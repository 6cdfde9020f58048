package metrics

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// drift counts what was changed in Google Cloud by others.
type drift struct{ found, corrected *prometheus.CounterVec }

func newDrift() drift {
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"kind", "field"})
	}
	return drift{
		found: counter("holdfast_drift_found_total",
			"Fields that were applied and later found to differ in Google Cloud, by kind and field; the field resource is the whole resource."),
		corrected: counter("holdfast_drift_corrected_total",
			"Fields that were found to differ and were corrected, by kind and field."),
	}
}

// note counts what a pass found and corrected. Each difference counts once, however often it is seen.
func (d drift) note(kind string, o *object, p Pass) {
	status, generation := p.Object.GetCommonStatus(), p.Object.GetGeneration()
	if o.edit.generation != generation {
		o.drifting = nil // the manifest says something else now
	}
	left, written := paths(status.Drift), wholeOr(p.Written)
	if isApplied(p.Was, generation) || o.applied == generation {
		known := paths(p.Was.Drift)
		for _, path := range union(left, written) {
			if !o.drifting[path] && !slices.Contains(known, path) {
				d.found.WithLabelValues(kind, field(path)).Inc()
			}
			o.drifts(path)
		}
	}
	for _, path := range written {
		if o.drifting[path] && !slices.Contains(left, path) {
			d.corrected.WithLabelValues(kind, field(path)).Inc()
		}
	}
	if drifted := find(status.Conditions, v1alpha1.ConditionDrifted); drifted != nil && drifted.Status != metav1.ConditionUnknown {
		o.driftsOnly(left)
	}
}

func (o *object) drifts(path string) {
	if o.drifting == nil {
		o.drifting = map[string]bool{}
	}
	o.drifting[path] = true
}

func (o *object) driftsOnly(left []string) {
	for path := range o.drifting {
		if !slices.Contains(left, path) {
			delete(o.drifting, path)
		}
	}
}

// whole is the path of the resource itself. If the resource is missing, its fields are not counted one by one.
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
