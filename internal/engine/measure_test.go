package engine

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/metrics"
)

var created = time.Unix(1000, 0)

// wrote is what the API server records of somebody who wrote fields, some seconds after the object was created.
func wrote(manager string, after int, subresource, fields string) metav1.ManagedFieldsEntry {
	at := metav1.NewTime(created.Add(time.Duration(after) * time.Second))
	return metav1.ManagedFieldsEntry{
		Manager: manager, Operation: metav1.ManagedFieldsOperationApply, Time: &at, Subresource: subresource,
		FieldsV1: metav1.NewFieldsV1(fields),
	}
}

func TestWhenTheSpecWasEdited(t *testing.T) {
	const spec, annotation, label = `{"f:spec":{"f:labels":{"f:team":{}}}}`, `{"f:metadata":{"f:annotations":{"f:a":{}}}}`, `{"f:metadata":{"f:labels":{"f:spec":{}}}}`
	cases := map[string]struct {
		fields []metav1.ManagedFieldsEntry
		want   int
	}{
		"nobody is known":          {nil, 0},
		"one":                      {[]metav1.ManagedFieldsEntry{wrote("flux", 60, "", spec)}, 60},
		"the newest of several":    {[]metav1.ManagedFieldsEntry{wrote("flux", 60, "", spec), wrote("ada", 90, "", spec), wrote("bob", 30, "", spec)}, 90},
		"not our status":           {[]metav1.ManagedFieldsEntry{wrote("flux", 60, "", spec), wrote("manager", 90, "status", `{"f:status":{}}`)}, 60},
		"not annotations":          {[]metav1.ManagedFieldsEntry{wrote("flux", 60, "", spec), wrote("kubectl-annotate", 90, "", annotation), wrote(fieldManager, 99, "", annotation)}, 60},
		"not a label of that name": {[]metav1.ManagedFieldsEntry{wrote("kubectl-label", 90, "", label)}, 0},
		"undated":                  {[]metav1.ManagedFieldsEntry{{Manager: "old"}}, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			obj := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(created), ManagedFields: tc.fields}}
			want := created.Add(time.Duration(tc.want) * time.Second)
			if got := editedAt(obj); !got.Equal(want) {
				t.Errorf("edited at %s, want %s", got, want)
			}
			kept, err := KeepOwnFields()(obj)
			if err != nil {
				t.Fatal(err)
			}
			if got := editedAt(kept.(*v1alpha1.Topic)); !got.Equal(want) {
				t.Errorf("as it is cached, edited at %s, want %s", got, want)
			}
		})
	}
}

// counted reads a counter or gauge of topics, or how much a histogram has seen, by one of its labels.
func counted(t *testing.T, c *metrics.Collector, name, label, value string) int {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if family.GetName() == name && labels["kind"] == "topic" && labels[label] == value {
				return int(m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount()))
			}
		}
	}
	return 0
}

func TestPassesAreMeasured(t *testing.T) {
	topic := shopTopic()
	topic.CreationTimestamp = metav1.NewTime(time.Now().Add(-time.Minute))
	topic.Status.ObservedGeneration = -1
	r, topics := testReconciler(t, topic)
	changes := func(do func()) string {
		read := func() [5]int {
			return [5]int{
				counted(t, r.metrics, "holdfast_drift_found_total", "field", "spec.labels"), counted(t, r.metrics, "holdfast_drift_corrected_total", "field", "spec.labels"),
				counted(t, r.metrics, "holdfast_time_to_apply_seconds", "held", "false"),
				counted(t, r.metrics, "holdfast_reconcile_duration_seconds", "reason", v1alpha1.ReasonUpToDate), counted(t, r.metrics, "holdfast_reconcile_duration_seconds", "reason", "Orphaned"),
			}
		}
		before := read()
		do()
		after := read()
		for i := range after {
			after[i] -= before[i]
		}
		return fmt.Sprintf("found %d, corrected %d, applied %d, up to date %d, orphaned %d", after[0], after[1], after[2], after[3], after[4])
	}
	look := func() {
		if _, err := reconcileOnce(t, r); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"it is created", look, "found 0, corrected 0, applied 1, up to date 1, orphaned 0"},
		{"nothing happens", look, "found 0, corrected 0, applied 0, up to date 1, orphaned 0"},
		{"somebody changes it", func() {
			live := topics.live["orders"]
			live.Labels = maps.Clone(live.Labels)
			live.Labels["team"] = "else"
			topics.live["orders"] = live
			look()
		}, "found 1, corrected 1, applied 0, up to date 1, orphaned 0"},
		{"it is deleted", func() {
			stored, err := reconcileOnce(t, r)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.client.Delete(t.Context(), stored); err != nil {
				t.Fatal(err)
			}
			look()
		}, "found 0, corrected 0, applied 0, up to date 1, orphaned 1"},
	} {
		if got := changes(step.do); got != step.want {
			t.Errorf("%s: %s; want %s", step.name, got, step.want)
		}
	}
}
