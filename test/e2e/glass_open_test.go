package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

func TestWhileTheGlassIsBrokenDriftIsSeenAndNothingWritten(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.sweep = 200 * time.Millisecond
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		mark := w.cloud.Traffic.Mark()
		w.breakGlass(obj)
		w.glass(obj, metav1.ConditionTrue)
		ready := condition(obj, v1alpha1.ConditionReady)

		k.console(w).set("orders", false)
		w.reasonOf(obj, v1alpha1.ConditionDrifted, v1alpha1.ReasonDiffers)
		getting := call(k.getting)
		looks := w.cloud.Traffic.Count(getting)
		w.eventually("several sweeps", func() (bool, string) {
			return w.cloud.Traffic.Count(getting) > looks+3, fmt.Sprint(w.cloud.Traffic.Counts())
		})
		w.settled(obj)
		w.noWrites(mark)
		if d := cmp.Diff(k.paths("orders"), paths(obj.GetCommonStatus().Drift)); d != "" {
			t.Errorf("drift (-want +got):\n%s", d)
		}
		if d := cmp.Diff(k.paths("orders"), paths(obj.GetCommonStatus().BreakGlass.Seen)); d != "" {
			t.Errorf("seen while the glass is broken (-want +got):\n%s", d)
		}
		if d := cmp.Diff(ready, condition(obj, v1alpha1.ConditionReady)); d != "" {
			t.Errorf("Ready does not stay as it was (-want +got):\n%s", d)
		}

		t.Log("it differs in something else, too, and then no more in the first")
		k.console(w).team("orders", "bank")
		k.console(w).set("orders", true)
		w.eventually("the other difference", func() (bool, string) {
			w.get(obj)
			return slices.Equal(paths(obj.GetCommonStatus().Drift), k.teamPaths("orders")), describe(obj)
		})
		both := slices.Sorted(slices.Values(slices.Concat(k.paths("orders"), k.teamPaths("orders"))))
		if d := cmp.Diff(both, slices.Sorted(slices.Values(paths(obj.GetCommonStatus().BreakGlass.Seen)))); d != "" {
			t.Errorf("seen while the glass is broken (-want +got):\n%s", d)
		}

		t.Log("a new generation is held, and said to be")
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.reason(obj, v1alpha1.ReasonBreakGlass)
		if c := condition(obj, v1alpha1.ConditionStalled); c == nil || obj.GetCommonStatus().ObservedGeneration != obj.GetGeneration() {
			t.Errorf("a held generation is to be Stalled and observed:\n%s", describe(obj))
		}
		w.noWrites(mark)

		t.Log("closed, all of it is put right")
		w.closeGlass(obj)
		w.ready(obj)
		if live := k.console(w).look("orders"); live.on || live.team != "shop" {
			t.Errorf("after closing live is %+v", live)
		}
	})
}

func TestTheGlassOfANamespaceHoldsWhatIsNewInIt(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		w.breakGlass(w.space())
		mark := w.cloud.Traffic.Mark()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.reason(obj, v1alpha1.ReasonBreakGlass)
		w.glass(obj, metav1.ConditionTrue)
		if r := obj.GetCommonStatus().BreakGlass; r.Scope != v1alpha1.BreakGlassOnNamespace || r.By != "ada" || r.Reason != incident || !r.Verified || r.LastWrite != "" {
			t.Errorf("the record is %+v", r)
		}

		t.Log("the object's own glass is the one shown, and then the Namespace's goes on")
		since := obj.GetCommonStatus().BreakGlass.Since
		w.annotates("ada", obj, annotations{v1alpha1.BreakGlassAnnotation: "INC-4712: this one in particular"})
		w.recorded(obj, func(r *v1alpha1.BreakGlass) bool {
			return r != nil && r.Scope == v1alpha1.BreakGlassOnObject && r.Reason == "INC-4712: this one in particular"
		})
		w.closeGlass(obj)
		w.recorded(obj, func(r *v1alpha1.BreakGlass) bool {
			return r != nil && r.Scope == v1alpha1.BreakGlassOnNamespace && r.Since.Equal(&since)
		})
		w.noWrites(mark)

		w.closeGlass(w.space())
		w.ready(obj)
		if d := cmp.Diff([]v1alpha1.BreakGlassEnding{"Closed", "Closed"}, endings(obj)); d != "" {
			t.Errorf("endings in the history (-want +got):\n%s", d)
		}
	})
}

func TestTheGlassHoldsInEveryManagement(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		k.console(w).create("orders", true)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		edit(w, obj, func(o v1alpha1.Object) { o.GetCommonSpec().Management = v1alpha1.ManagementApprove })
		w.ready(obj)
		w.breakGlass(obj)
		w.glass(obj, metav1.ConditionTrue)
		k.console(w).set("orders", false)
		w.settled(obj)
		w.reasonOf(obj, v1alpha1.ConditionDrifted, v1alpha1.ReasonDiffers)

		t.Log("Approve: the way back waits")
		mark := w.cloud.Traffic.Mark()
		w.closeGlass(obj)
		w.reason(obj, v1alpha1.ReasonAwaitingApproval)
		if plan := obj.GetCommonStatus().Plan; plan == nil || !slices.Equal(paths(plan.Changes), k.paths("orders")) {
			t.Errorf("the plan of the way back is %+v", plan)
		}
		w.noWrites(mark)
		approve(w, obj)
		w.ready(obj)
		if !k.console(w).look("orders").on {
			t.Error("the approved way back was not gone")
		}

		t.Log("Observe: Ready stays until the glass is closed")
		edit(w, obj, func(o v1alpha1.Object) { o.GetCommonSpec().Management = v1alpha1.ManagementObserve })
		w.ready(obj)
		w.breakGlass(obj)
		w.glass(obj, metav1.ConditionTrue)
		k.console(w).set("orders", false)
		w.settled(obj)
		w.reasonOf(obj, v1alpha1.ConditionDrifted, v1alpha1.ReasonDiffers)
		w.reasonOf(obj, v1alpha1.ConditionReady, v1alpha1.ReasonUpToDate)
		w.closeGlass(obj)
		w.reason(obj, v1alpha1.ReasonDiffers)
	})
}

// TestReadyStaysWhateverBecomesOfTheResource: in an incident people take down and make anew what they need to.
func TestReadyStaysWhateverBecomesOfTheResource(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		w.breakGlass(obj)
		w.glass(obj, metav1.ConditionTrue)
		mark := w.cloud.Traffic.Mark()
		forgetCreation(w, obj)
		k.console(w).delete("orders")
		w.settled(obj)
		w.reasonOf(obj, v1alpha1.ConditionDrifted, v1alpha1.ReasonDiffers)
		w.reasonOf(obj, v1alpha1.ConditionReady, v1alpha1.ReasonUpToDate)

		w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.getting), Status: http.StatusServiceUnavailable})
		w.settled(obj)
		w.reasonOf(obj, v1alpha1.ConditionDrifted, v1alpha1.ReasonUnknown)
		w.reasonOf(obj, v1alpha1.ConditionReady, v1alpha1.ReasonUpToDate)
		w.cloud.Traffic.RemoveAll()
		w.noWrites(mark)

		w.closeGlass(obj)
		w.glass(obj, metav1.ConditionFalse)
		w.ready(obj)
		if live := k.console(w).look("orders"); !live.there || !live.on {
			t.Errorf("the %s was not made again: there=%v on=%v", k.Name, live.there, live.on)
		}
	})
}

// reasonOf waits until a condition of an object has a reason.
func (w *world) reasonOf(obj v1alpha1.Object, kind, reason string) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%s of %s to be %s", kind, obj.GetName(), reason), func() (bool, string) {
		w.get(obj)
		c := condition(obj, kind)
		return c != nil && c.Reason == reason, describe(obj)
	})
}

// recorded waits until the record of an object's open glass is as it should be.
func (w *world) recorded(obj v1alpha1.Object, is func(*v1alpha1.BreakGlass) bool) {
	w.t.Helper()
	w.eventually("the record of the glass of "+obj.GetName(), func() (bool, string) {
		w.get(obj)
		r := obj.GetCommonStatus().BreakGlass
		return is(r), fmt.Sprintf("%+v\n%s", r, describe(obj))
	})
}

// endings are how the glasses of an object's history ended, the newest first.
func endings(obj v1alpha1.Object) []v1alpha1.BreakGlassEnding {
	var out []v1alpha1.BreakGlassEnding
	for _, r := range obj.GetCommonStatus().BreakGlassHistory {
		out = append(out, r.Ending)
	}
	return out
}
