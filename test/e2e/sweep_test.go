package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// sweepOften makes sweeps follow each other, those of policies included.
func (w *world) sweepOften() { w.sweep, w.policySweep = 50*time.Millisecond, 0 }

// gauge is the value of a metric about a kind, and whether it is there; the sum if there are several series.
func (w *world) gauge(name, kind string) (value float64, there bool) {
	w.t.Helper()
	registry := prometheus.NewRegistry()
	w.must(registry.Register(w.metrics))
	families, err := registry.Gather()
	w.must(err)
	for _, family := range families {
		for _, series := range family.GetMetric() {
			for _, label := range series.GetLabel() {
				if family.GetName() == name && label.GetName() == "kind" && label.GetValue() == kind {
					value, there = value+series.GetGauge().GetValue(), true
				}
			}
		}
	}
	return value, there
}

// fleetOf makes objects of every kind, so many of each, and waits until they are at rest.
func (w *world) fleetOf(n int) map[string][]v1alpha1.Object {
	w.t.Helper()
	return w.fleetIn([]string{w.namespace}, func(kind) int { return n })
}

// fleetIn makes objects in each of the namespaces, so many of a kind as it is told, and waits until they are at rest.
func (w *world) fleetIn(namespaces []string, size func(kind) int) map[string][]v1alpha1.Object {
	w.t.Helper()
	fleet := map[string][]v1alpha1.Object{}
	for _, k := range table {
		for at, namespace := range namespaces {
			for i := range size(k) {
				obj := k.manifest(fmt.Sprintf("orders-%d-%d", at, i), v1alpha1.CommonSpec{}) // the names of buckets are the whole world's
				obj.SetNamespace(namespace)
				w.create(obj)
				fleet[k.title] = append(fleet[k.title], obj)
			}
		}
	}
	for _, objects := range fleet {
		for _, obj := range objects {
			w.ready(obj)
		}
	}
	for _, obj := range fleet[policies.title] { // status counts the members of the policy, which the others have changed since
		w.settled(obj)
	}
	return fleet
}

// versions are the resourceVersions of a fleet.
func (w *world) versions(fleet map[string][]v1alpha1.Object) map[string]string {
	w.t.Helper()
	out := map[string]string{}
	for title, objects := range fleet {
		for _, obj := range objects {
			w.get(obj)
			out[fmt.Sprint(title, " ", client.ObjectKeyFromObject(obj))] = obj.GetResourceVersion()
		}
	}
	return out
}

// TestASteadySweepCostsAListPerKind: whatever the number of resources, and nothing in Kubernetes. A policy is read at its own interval.
func TestASteadySweepCostsAListPerKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sweep, w.policySweep = 200*time.Millisecond, time.Hour
	w.start()
	fleet := w.fleetOf(5)
	before := w.versions(fleet)
	w.cloud.Traffic.ResetCounts()
	w.kubeWrites.Store(0)
	lists := []string{"iam IAM.ListServiceAccounts", "pubsub Publisher.ListTopics", "storage buckets.list"}
	w.eventually("five sweeps", func() (bool, string) {
		counts := w.cloud.Traffic.Counts()
		return !slices.ContainsFunc(lists, func(method string) bool { return counts[method] < 5 }), fmt.Sprint(counts)
	})
	if d := cmp.Diff(lists, slices.Sorted(maps.Keys(w.cloud.Traffic.Counts()))); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	w.expectKubeWrites(0)
	if d := cmp.Diff(before, w.versions(fleet)); d != "" {
		t.Errorf("versions (-before +after):\n%s", d)
	}
	for _, k := range table {
		if left, _ := w.gauge("holdfast_objects_unseen", k.Label()); left > 0 {
			t.Errorf("%v objects of the kind %s were never seen", left, k.Kind.Kind)
		}
	}
}

func TestASweepFindsWhatDiffers(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.sweep = time.Second // so that a read and a status that is stored fit in between
		w.start()
		obj, other := k.manifest("orders", v1alpha1.CommonSpec{}), k.manifest("returns", v1alpha1.CommonSpec{})
		w.create(obj)
		w.create(other)
		w.ready(obj)
		w.ready(other)
		w.settled(obj)
		mark := w.cloud.Traffic.Mark()
		k.console(w).set("orders", false)
		w.eventually("the drift to be corrected", func() (bool, string) { return k.console(w).look("orders").on, "" })
		w.eventually("the status to be settled", func() (bool, string) {
			w.get(obj)
			return settled(obj), describe(obj)
		})
		if k.is(comesAndGoes) {
			if reads := len(w.calls(mark, k.getting, obj.GetName())); reads < 1 || reads > 2 {
				t.Errorf("%d reads of what differed, want one, and another at most for what the sweep saw meanwhile", reads)
			}
			if reads := len(w.calls(mark, k.getting, other.GetName())); reads > 0 {
				t.Errorf("%d reads of the other", reads)
			}
		}
	})
}

func TestASweepFindsWhatIsMissing(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		if !k.is(comesAndGoes) {
			t.Skip(k.lacks[comesAndGoes])
		}
		w := newWorld(t)
		w.sweepOften()
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		forgetCreation(w, obj)
		k.console(w).delete("orders")
		w.eventually("it to be recreated", func() (bool, string) { return k.console(w).look("orders").there, describe(obj) })
		w.ready(obj)
	})
}

// TestWhatCannotBeListedIsReadOneByOne: a permission that is missing hides nothing.
func TestWhatCannotBeListedIsReadOneByOne(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		if k.listing == "" {
			t.Skip("no list shows it")
		}
		w := newWorld(t)
		w.sweepOften()
		w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.listing), Status: http.StatusForbidden})
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		mark := w.cloud.Traffic.Mark()
		w.eventually("reads", func() (bool, string) { return len(w.calls(mark, k.getting, obj.GetName())) >= 3, "" })
		k.console(w).set("orders", false)
		w.eventually("the drift to be corrected", func() (bool, string) { return k.console(w).look("orders").on, "" })
		if not, _ := w.gauge("holdfast_projects_not_listed", k.Label()); not != 1 {
			t.Errorf("holdfast_projects_not_listed is %v, want 1", not)
		}
	})
}

// TestAnOutageOfListsAsksForNothing: it says nothing of a resource.
func TestAnOutageOfListsAsksForNothing(t *testing.T) {
	for name, status := range map[string]int{"unavailable": http.StatusServiceUnavailable, "throttled": http.StatusTooManyRequests} {
		t.Run(name, func(t *testing.T) {
			forEachKind(t, func(t *testing.T, k kind) {
				if k.listing == "" {
					t.Skip("no list shows it")
				}
				w := newWorld(t)
				w.sweepOften()
				w.start()
				obj := k.manifest("orders", v1alpha1.CommonSpec{})
				w.create(obj)
				w.ready(obj)
				w.settled(obj)
				mark := w.cloud.Traffic.Mark()
				w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.listing), Status: status})
				w.eventually("the sweep before to end", func() (bool, string) { return len(w.calls(mark, k.listing, "")) >= 2, "" })
				w.settled(obj) // with what that sweep may have asked for
				mark = w.cloud.Traffic.Mark()
				w.kubeWrites.Store(0)
				w.eventually("lists", func() (bool, string) { return len(w.calls(mark, k.listing, "")) >= 2, "" })
				if n := len(w.calls(mark, k.getting, "")); n > 0 {
					t.Errorf("%d reads", n)
				}
				w.expectKubeWrites(0)
			})
		})
	}
}

// TestSweepsCountWhatNobodyDeclares by the lists that they take anyway; a project without manifests is not listed.
func TestSweepsCountWhatNobodyDeclares(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		if k.listing == "" {
			t.Skip("no list shows it")
		}
		w := newWorld(t)
		w.sweepOften()
		k.console(w).create("stray", false)
		w.start()
		<-time.After(5 * w.sweep)
		if n := w.cloud.Traffic.Count(call(k.listing)); n > 0 {
			t.Errorf("%d lists of a project without manifests", n)
		}
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		w.create(obj)
		w.ready(obj)
		count := func(want float64) {
			t.Helper()
			w.eventually(fmt.Sprintf("%v to be counted", want), func() (bool, string) {
				n, there := w.gauge("holdfast_unmanaged_resources", k.Label())
				return there && n == want, fmt.Sprint(n, there)
			})
		}
		count(1)
		k.console(w).delete("stray")
		count(0)
	})
}

// TestThePolicyOfWhatIsListedCostsOneRead an interval of its own, and drift of it is found.
func TestThePolicyOfWhatIsListedCostsOneRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sweepOften()
	w.start()
	iam := additive(granting("roles/pubsub.publisher", "user:ann@example.com"))
	topic := aTopic("orders", v1alpha1.TopicSpec{IAM: &iam})
	w.create(topic)
	w.ready(topic)
	w.settled(topic)
	first := w.cloud.Traffic.Mark()
	mark := first
	w.eventually("three reads of the policy on end without one of the topic", func() (bool, string) {
		if len(w.calls(mark, topics.getting, "orders")) > 0 { // for what a sweep saw while the status was being stored
			mark = w.cloud.Traffic.Mark()
		}
		return len(w.calls(mark, "IAMPolicy.GetIamPolicy", "orders")) >= 3, fmt.Sprint(w.cloud.Traffic.Counts())
	})
	w.noWrites(first)
}
