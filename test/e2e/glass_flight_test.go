package e2e

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// TestAWriteWithoutAnAnswerIsInFlight: the acknowledgement waits until Google cannot carry it out any more.
func TestAWriteWithoutAnAnswerIsInFlight(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.timeout, w.unanswered = time.Second, aWhile
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		updating := w.cloud.Traffic.Pause(call(k.updating))
		t.Cleanup(updating.Release)
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.reached(updating)
		w.breakGlass(obj)

		t.Log("the client gives up; Google has the call")
		w.glass(obj, metav1.ConditionUnknown)
		c := condition(obj, v1alpha1.ConditionBreakGlass)
		_, until, _ := strings.Cut(c.Message, "Google may still complete one until ")
		until, _, _ = strings.Cut(until, " (")
		late, err := time.Parse(time.RFC3339, until)
		if c.Reason != v1alpha1.ReasonWriteInFlight || err != nil {
			t.Fatalf("BreakGlass says %s: %s (%v)", c.Reason, c.Message, err)
		}
		if last := obj.GetCommonStatus().BreakGlass.LastWrite; !strings.Contains(last, k.Name+": passed the gate") || !strings.Contains(last, "not answered by") {
			t.Errorf("the last write is %q", last)
		}

		t.Log("it carries it out, late, and then no more")
		mark := w.cloud.Traffic.Mark()
		updating.Release()
		w.glass(obj, metav1.ConditionTrue)
		if at := condition(obj, v1alpha1.ConditionBreakGlass).LastTransitionTime; at.Time.Before(late) {
			t.Errorf("BreakGlass=True came at %s, and a write may be completed until %s", at, late)
		}
		if k.console(w).look("orders").on {
			t.Error("the late write was to be carried out")
		}
		w.settled(obj)
		w.noWrites(mark)
	})
}

func TestALostReplyIsInFlight(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.unanswered = aWhile
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.updating), Times: 1, LoseReply: true})
		updating := w.cloud.Traffic.Pause(call(k.updating))
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.reached(updating)
		w.breakGlass(obj)
		updating.Release()
		w.glass(obj, metav1.ConditionUnknown)
		w.glass(obj, metav1.ConditionTrue)
	})
}

// TestAProcessDoesNotVouchForTheOneBefore: what that had sent when it was killed may be carried out for a while.
func TestAProcessDoesNotVouchForTheOneBefore(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.unanswered = aWhile
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		updating := w.cloud.Traffic.Pause(call(k.updating))
		t.Cleanup(updating.Release)
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.reached(updating)
		w.stop()
		w.breakGlass(obj)
		w.start()
		w.glass(obj, metav1.ConditionUnknown)
		if last := obj.GetCommonStatus().BreakGlass.LastWrite; !strings.Contains(last, "the process was writing that ran before") {
			t.Errorf("the last write is %q", last)
		}
		mark := w.cloud.Traffic.Mark()
		updating.Release()
		w.glass(obj, metav1.ConditionTrue)
		w.settled(obj)
		w.noWrites(mark)

		t.Log("what is acknowledged stays so over another restart, and nothing is written anywhere")
		w.stop()
		w.expectRestOverARestart(k, []v1alpha1.Object{obj})
		w.noWrites(mark)
	})
}

// TestAtRestWithOpenGlassesNothingIsWritten covers each place of a glass, with a record in the history.
func TestAtRestWithOpenGlassesNothingIsWritten(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		own, other := k.manifest("own", v1alpha1.CommonSpec{}), k.manifest("other", v1alpha1.CommonSpec{})
		for _, obj := range []v1alpha1.Object{own, other} {
			w.create(obj)
			w.ready(obj)
			w.breakGlass(obj)
			w.glass(obj, metav1.ConditionTrue)
			w.closeGlass(obj)
			w.glass(obj, metav1.ConditionFalse)
		}
		w.annotates("ada", own, annotations{v1alpha1.BreakGlassAnnotation: incident, v1alpha1.BreakGlassUntilAnnotation: until})
		w.annotates("ada", w.space(), annotations{v1alpha1.BreakGlassAnnotation: incident, v1alpha1.BreakGlassUntilAnnotation: until})
		k.console(w).set("other", false)
		for _, obj := range []v1alpha1.Object{own, other} {
			w.settled(obj)
			w.glass(obj, metav1.ConditionTrue)
			w.coOwned(obj)
		}
		w.coOwned(w.space())
		w.stop()
		w.expectRestOverARestart(k, []v1alpha1.Object{own, other})
	})
}
