package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// history waits until an object has a number of glasses behind it.
func (w *world) history(obj v1alpha1.Object, n int) []v1alpha1.BreakGlassEpisode {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%d records in the history of %s", n, obj.GetName()), func() (bool, string) {
		w.get(obj)
		return len(obj.GetCommonStatus().BreakGlassHistory) == n, fmt.Sprintf("%+v\n%s", obj.GetCommonStatus().BreakGlassHistory, describe(obj))
	})
	return obj.GetCommonStatus().BreakGlassHistory
}

// told waits until an object has told of a reason, be it that it has another one by now.
func (w *world) told(obj v1alpha1.Object, reason string) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%s to tell %s", obj.GetName(), reason), func() (bool, string) {
		events := w.eventsOf(obj)
		for _, e := range events {
			if e.Reason == reason {
				return true, ""
			}
		}
		return false, sentences(events)
	})
}

// tells waits until an object has an event.
func (w *world) tells(obj v1alpha1.Object, reason, note string) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%s to tell %s", obj.GetName(), reason), func() (bool, string) {
		events := w.eventsOf(obj)
		for _, e := range events {
			if e.Reason == reason && e.Note == note {
				return true, ""
			}
		}
		return false, sentences(events)
	})
}

func TestClosingKeepsTheRecord(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		began := time.Now().Truncate(time.Second)
		w.breakGlass(obj)
		w.glass(obj, metav1.ConditionTrue)
		w.tells(obj, "BreakGlassOpened", "ada broke the glass on the Object until somebody closes it: "+incident)

		t.Log("another reason, another time, and not all by one person")
		w.annotates(installed.Ada, obj, annotations{v1alpha1.BreakGlassAnnotation: "INC-4711: it takes longer"})
		w.recorded(obj, func(r *v1alpha1.BreakGlass) bool { return len(r.Edits) == 1 })
		w.tells(obj, "BreakGlassChanged", `ada changed the reason for breaking the glass to "INC-4711: it takes longer"; it was "`+incident+`"`)
		until := time.Now().Add(2 * time.Hour).UTC().Truncate(time.Second)
		w.annotates("", obj, annotations{v1alpha1.BreakGlassUntilAnnotation: until.Format(time.RFC3339)})
		w.recorded(obj, func(r *v1alpha1.BreakGlass) bool { return len(r.Edits) == 2 })
		administrator := obj.GetCommonStatus().BreakGlass.By
		w.tells(obj, "BreakGlassExtended", administrator+" keeps the glass open until "+until.Format(time.RFC3339)+": INC-4711: it takes longer")

		k.console(w).set("orders", false)
		w.settled(obj)
		w.closeGlass(obj)
		record := w.history(obj, 1)[0]
		want := v1alpha1.BreakGlassEpisode{
			BreakGlass: v1alpha1.BreakGlass{
				Scope: v1alpha1.BreakGlassOnObject, Reason: "INC-4711: it takes longer", By: administrator, Verified: true, Until: new(metav1.NewTime(until)),
				Edits: []v1alpha1.BreakGlassEdit{
					{By: "ada", Reason: "INC-4711: it takes longer"},
					{By: administrator, Reason: "INC-4711: it takes longer", Until: new(metav1.NewTime(until))},
				},
				Seen: []v1alpha1.Change{{Path: k.paths("orders")[0]}},
			},
			Ending: v1alpha1.BreakGlassClosed, ClosedBy: "ada",
		}
		ignored := cmp.Options{
			cmpopts.IgnoreFields(v1alpha1.BreakGlass{}, "Since", "LastWrite"), cmpopts.IgnoreFields(v1alpha1.BreakGlassEdit{}, "Time"),
			cmpopts.IgnoreFields(v1alpha1.BreakGlassEpisode{}, "ClosedAt"), cmpopts.IgnoreFields(v1alpha1.Change{}, "From", "To"),
		}
		if d := cmp.Diff(want, record, ignored); d != "" {
			t.Errorf("record (-want +got):\n%s", d)
		}
		if record.Since.Time.Before(began) || record.ClosedAt.Time.Before(record.Since.Time) || record.ClosedAt.After(time.Now()) {
			t.Errorf("broken since %v, closed at %v", record.Since, record.ClosedAt)
		}
		w.tells(obj, "BreakGlassClosed", "ada closed the glass that "+administrator+" broke: INC-4711: it takes longer")
		w.ready(obj)
		if !k.console(w).look("orders").on {
			t.Error("what differed was not put back")
		}
		w.tells(obj, "DriftCorrected", "corrected "+k.paths("orders")[0])
	})
}

func TestTheHistoryKeepsFive(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	obj := topics.manifest("orders", v1alpha1.CommonSpec{})
	w.create(obj)
	w.ready(obj)
	for i := range 6 {
		w.annotates(installed.Ada, obj, annotations{v1alpha1.BreakGlassAnnotation: fmt.Sprintf("INC-%d: once more", i)})
		w.glass(obj, metav1.ConditionTrue)
		w.closeGlass(obj)
		w.glass(obj, metav1.ConditionFalse)
	}
	var reasons []string
	for _, r := range w.history(obj, 5) {
		reasons = append(reasons, r.Reason)
	}
	if d := cmp.Diff([]string{"INC-5: once more", "INC-4: once more", "INC-3: once more", "INC-2: once more", "INC-1: once more"}, reasons); d != "" {
		t.Errorf("history (-want +got):\n%s", d)
	}
}

// TestAGlassExpires on the object and on its Namespace, while the operator runs and while it does not.
func TestAGlassExpires(t *testing.T) {
	t.Parallel()
	for where, on := range map[string]func(w *world, obj v1alpha1.Object) client.Object{
		"object":    func(_ *world, obj v1alpha1.Object) client.Object { return obj },
		"namespace": func(w *world, _ v1alpha1.Object) client.Object { return w.space() },
	} {
		for _, down := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/down=%v", where, down), func(t *testing.T) {
				t.Parallel()
				w := startWorld(t)
				obj := topics.manifest("orders", v1alpha1.CommonSpec{})
				w.create(obj)
				w.ready(obj)
				annotated := on(w, obj)
				until := time.Now().Add(aWhile).UTC().Truncate(time.Second)
				w.annotates(installed.Ada, annotated, annotations{
					v1alpha1.BreakGlassAnnotation: incident, v1alpha1.BreakGlassUntilAnnotation: until.Format(time.RFC3339),
				})
				w.glass(obj, metav1.ConditionTrue)
				topics.console(w).set("orders", false)
				mark := w.cloud.Traffic.Mark()
				if down {
					w.stop()
					w.eventually("the time to be over", func() (bool, string) { return time.Now().After(until), "" })
					w.start()
				}
				record := w.history(obj, 1)[0]
				if record.Ending != v1alpha1.BreakGlassExpired || record.ClosedBy != "" || record.By != installed.Ada || record.ClosedAt.Time.Before(until) {
					t.Errorf("the record is %+v", record)
				}
				w.tells(obj, "BreakGlassExpired", "the glass that ada broke has expired: "+incident)
				if !down { // nobody looked before: there was nothing to see it drift by
					w.settled(obj)
				}
				w.ready(obj)
				w.eventually("it to be put back", func() (bool, string) { return topics.console(w).look("orders").on, describe(obj) })
				for _, e := range w.cloud.Traffic.WritesSince(mark) {
					if e.Time.Before(until) {
						t.Errorf("%s came at %v, before %v", e.Method, e.Time, until)
					}
				}

				t.Log("the annotations are cleared away by the operator")
				w.eventually("nothing to be left of it", func() (bool, string) {
					w.must(w.kube.Get(t.Context(), client.ObjectKeyFromObject(annotated), annotated))
					left := glassOf(annotated)
					delete(left, v1alpha1.BreakGlassClosedByAnnotation)
					return len(left) == 0, fmt.Sprint(left)
				})
				w.settled(obj)
				w.history(obj, 1)
			})
		}
	}
}

// TestWhatIsLeftWithoutAGlassIsClearedAway: by whom and until when mean nothing then.
func TestWhatIsLeftWithoutAGlassIsClearedAway(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	obj := topics.manifest("orders", v1alpha1.CommonSpec{})
	w.create(obj)
	w.ready(obj)
	for _, annotated := range []client.Object{obj, w.space()} {
		w.annotates(installed.Ada, annotated, annotations{v1alpha1.BreakGlassUntilAnnotation: time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
		w.eventually("nothing to be left", func() (bool, string) {
			w.must(w.kube.Get(t.Context(), client.ObjectKeyFromObject(annotated), annotated))
			return len(glassOf(annotated)) == 0, fmt.Sprint(annotated.GetAnnotations())
		})
	}
	w.get(obj)
	if c := condition(obj, v1alpha1.ConditionBreakGlass); c.Status != metav1.ConditionFalse || len(obj.GetCommonStatus().BreakGlassHistory) > 0 {
		t.Errorf("it was taken for a glass:\n%s", describe(obj))
	}
	if reasons := reasons(w.eventsOf(obj)); slices.Contains(reasons, "BreakGlassOpened") {
		t.Errorf("told is %v", reasons)
	}
}
