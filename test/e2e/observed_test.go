package e2e

import (
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// writes are the calls since a mark that changed something in Google Cloud, or tried to.
func (w *world) writes(mark int64) []string {
	var out []string
	for _, e := range w.cloud.Traffic.WritesSince(mark) {
		out = append(out, e.Method)
	}
	return out
}

// noWrites fails the test if there was a write to Google Cloud since a mark.
func (w *world) noWrites(mark int64) {
	w.t.Helper()
	if writes := w.writes(mark); len(writes) > 0 {
		w.t.Errorf("Google Cloud was written to: %v", writes)
	}
}

// carriedOut counts the calls of a method about a resource that did what they said since a mark.
func (w *world) carriedOut(mark int64, method, resource string) int {
	n := 0
	for _, e := range w.cloud.Traffic.Since(mark) {
		if e.Call.Matches(traffic.Call{Method: method, Resource: resource}) && e.Executed && e.Status < 300 {
			n++
		}
	}
	return n
}

// events waits for the reasons of an object's events to be these, in order, each said once.
func (w *world) events(obj v1alpha1.Object, want ...string) {
	w.t.Helper()
	w.eventually("the events of "+obj.GetName(), func() (bool, string) {
		got := w.eventsOf(obj)
		d := cmp.Diff(want, reasons(got))
		return d == "", fmt.Sprintf("reasons (-want +got):\n%s%s", d, sentences(got))
	})
}

// eventsOf returns an object's events, the oldest first.
func (w *world) eventsOf(obj v1alpha1.Object) []eventsv1.Event {
	w.t.Helper()
	var list eventsv1.EventList
	w.must(w.kube.List(w.t.Context(), &list, client.InNamespace(w.namespace)))
	own := slices.DeleteFunc(list.Items, func(e eventsv1.Event) bool { return e.Regarding.Name != obj.GetName() })
	slices.SortFunc(own, func(a, b eventsv1.Event) int { return a.EventTime.Compare(b.EventTime.Time) })
	return own
}

func reasons(events []eventsv1.Event) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.Reason)
		if e.Series != nil {
			out = append(out, fmt.Sprintf("%s x%d", e.Reason, e.Series.Count))
		}
	}
	return out
}

func sentences(events []eventsv1.Event) string {
	var out string
	for _, e := range events {
		out += fmt.Sprintf("%s %s %s: %s\n", e.EventTime.Format("15:04:05.000000"), e.Type, e.Reason, e.Note)
	}
	return out
}
