package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// forEachListed runs a test once per kind whose first looks a list serves.
func forEachListed(t *testing.T, test func(t *testing.T, k kind)) {
	t.Helper()
	forEachKind(t, func(t *testing.T, k kind) {
		if k.listing == "" {
			t.Skip("its resource is there without a manifest, and no list shows its policy")
		}
		test(t, k)
	})
}

// cannotList has each first look be a read.
func (w *world) cannotList(k kind) {
	if k.listing != "" {
		w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.listing), Status: http.StatusForbidden})
	}
}

// TestWhatCameToBeAfterTheListIsNotTakenOver: the list says that it is not there, and Google that it is. That is no different from having looked.
func TestWhatCameToBeAfterTheListIsNotTakenOver(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		on       bool
		adoption v1alpha1.Adoption
		reason   string
		events   []string
		writes   bool
	}{
		"it differs":         {false, v1alpha1.AdoptionIfMatches, v1alpha1.ReasonAwaitingAdoption, []string{"AwaitingAdoption"}, false},
		"it matches":         {true, v1alpha1.AdoptionIfMatches, v1alpha1.ReasonUpToDate, []string{"Adopted"}, false},
		"nothing is adopted": {true, v1alpha1.AdoptionNever, v1alpha1.ReasonConflict, []string{"Conflict"}, false},
		"everything is":      {false, v1alpha1.AdoptionAlways, v1alpha1.ReasonUpToDate, []string{"Adopted"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			forEachListed(t, func(t *testing.T, k kind) {
				w := startWorld(t)
				first := k.manifest("first", v1alpha1.CommonSpec{})
				w.create(first)
				w.ready(first)
				k.console(w).create("orders", tc.on)
				mark := w.cloud.Traffic.Mark()
				obj := k.manifest("orders", v1alpha1.CommonSpec{Adoption: tc.adoption, DeletionPolicy: v1alpha1.DeletionDelete})
				w.create(obj)
				w.reason(obj, tc.reason)
				var writes []string
				if tc.writes {
					writes = []string{k.updating}
				}
				if d := cmp.Diff(writes, w.carriedOutWrites(mark), cmpopts.EquateEmpty()); d != "" {
					t.Errorf("writes that were carried out (-want +got):\n%s", d)
				}
				if status := obj.GetCommonStatus(); tc.reason != v1alpha1.ReasonUpToDate && (status.Identity != "" || status.LastCreateAttemptTime != nil || len(status.Pending) > 0) {
					t.Errorf("it is taken for the manifest's own: %+v", status)
				}
				w.events(obj, tc.events...)
			})
		})
	}
}

// TestWithoutThePermissionToListEachIsRead, and nobody is told: the list is asked for once.
func TestWithoutThePermissionToListEachIsRead(t *testing.T) {
	forEachListed(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.cannotList(k)
		w.workers = 1
		w.start()
		for i := range 3 {
			obj := k.manifest(fmt.Sprintf("orders-%d", i), v1alpha1.CommonSpec{})
			w.create(obj)
			w.ready(obj)
		}
		if d := cmp.Diff(map[string]int{k.listing: 1, k.getting: 3, k.creating: 3}, w.spent(k)); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
	})
}

// TestALargeProjectIsNotListedForFirstLooks: it would take many pages, again and again.
func TestALargeProjectIsNotListedForFirstLooks(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	for i := range 1001 { // more than fit on a page
		topics.console(w).create(fmt.Sprintf("other-%d", i), true)
	}
	w.cloud.Traffic.ResetCounts()
	for i := range 3 {
		obj := topics.manifest(fmt.Sprintf("orders-%d", i), v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
	}
	if d := cmp.Diff(map[string]int{topics.listing: 1, topics.getting: 3, topics.creating: 3}, w.spent(topics)); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}
