package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	eventsv1 "k8s.io/api/events/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// TestADeletionThatCannotHappenSaysWhatFrees: whatever Google denies, and why; the command in the message lets the manifest go, and nothing in
// Google Cloud is touched.
func TestADeletionThatCannotHappenSaysWhatFrees(t *testing.T) {
	t.Parallel()
	denials := map[string]struct {
		message string
		says    string
	}{
		"permission lost": {"", "permission "},
		"billing closed":  {"The billing account for the owning project is disabled in state closed", "gcloud billing projects link"},
		"API disabled":    {"Some API has not been used in project 4711 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/some.googleapis.com/overview?project=4711 then retry.", "gcloud services enable some.googleapis.com --project 4711"},
		"perimeter":       {"Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: ABC_def-1", "ABC_def-1"},
	}
	for name, tc := range denials {
		t.Run(name, func(t *testing.T) {
			forEachKind(t, func(t *testing.T, k kind) {
				for _, method := range []string{k.getting, k.deleting} {
					t.Run(method, func(t *testing.T) {
						w := startWorld(t)
						obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
						w.create(obj)
						w.ready(obj)
						forgetCreation(w, obj)
						w.cloud.Traffic.Inject(traffic.Fault{Match: call(method), Status: http.StatusForbidden, Message: tc.message})
						mark := w.cloud.Traffic.Mark()
						w.delete(obj)
						w.reason(obj, v1alpha1.ReasonDenied)
						w.expectAdvice(obj, tc.says)
						w.expectAdvice(obj, "kubectl patch -n "+w.namespace+" "+k.Argument()+` orders --type merge -p '{"spec":{"deletionPolicy":"Orphan"}}'`)
						if n := w.carriedOut(mark, k.deleting, ""); n > 0 {
							t.Errorf("%d deletions", n)
						}
						edit(w, obj, func(o v1alpha1.Object) { o.GetCommonSpec().DeletionPolicy = v1alpha1.DeletionOrphan })
						w.gone(obj)
						if live := k.console(w).look("orders"); !live.there || !live.on {
							t.Errorf("live: %+v", live)
						}
					})
				}
			})
		})
	}
}

// TestAnOrphanThatCannotBeUnmarkedIsLetGo: by default deleting a manifest needs no permission in Google Cloud.
func TestAnOrphanThatCannotBeUnmarkedIsLetGo(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.updating), Status: http.StatusForbidden})
		w.delete(obj)
		w.gone(obj)
		if !k.console(w).look("orders").there {
			t.Error("it is gone")
		}
	})
}

// TestAProjectThatIsShutDownLetsItsManifestsGo, without deleting anything; and what they left is there, unmanaged, if it is restored.
func TestAProjectThatIsShutDownLetsItsManifestsGo(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		mark := w.cloud.Traffic.Mark()
		w.shutDown(true)
		w.delete(obj)
		w.gone(obj)
		w.noted(obj, "Orphaned", "is shut down (DELETE_REQUESTED). If the project is restored")
		if n := w.carriedOut(mark, k.deleting, ""); n > 0 {
			t.Errorf("%d deletions", n)
		}
		w.shutDown(false)
		if live := k.console(w).look("orders"); !live.there || !live.on {
			t.Errorf("live: %+v", live)
		}
	})
}

// TestAProjectThatIsShutDownMeanwhile: between the look and the deletion.
func TestAProjectThatIsShutDownMeanwhile(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		looked := w.cloud.Traffic.Pause(call(k.deleting))
		w.delete(obj)
		w.reached(looked)
		w.shutDown(true)
		looked.Release()
		w.gone(obj)
		w.shutDown(false)
		if !k.console(w).look("orders").there {
			t.Error("it is gone")
		}
	})
}

// TestADenialIsNoShutDown: that nobody may see the project's state is not knowledge, and a manifest is not let go because of it.
func TestADenialIsNoShutDown(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		forgetCreation(w, obj)
		w.must(w.cloud.Projects.Edit(w.project, func(p *projects.Project) { p.Foreign = true }))
		w.delete(obj)
		w.reason(obj, v1alpha1.ReasonDenied)
		w.expectAdvice(obj, "kubectl patch")
	})
}

// TestAManifestOfAProjectThatIsShutDownSaysSo, recreates nothing, and recovers once the project is restored. The state of the project is asked
// for once, and only while something is denied.
func TestAManifestOfAProjectThatIsShutDownSaysSo(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		asked := w.cloud.Traffic.Count(call("Projects.GetProject"))
		mark := w.cloud.Traffic.Mark()
		w.shutDown(true)
		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.reason(obj, v1alpha1.ReasonDenied)
		w.expectAdvice(obj, "gcloud projects undelete "+w.project)
		w.settled(obj)
		w.settled(obj)
		if n := w.cloud.Traffic.Count(call("Projects.GetProject")) - asked; n > 1 {
			t.Errorf("the project was asked for %d times", n)
		}
		if n := w.carriedOut(mark, k.creating, "") + w.carriedOut(mark, k.updating, ""); n > 0 {
			t.Errorf("%d writes", n)
		}
		w.shutDown(false)
		w.settled(obj)
		w.ready(obj)
		if live := k.console(w).look("orders"); !live.there || live.on {
			t.Errorf("live: %+v", live)
		}
	})
}

// TestWhatIsMissingInAProjectThatIsShutDownIsNotRecreated: a service may say that it does not find what will be there again.
func TestWhatIsMissingInAProjectThatIsShutDownIsNotRecreated(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		if !k.is(immediate) {
			t.Skip("what was just created may be invisible, whatever the reason")
		}
		identity, mark := obj.GetCommonStatus().Identity, w.cloud.Traffic.Mark()
		w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.getting), Status: http.StatusNotFound})
		w.shutDown(true)
		w.settled(obj)
		w.reason(obj, v1alpha1.ReasonNotFound)
		w.expectAdvice(obj, "gcloud projects undelete "+w.project)
		if obj.GetCommonStatus().Identity != identity || len(w.cloud.Traffic.WritesSince(mark)) > 0 {
			t.Errorf("identity %q, was %q; writes %v", obj.GetCommonStatus().Identity, identity, w.cloud.Traffic.WritesSince(mark))
		}
		w.cloud.Traffic.RemoveAll()
		w.shutDown(false)
		w.settled(obj)
		w.ready(obj)
	})
}

// shutDown shuts the world's project down, or restores it, as somebody in the console would.
func (w *world) shutDown(is bool) {
	w.t.Helper()
	w.must(w.cloud.Projects.Edit(w.project, func(p *projects.Project) { p.Deleted = is }))
}

// noted waits for an event about an object that has some words.
func (w *world) noted(obj v1alpha1.Object, reason, words string) {
	w.t.Helper()
	w.eventually("the event "+reason, func() (bool, string) {
		got := w.eventsOf(obj)
		return slices.ContainsFunc(got, func(e eventsv1.Event) bool { return e.Reason == reason && strings.Contains(e.Note, words) }), sentences(got)
	})
}
