package e2e

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// ways are how manifests go that had a glass broken on them.
var ways = map[string]struct {
	spec v1alpha1.CommonSpec
	// goes deletes the manifest, whose glass is open, and closes the glass.
	goes func(w *world, obj v1alpha1.Object)
}{
	"orphaned after the incident": {v1alpha1.CommonSpec{}, func(w *world, obj v1alpha1.Object) {
		w.closeGlass(obj)
		w.history(obj, 1)
		w.delete(obj)
	}},
	"deleted in the incident": {v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete}, func(w *world, obj v1alpha1.Object) {
		w.delete(obj)
		w.glass(obj, metav1.ConditionTrue)
		w.closeGlass(obj)
		w.goneOnceApproved(obj)
	}},
	"observing, so that no finalizer keeps it": {v1alpha1.CommonSpec{Management: v1alpha1.ManagementObserve}, func(w *world, obj v1alpha1.Object) {
		w.closeGlass(obj)
		w.history(obj, 1)
		w.delete(obj)
	}},
	"while Holdfast was down": {v1alpha1.CommonSpec{}, func(w *world, obj v1alpha1.Object) {
		w.stop()
		w.closeGlass(obj)
		w.delete(obj)
		w.start()
	}},
}

// TestTheHistoryOutlivesTheManifest: who edits can delete a manifest, and its events, and create it again. What it said of the glass is there.
func TestTheHistoryOutlivesTheManifest(t *testing.T) {
	t.Parallel()
	for how, way := range ways {
		t.Run(how, func(t *testing.T) {
			forEachKind(t, func(t *testing.T, k kind) {
				w := startWorld(t)
				if way.spec.Management == v1alpha1.ManagementObserve {
					first := k.manifest("orders", v1alpha1.CommonSpec{})
					w.create(first)
					w.ready(first)
					w.delete(first)
					w.gone(first)
				}
				obj := k.manifest("orders", way.spec)
				w.create(obj)
				w.ready(obj)
				uid := obj.GetUID()
				w.breakGlass(obj)
				w.glass(obj, metav1.ConditionTrue)
				k.console(w).set("orders", false)
				w.settled(obj)
				way.goes(w, obj)
				w.gone(obj)

				obj = k.manifest("orders", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways})
				w.create(obj)
				w.ready(obj)
				of := v1alpha1.BreakGlassManifest{Kind: k.Kind.Kind, Namespace: w.namespace, Name: "orders", UID: uid}
				for where, history := range map[string][]v1alpha1.BreakGlassEpisode{
					"status": obj.GetCommonStatus().BreakGlassHistory, "BreakGlassRecord": w.onRecord(obj),
				} {
					if len(history) != 1 {
						t.Fatalf("%s has %+v", where, history)
					}
					e := history[0]
					if e.By != installed.Ada || e.Reason != incident || !e.Verified || e.ClosedBy != installed.Ada || len(e.Seen) == 0 {
						t.Errorf("%s says %+v", where, e)
					}
					if d := cmp.Diff(&of, e.Manifest); d != "" {
						t.Errorf("%s, the manifest (-want +got):\n%s", where, d)
					}
				}
				t.Log("and it costs no more writes")
				before := w.kubeWrites.Load()
				w.restart()
				w.settled(obj)
				if n := w.kubeWrites.Load() - before; n != 1 {
					t.Errorf("%d writes, want that of the request alone", n)
				}
			})
		})
	}
}

// onRecord is what the BreakGlassRecord of an object's resource says.
func (w *world) onRecord(obj v1alpha1.Object) []v1alpha1.BreakGlassEpisode {
	w.t.Helper()
	name, project := obj.GetCommonStatus().ExternalName, obj.GetCommonStatus().Project
	var record v1alpha1.BreakGlassRecord
	w.must(w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: "holdfast-system", Name: breakglass.RecordName(name, project)}, &record))
	if record.Spec.ExternalName != name || record.Spec.Project != project {
		w.t.Errorf("the record is of %s in %s, want %s in %s", record.Spec.ExternalName, record.Spec.Project, name, project)
	}
	return record.Spec.Episodes
}

// TestTwoManifestsShareARecord: both were under the glass of their Namespace, and write at the same time.
func TestTwoManifestsShareARecord(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	objects := []v1alpha1.Object{
		topics.manifest("a", v1alpha1.CommonSpec{ResourceID: "orders"}),
		topics.manifest("b", v1alpha1.CommonSpec{ResourceID: "orders", Management: v1alpha1.ManagementObserve}),
	}
	for _, obj := range objects {
		w.create(obj)
		w.ready(obj)
	}
	w.breakGlass(w.space())
	for _, obj := range objects {
		w.glass(obj, metav1.ConditionTrue)
	}
	w.closeGlass(w.space())
	names := map[string]bool{}
	for _, obj := range objects {
		w.history(obj, 1)
	}
	for _, e := range w.onRecord(objects[0]) {
		names[e.Manifest.Name] = true
	}
	if d := cmp.Diff(map[string]bool{"a": true, "b": true}, names); d != "" {
		t.Errorf("manifests on record (-want +got):\n%s", d)
	}
}

// TestNobodyReadsOrCrowdsOutTheHistoryOfAnotherProject by claiming the name of its bucket.
func TestNobodyReadsOrCrowdsOutTheHistoryOfAnotherProject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stranger := w.namespace + "-stranger"
	w.makeNamespace(stranger, map[string]string{v1alpha1.ProjectIDAnnotation: w.project + "-other"})
	w.start(stranger)
	bucket := buckets.manifest("orders", v1alpha1.CommonSpec{})
	w.create(bucket)
	w.ready(bucket)
	w.breakGlass(bucket)
	w.glass(bucket, metav1.ConditionTrue)
	w.closeGlass(bucket)
	w.history(bucket, 1)

	claim := buckets.manifest("orders", v1alpha1.CommonSpec{})
	claim.SetNamespace(stranger)
	w.must(w.kube.Create(t.Context(), claim))
	w.reason(claim, v1alpha1.ReasonConflict)
	for i := range 3 {
		w.annotates(installed.Ada, claim, annotations{v1alpha1.BreakGlassAnnotation: fmt.Sprintf("INC-%d: nobody else's business", i)})
		w.glass(claim, metav1.ConditionTrue)
		w.closeGlass(claim)
		w.glass(claim, metav1.ConditionFalse)
	}
	for _, e := range w.history(claim, 3) {
		if e.Reason == incident {
			t.Errorf("the stranger reads %+v", e)
		}
	}
	if is := w.onRecord(bucket); len(is) != 1 || is[0].Reason != incident {
		t.Errorf("on record is %+v", is)
	}
}
