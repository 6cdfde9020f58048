package e2e

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

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
		if d := cmp.Diff(map[string]int{k.looking(): 1, k.creating: 1}, w.spent(k)); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
		t.Log("what is pending, where labels do not prove it, and what came of it")
		w.expectKubeWrites(k.recording() + unstamped() + 1)
	})
}

// TestACreateWithoutTheStampCostsOneWriteMore: config/before-1.36 has none, and kubectl replace drops what it added.
func TestACreateWithoutTheStampCostsOneWriteMore(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		edit(w, obj, func(o v1alpha1.Object) { o.SetFinalizers(nil) })
		w.start()
		w.ready(obj)
		if !slices.Contains(obj.GetFinalizers(), v1alpha1.Finalizer) {
			t.Error("there is no finalizer")
		}
		w.expectKubeWrites(k.recording() + 2)
	})
}

// TestAMassApplyCostsOneListAProject, and one call for each resource beside it.
func TestAMassApplyCostsOneListAProject(t *testing.T) {
	const projects, each = 6, 20
	forEachKind(t, func(t *testing.T, k kind) {
		if k.listing == "" {
			t.Skip("a policy has to be read")
		}
		w := newWorld(t)
		var namespaces []string
		for i := range projects {
			namespaces = append(namespaces, fmt.Sprintf("%s-%d", w.namespace, i))
			w.makeNamespace(namespaces[i], map[string]string{v1alpha1.ProjectIDAnnotation: fmt.Sprintf("%s-%d", w.project, i)})
		}
		w.start(namespaces...)
		var objects []v1alpha1.Object
		for i := range each {
			for _, namespace := range namespaces {
				obj := k.manifest(fmt.Sprintf("%s-%d", namespace, i), v1alpha1.CommonSpec{})
				obj.SetNamespace(namespace)
				w.create(obj)
				objects = append(objects, obj)
			}
		}
		for _, obj := range objects {
			w.ready(obj)
		}
		want := map[string]int{k.listing: projects, k.creating: projects * each}
		if !k.is(ownerLabels) { // whose lists are soon too old: how many there are depends on how long the creates take
			want[k.listing] = w.spent(k)[k.listing]
		}
		if d := cmp.Diff(want, w.spent(k)); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
		if most := projects * each * 13 / 10; w.cloud.Traffic.Total() > most {
			t.Errorf("%d calls in all, want %d at the most: %v", w.cloud.Traffic.Total(), most, w.cloud.Traffic.Counts())
		}
		w.expectKubeWrites((k.recording() + unstamped() + 1) * projects * each)
	})
}

// TestADeletionBeforeTheFirstLookCostsOneWrite, and a look only where it may have been created without a record. It does not wait for what the
// Namespace allows. Where no policy adds the finalizer the manifest goes at once, and nothing is left to do.
func TestADeletionBeforeTheFirstLookCostsOneWrite(t *testing.T) {
	for name, bound := range map[string]bool{"bound": true, "unbound": false} {
		t.Run(name, func(t *testing.T) {
			forEachKind(t, func(t *testing.T, k kind) {
				w := newWorld(t)
				if !bound {
					w.bind("")
				}
				obj := k.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
				w.create(obj)
				w.delete(obj)
				w.start()
				w.gone(obj)
				want := map[string]int{}
				if stamps && bound && k.is(ownerLabels) {
					want[k.getting] = 1
				}
				if d := cmp.Diff(want, w.spent(k)); d != "" {
					t.Errorf("calls (-want +got):\n%s", d)
				}
				w.expectKubeWrites(1 - unstamped())
			})
		})
	}
}

func TestAnUpdateCostsOneReadAndOneWrite(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.allowDestruction(w.namespace, time.Hour) // what destroys something costs more otherwise, as a deletion does
		w.start()
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

// TestADeleteCostsTwoReadsAndOneWrite, of which one read is before it is known what else is deleted; and that is on record then.
func TestADeleteCostsTwoReadsAndOneWrite(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := startWorld(t)
		for policy, want := range map[v1alpha1.DeletionPolicy]map[string]int{
			v1alpha1.DeletionDelete: {k.getting: 2, k.deleting: 1}, v1alpha1.DeletionOrphan: k.orphaning(),
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
			if policy == v1alpha1.DeletionDelete || !k.is(comesAndGoes) { // as an orphan it says that its grants wait for a manifest that takes them over
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
	if mark := w.cloud.Traffic.Mark(); k.is(comesAndGoes) && slices.ContainsFunc(objects, settled) {
		// A list that had begun before the last of them was created lacks it, and has it read.
		w.eventually("the list under way to have ended", func() (bool, string) { return len(w.calls(mark, k.listing, "")) >= 3, "not enough lists" })
	}
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
		return !slices.ContainsFunc(objects, settled) || len(w.calls(mark, k.listing, "")) >= 4, "not enough lists"
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

// settled says whether an object is as it should be and its glass is not broken, so that it is checked with its project.
func settled(obj v1alpha1.Object) bool {
	ready := condition(obj, v1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && obj.GetCommonStatus().BreakGlass == nil
}

// spent counts the calls to the kind's own service, by method.
func (w *world) spent(k kind) map[string]int {
	spent := map[string]int{}
	for _, method := range []string{k.getting, k.creating, k.updating, k.deleting, k.listing} {
		if method == "" {
			continue
		}
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
