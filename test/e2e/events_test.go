package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestEachDeedIsToldOnce(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.sweep = 100 * time.Millisecond // so that what is told at each look shows
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		w.events(obj, k.creation)

		edit(w, obj, func(o v1alpha1.Object) { k.set(o, new(false)) })
		w.ready(obj)
		w.events(obj, k.creation, "Updated")

		k.console(w).set("orders", true)
		w.events(obj, k.creation, "Updated", "DriftCorrected")

		w.delete(obj)
		w.gone(obj)
		w.events(obj, k.creation, "Updated", "DriftCorrected", "Deleted")
	})
}

// TestLongGrantsAreTold: five principals of GitHub Actions are more than an event has room for.
func TestLongGrantsAreTold(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	topic := aTopic("orders", v1alpha1.TopicSpec{})
	w.create(topic)
	w.ready(topic)
	var members []v1alpha1.IAMMember
	for i := range 5 {
		member := fmt.Sprintf("principalSet://iam.googleapis.com/projects/4711/locations/global/workloadIdentityPools/github/attribute.workflow_ref/%d", i)
		members = append(members, v1alpha1.IAMMember(member+strings.Repeat("x", 500-len(member))))
	}
	policy := additive(granting("roles/pubsub.publisher", members...))
	edit(w, topic, func(o *v1alpha1.Topic) { o.Spec.IAM = &policy })
	w.ready(topic)
	w.events(topic, "Created", "Updated")
}

func TestTakingOverAndLettingGoAreTold(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		k.console(w).create("alike", true)
		k.console(w).create("different", false)
		alike := k.manifest("alike", v1alpha1.CommonSpec{})
		different := k.manifest("different", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways})
		observed := k.manifest("observed", v1alpha1.CommonSpec{ResourceID: "nothing"})
		observed.GetCommonSpec().Management = v1alpha1.ManagementApprove
		w.create(alike)
		w.create(different)
		w.create(observed)
		w.ready(alike)
		w.ready(different)
		w.reason(observed, v1alpha1.ReasonAwaitingApproval)
		for _, obj := range []v1alpha1.Object{alike, different, observed} {
			w.delete(obj)
			w.gone(obj)
		}
		if k.is(adopted) {
			w.events(alike, "Adopted", "Orphaned")
			w.events(different, "Adopted", "Orphaned")
		} else { // granting is not adopting
			w.events(alike, v1alpha1.ReasonUpToDate, "Orphaned")
			w.events(different, "Updated", v1alpha1.ReasonDeleting, "Orphaned") // which waits for another manifest to take over what it granted
		}
		if k.is(comesAndGoes) {
			w.events(observed, v1alpha1.ReasonAwaitingApproval, "Released")
		} else {
			w.events(observed, v1alpha1.ReasonAwaitingApproval, "Orphaned")
		}
	})
}

func TestNothingIsToldAfterTheObjectWasLetGo(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		const theirs = "example.com/backup"
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		obj.SetFinalizers([]string{theirs})
		w.create(obj)
		w.ready(obj)
		w.delete(obj)
		w.eventually("our finalizer to be gone", func() (bool, string) {
			w.get(obj)
			return cmp.Equal([]string{theirs}, obj.GetFinalizers()), describe(obj)
		})
		t.Log("another tool keeps it a little, and wants it to be looked at")
		annotate(w, client.Object(obj), v1alpha1.ReconcileRequestedAtAnnotation, "now")
		barrier := k.manifest("barrier", v1alpha1.CommonSpec{})
		w.create(barrier)
		w.ready(barrier)
		w.events(barrier, k.creation)
		if k.is(comesAndGoes) {
			w.events(obj, k.creation, "Orphaned")
		} else { // which waits for another manifest to take over what it granted
			w.events(obj, k.creation, v1alpha1.ReasonDeleting, "Orphaned")
		}
		edit(w, obj, func(o v1alpha1.Object) {
			o.SetFinalizers(slices.DeleteFunc(o.GetFinalizers(), func(f string) bool { return f == theirs }))
		})
		w.gone(obj)
	})
}
