package e2e

import (
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// measured returns since when the glass of an object is broken, in seconds since 1970; 0 where the metrics have none.
func (w *world) measured(kind string, obj v1alpha1.Object) float64 {
	w.t.Helper()
	registry := prometheus.NewPedanticRegistry()
	w.must(registry.Register(w.metrics))
	families, err := registry.Gather()
	w.must(err)
	want := map[string]string{"kind": kind, "namespace": obj.GetNamespace(), "name": obj.GetName()}
	for _, family := range families {
		if family.GetName() != "holdfast_break_glass_opened_timestamp_seconds" {
			continue
		}
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			maps.DeleteFunc(labels, func(name, _ string) bool { return want[name] == "" })
			if maps.Equal(labels, want) {
				return m.GetGauge().GetValue()
			}
		}
	}
	return 0
}

func (w *world) notMeasured(kind string, obj v1alpha1.Object) {
	w.t.Helper()
	w.eventually("the gauge of "+obj.GetName()+" to go", func() (bool, string) { return w.measured(kind, obj) == 0, "it is there" })
}

func TestAGlassIsMeasuredWhileItIsBroken(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		w.breakGlass(obj)
		w.glass(obj, metav1.ConditionTrue)
		since := float64(obj.GetCommonStatus().BreakGlass.Since.Unix())
		expect := func() {
			w.eventually("the gauge", func() (bool, string) { return w.measured(k.Label(), obj) == since, "" })
		}
		expect()

		t.Log("also by a process that has just begun")
		w.stop()
		w.start()
		expect()

		w.closeGlass(obj)
		w.notMeasured(k.Label(), obj)

		t.Log("what is gone is not measured, whatever became of it")
		w.breakGlass(obj)
		expectAny := func(o v1alpha1.Object) {
			w.eventually("the gauge", func() (bool, string) { return w.measured(k.Label(), o) > 0, "" })
		}
		expectAny(obj)
		w.delete(obj)
		edit(w, obj, func(o v1alpha1.Object) { o.SetFinalizers(nil) })
		w.notMeasured(k.Label(), obj)

		observed := k.manifest("observed", v1alpha1.CommonSpec{Management: v1alpha1.ManagementObserve})
		w.create(observed)
		w.breakGlass(observed)
		expectAny(observed)
		w.delete(observed)
		w.notMeasured(k.Label(), observed)
	})
}

// TestTheManagersLogIsAnAuditRecord of who opened and closed what, and why.
func TestTheManagersLogIsAnAuditRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var mu sync.Mutex
	var lines []string
	w.logger = funcr.New(func(prefix, args string) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, prefix+" "+args)
	}, funcr.Options{})
	w.start()
	logged := func(parts ...string) {
		t.Helper()
		w.eventually(strings.Join(parts, " … "), func() (bool, string) {
			mu.Lock()
			defer mu.Unlock()
			for _, line := range lines {
				if !strings.Contains(line, "audit") {
					continue
				}
				has := true
				for _, part := range parts {
					has = has && strings.Contains(line, part)
				}
				if has {
					return true, ""
				}
			}
			return false, strings.Join(lines, "\n")
		})
	}
	obj := topics.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
	w.create(obj)
	w.ready(obj)
	w.breakGlass(obj)
	logged(`"event"="BreakGlassOpened"`, "ada broke the glass on the Object", incident, `"namespace"="`+w.namespace+`"`, `"name"="orders"`)
	w.delete(obj)
	w.reason(obj, v1alpha1.ReasonBreakGlass)
	w.closeGlass(obj)
	logged(`"event"="BreakGlassClosed"`, "ada closed the glass that ada broke", incident)
	w.goneOnceApproved(obj)
}
