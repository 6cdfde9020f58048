package engine

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

func TestEventLimits(t *testing.T) {
	allowed := func(l *eventLimits, tries int, of func(i int) types.UID, at time.Time) (n int) {
		for i := range tries {
			if l.allow(of(i), at) {
				n++
			}
		}
		return n
	}
	one := func(int) types.UID { return "one" }
	many := func(i int) types.UID { return types.UID(fmt.Sprint(i)) }
	l := newEventLimits()
	if n := allowed(l, 1000, one, three); n != eventsOfOne {
		t.Errorf("one object tells %d events at once, want %d", n, eventsOfOne)
	}
	if n := allowed(l, 1000, many, three); n != eventsAtOnce-eventsOfOne {
		t.Errorf("all others tell %d events at once, want %d", n, eventsAtOnce-eventsOfOne)
	}
	if n := allowed(l, 1000, many, three.Add(time.Minute)); n != 60*eventsPerSecond {
		t.Errorf("a minute later they tell %d more, want %d", n, 60*eventsPerSecond)
	}
	if n := allowed(l, 1000, one, three.Add(time.Hour)); n != eventsOfOne {
		t.Errorf("an hour later one object tells %d events, want %d", n, eventsOfOne)
	}
	for i := range 10 {
		allowed(l, 1000, func(n int) types.UID { return many(1000*i + n) }, three.Add(time.Duration(i+1)*24*time.Hour))
	}
	if len(l.of) > 3*1024 {
		t.Errorf("%d objects are remembered that have told nothing for a day", len(l.of))
	}
}

// TestWhatOnlyAnEventTellsIsToldInAnyCase: what became of an object that is gone, and of a glass.
func TestWhatOnlyAnEventTellsIsToldInAnyCase(t *testing.T) {
	const tries = 3 * eventsAtOnce
	done := plan.Deed{Reason: "Updated", Message: "changed it"}
	for name, tc := range map[string]struct {
		tell func(r *Reconciler, topic *v1alpha1.Topic)
		all  bool
	}{
		"what was written": {func(r *Reconciler, topic *v1alpha1.Topic) { r.tell(t.Context(), topic, outcome{done: done}, nil) }, false},
		"that it is ready": {func(r *Reconciler, topic *v1alpha1.Topic) {
			setConditions(topic, outcome{reason: v1alpha1.ReasonUpToDate})
			r.tell(t.Context(), topic, outcome{}, nil)
		}, false},
		"how it went": {func(r *Reconciler, topic *v1alpha1.Topic) {
			r.tell(t.Context(), topic, outcome{done: done, gone: true}, nil)
		}, true},
		"a glass": {func(r *Reconciler, topic *v1alpha1.Topic) {
			r.event(t.Context(), topic, "Warning", "BreakGlassOpened", "BreakGlass", "somebody broke it")
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := testReconciler(t)
			recorder := events.NewFakeRecorder(tries)
			r.events, r.now = recorder, func() time.Time { return three }
			for i := range tries {
				topic := shopTopic()
				topic.UID = types.UID(fmt.Sprint(i))
				tc.tell(r, topic)
			}
			want := eventsAtOnce
			if tc.all {
				want = tries
			}
			if told := len(recorder.Events); told != want {
				t.Errorf("%d events of %d, want %d", told, tries, want)
			}
		})
	}
}
