package e2e

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestACreateCostsOneReadAndOneWrite(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		if d := cmp.Diff(map[string]int{k.getting: 1, k.creating: 1}, w.spent(k)); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
		t.Log("the finalizer, what is pending, and what came of it")
		w.expectKubeWrites(3)
	})
}

func TestAnUpdateCostsOneReadAndOneWrite(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		want := map[string]int{k.getting: 1, k.updating: 1}
		overwriting := int64(1)
		if !k.is(overwritten) {
			overwriting = 2
		}
		for _, tc := range []struct {
			name   string
			set    *bool
			writes int64
		}{
			{"that resets a field", nil, 1},
			{"that takes a field on", new(true), 2},
			{"of what is managed already", new(false), overwriting},
		} {
			w.cloud.Traffic.ResetCounts()
			w.kubeWrites.Store(0)
			edit(w, obj, func(o v1alpha1.Object) { k.set(o, tc.set) })
			w.ready(obj)
			if d := cmp.Diff(want, w.spent(k)); d != "" {
				t.Errorf("an update %s: calls (-want +got):\n%s", tc.name, d)
			}
			if got := w.kubeWrites.Load(); got != tc.writes {
				t.Errorf("an update %s: %d writes to Kubernetes, want %d", tc.name, got, tc.writes)
			}
		}
	})
}

func TestADeleteCostsOneReadAndOneWrite(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		for policy, want := range map[v1alpha1.DeletionPolicy]map[string]int{
			v1alpha1.DeletionDelete: {k.getting: 1, k.deleting: 1}, v1alpha1.DeletionOrphan: k.orphaning(),
		} {
			obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: policy})
			w.create(obj)
			w.ready(obj)
			w.cloud.Traffic.ResetCounts()
			w.kubeWrites.Store(0)
			w.delete(obj)
			w.gone(obj)
			if d := cmp.Diff(want, w.spent(k)); d != "" {
				t.Errorf("deletionPolicy %s: calls (-want +got):\n%s", policy, d)
			}
			writes := int64(1)
			if policy == v1alpha1.DeletionOrphan && !k.is(comesAndGoes) { // it says that its grants wait for a manifest that takes them over
				writes = 2
			}
			w.expectKubeWrites(writes)
			if policy == v1alpha1.DeletionOrphan {
				k.console(w).delete("orders")
			}
		}
	})
}

func TestSweepsOfAFleetAtRestWriteNothing(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.sweepOften()
		w.start()
		objects := map[string]v1alpha1.Object{
			v1alpha1.ReasonUpToDate:         k.manifest("fine", v1alpha1.CommonSpec{}),
			v1alpha1.ReasonAwaitingApproval: k.manifest("waiting", v1alpha1.CommonSpec{Management: v1alpha1.ManagementApprove}),
			k.absent():                      k.manifest("missing", v1alpha1.CommonSpec{Management: v1alpha1.ManagementObserve}),
		}
		if k.is(adopted) {
			objects[v1alpha1.ReasonAwaitingAdoption] = k.manifest("other", v1alpha1.CommonSpec{})
			objects[v1alpha1.ReasonConflict] = k.manifest("taken", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionNever})
		}
		k.console(w).create("other", false)
		k.console(w).create("taken", true)
		w.createAll(k, objects)
		w.expectRestOverSweeps(k, slices.Collect(maps.Values(objects)))
	})
}

func TestARestartOfAFleetAtRestWritesNothing(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		objects := map[string]v1alpha1.Object{
			v1alpha1.ReasonUpToDate:         k.manifest("fine", v1alpha1.CommonSpec{}),
			v1alpha1.ReasonAwaitingApproval: k.manifest("waiting", v1alpha1.CommonSpec{Management: v1alpha1.ManagementApprove}),
		}
		if k.is(adopted) {
			objects[v1alpha1.ReasonAwaitingAdoption] = k.manifest("other", v1alpha1.CommonSpec{})
		}
		k.console(w).create("other", false)
		w.createAll(k, objects)
		w.stop()
		w.expectRestOverARestart(k, slices.Collect(maps.Values(objects)))
	})
}

// createAll creates objects, and waits until Ready has the reason of each.
func (w *world) createAll(k kind, objects map[string]v1alpha1.Object) {
	w.t.Helper()
	for reason, obj := range objects {
		w.create(obj)
		w.reason(obj, reason)
	}
	if k.is(comesAndGoes) {
		return
	}
	for _, obj := range objects { // status counts the members of the policy, which has changed since the first one looked
		w.settled(obj)
	}
}

// expectRestOverSweeps waits for some sweeps, and fails the test if anything is written in Kubernetes or Google Cloud.
func (w *world) expectRestOverSweeps(k kind, objects []v1alpha1.Object) {
	w.t.Helper()
	w.expectRest(k, objects, func() {})
}

// expectRestOverARestart starts the stopped controllers and waits for some sweeps; nothing must be written in Kubernetes or Google Cloud.
func (w *world) expectRestOverARestart(k kind, objects []v1alpha1.Object) {
	w.t.Helper()
	w.sweepOften()
	w.expectRest(k, objects, func() { w.start() })
}

func (w *world) expectRest(k kind, objects []v1alpha1.Object, begin func()) {
	w.t.Helper()
	mark, versions := w.cloud.Traffic.Mark(), map[string]string{}
	for _, obj := range objects {
		w.get(obj)
		versions[obj.GetName()] = obj.GetResourceVersion()
	}
	w.kubeWrites.Store(0)
	begin()
	w.eventually("sweeps", func() (bool, string) {
		if !k.is(comesAndGoes) { // a look at the project does not say for which manifest
			return len(w.calls(mark, k.getting, "")) >= 6*len(objects), ""
		}
		for _, obj := range objects { // what is not as it should be is read by itself, all else with the project
			if !settled(obj) && len(w.calls(mark, k.getting, obj.GetName())) < 4 {
				return false, describe(obj)
			}
		}
		return len(w.calls(mark, k.listing, "")) >= 4, "not enough lists"
	})
	for _, obj := range objects {
		if n := len(w.calls(mark, k.getting, obj.GetName())); k.is(comesAndGoes) && settled(obj) && n > 0 {
			w.t.Errorf("%s was read %d times", obj.GetName(), n)
		}
	}
	w.noWrites(mark)
	w.expectKubeWrites(0)
	for _, obj := range objects {
		w.get(obj)
		if obj.GetResourceVersion() != versions[obj.GetName()] {
			w.t.Errorf("an object at rest was written to:\n%s", describe(obj))
		}
	}
}

// settled says whether an object is as it should be, so that it is checked with its project.
func settled(obj v1alpha1.Object) bool {
	ready := condition(obj, v1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue
}

// spent counts the calls to the kind's own service, by method.
func (w *world) spent(k kind) map[string]int {
	spent := map[string]int{}
	for _, method := range []string{k.getting, k.creating, k.updating, k.deleting} {
		if n := w.cloud.Traffic.Count(call(method)); n > 0 {
			spent[method] = n
		}
	}
	return spent
}

func (w *world) expectKubeWrites(want int64) {
	w.t.Helper()
	if got := w.kubeWrites.Load(); got != want {
		w.t.Errorf("%d writes to Kubernetes, want %d", got, want)
	}
}
