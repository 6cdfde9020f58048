package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

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

// calls are those of a method that name a resource since a mark.
func (w *world) calls(mark int64, method, resource string) []traffic.Entry {
	return slices.DeleteFunc(w.cloud.Traffic.Since(mark), func(e traffic.Entry) bool {
		return e.Method != method || !strings.Contains(e.Path+e.Request, resource)
	})
}

// carriedOut counts the calls of a method about a resource that did what they said since a mark.
func (w *world) carriedOut(mark int64, method, resource string) int {
	return len(slices.DeleteFunc(w.calls(mark, method, resource), func(e traffic.Entry) bool {
		return !e.Executed || e.Status >= http.StatusMultipleChoices
	}))
}

// carriedOutWrites are the calls since a mark that changed something in Google Cloud.
func (w *world) carriedOutWrites(mark int64) []string {
	var out []string
	for _, e := range w.cloud.Traffic.WritesSince(mark) {
		if e.Executed && e.Status < http.StatusMultipleChoices {
			out = append(out, e.Method)
		}
	}
	return out
}

// events waits for the reasons of an object's events to be these, in order, each said once.
func (w *world) events(obj v1alpha1.Object, want ...string) {
	w.t.Helper()
	w.eventually("the events of "+obj.GetName(), func() (bool, string) {
		got := w.eventsOf(obj)
		return slices.Equal(want, reasons(got)), fmt.Sprintf("want %v, the last are:\n%s", want, sentences(got))
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
	for _, e := range events[max(0, len(events)-10):] {
		out += fmt.Sprintf("%s %s %s: %s\n", e.EventTime.Format("15:04:05.000000"), e.Type, e.Reason, e.Note)
	}
	return out
}
