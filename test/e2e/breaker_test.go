package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breaker"
	"github.com/holdfast-dev/holdfast/internal/engine"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// breaking makes the breaker of a world the one that is shipped, but for how long it gathers.
func (w *world) breaking() {
	w.breaker = engine.Breaker{Gathering: 4 * time.Second, Limits: breaker.DefaultLimits()}
}

// stock makes so many topics in a namespace that go with their manifests, and waits until they are there.
func (w *world) stock(namespace string, n int) []v1alpha1.Object {
	w.t.Helper()
	var all []v1alpha1.Object
	for i := range n {
		topic := aTopic(fmt.Sprintf("orders-%d", i), v1alpha1.TopicSpec{CommonSpec: v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete}})
		topic.Namespace = namespace
		w.create(topic)
		all = append(all, topic)
	}
	for _, topic := range all {
		w.ready(topic)
	}
	return all
}

// tenants makes further namespaces, each of a project of its own.
func (w *world) tenants(n int) []string {
	w.t.Helper()
	var all []string
	for i := range n {
		name := fmt.Sprintf("%s-tenant-%d", w.namespace, i)
		w.makeNamespace(name, map[string]string{v1alpha1.ProjectIDAnnotation: fmt.Sprintf("%s-tenant-%d", w.project, i)})
		all = append(all, name)
	}
	return all
}

// prune deletes all at once, well within the time that is gathered for, also on a machine that is busy.
func (w *world) prune(objects []v1alpha1.Object) {
	w.t.Helper()
	var deleting errgroup.Group
	for _, obj := range objects {
		deleting.Go(func() error { return w.kube.Delete(w.t.Context(), obj.DeepCopyObject().(client.Object)) })
	}
	w.must(deleting.Wait())
}

func (w *world) allHeld(objects []v1alpha1.Object) {
	w.t.Helper()
	for _, obj := range objects {
		w.reason(obj, v1alpha1.ReasonDestructionOnHold)
	}
}

func (w *world) allGone(objects []v1alpha1.Object) {
	w.t.Helper()
	for _, obj := range objects {
		w.gone(obj)
	}
}

// allowDestruction has Ada let through everything in a namespace, for a time.
func (w *world) allowDestruction(namespace string, lasting time.Duration) {
	w.t.Helper()
	space := w.space()
	space.Name = namespace
	w.annotates(installed.Ada, space, annotations{v1alpha1.AllowDestructiveUntilAnnotation: time.Now().Add(lasting).UTC().Format(time.RFC3339)})
}

// onHold waits until a namespace is shown as on hold, or is not any more.
func (w *world) onHold(namespace string, want bool) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%s to be on hold: %t", namespace, want), func() (bool, string) {
		names := w.namespacesOnHold()
		return slices.Contains(names, namespace) == want, fmt.Sprint(names)
	})
}

// namespacesOnHold are those that the metrics show as on hold; an empty name stands for all.
func (w *world) namespacesOnHold() (names []string) {
	w.t.Helper()
	registry := prometheus.NewRegistry()
	w.must(registry.Register(w.metrics))
	families, err := registry.Gather()
	w.must(err)
	for _, family := range families {
		for _, series := range family.GetMetric() {
			if family.GetName() != "holdfast_destruction_on_hold_timestamp_seconds" {
				continue
			}
			for _, label := range series.GetLabel() {
				if label.GetName() == "namespace" {
					names = append(names, label.GetValue())
				}
			}
		}
	}
	return names
}

// TestPruningANamespaceDestroysNothing, however small it is, and says so; until an administrator lets it through.
func TestPruningANamespaceDestroysNothing(t *testing.T) {
	for _, size := range []int{3, 30} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.breaking()
			w.start()
			all := w.stock(w.namespace, size)
			mark := w.cloud.Traffic.Mark()
			w.prune(all)
			w.allHeld(all)
			w.noWrites(mark)
			message := condition(all[0], v1alpha1.ConditionReady).Message
			for _, says := range []string{
				"the topic is deleted", fmt.Sprintf("%d of %d resources in namespace %s within 1h0m0s", size, size, w.namespace), "holdfast-allow-destructive",
				"kubectl annotate --overwrite namespace " + w.namespace + " " + v1alpha1.AllowDestructiveUntilAnnotation + "=", "To approve: kubectl annotate",
				`{"spec":{"deletionPolicy":"Orphan"}}`,
			} {
				if !strings.Contains(message, says) {
					t.Errorf("the message lacks %q: %s", says, message)
				}
			}
			w.onHold(w.namespace, true)
			w.events(all[0], "Created", v1alpha1.ReasonDestructionOnHold)

			w.restart()
			w.settled(all[0])
			w.noWrites(mark)
			w.allowDestruction(w.namespace, time.Hour)
			w.allGone(all)
			w.onHold(w.namespace, false)
		})
	}
}

// TestWhatWasDestroyedIsRemembered by the next process, as is what is on hold; and one that a person approves goes.
func TestWhatWasDestroyedIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.breaking()
	w.start()
	all := w.stock(w.namespace, 12)
	w.prune(all[:3])
	w.allGone(all[:3])
	w.restart()
	mark := w.cloud.Traffic.Mark()
	w.prune(all[3:6])
	w.allHeld(all[3:6])
	w.noWrites(mark)
	w.restart()
	w.prune(all[6:7])
	w.allHeld(all[3:7])
	w.noWrites(mark)

	approve(w, all[3])
	w.gone(all[3])
	w.allHeld(all[4:7])
	if writes := w.writes(mark); len(writes) != 1 {
		t.Errorf("one deletion was approved, and there were %v", writes)
	}
}

// TestAPruneIsTakenBack by leaving the resources: what applies the manifests again finds them, and the namespace bears deletions as before.
func TestAPruneIsTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.breaking()
	w.start()
	all := w.stock(w.namespace, 6)
	mark := w.cloud.Traffic.Mark()
	w.prune(all)
	w.allHeld(all)
	for _, obj := range all {
		edit(w, obj, func(o v1alpha1.Object) { o.GetCommonSpec().DeletionPolicy = v1alpha1.DeletionOrphan })
	}
	w.allGone(all)
	w.onHold(w.namespace, false)
	for _, e := range w.cloud.Traffic.WritesSince(mark) {
		if e.Method == topics.deleting {
			t.Errorf("a topic was deleted: %+v", e)
		}
	}
	again := w.stock(w.namespace, 6)
	w.prune(again[:1])
	w.allGone(again[:1])
}

// TestAnAllowanceEnds by itself: the operator takes it off, and what comes later is on hold again.
func TestAnAllowanceEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.breaking()
	w.start()
	all := w.stock(w.namespace, 3)
	w.allowDestruction(w.namespace, aWhile)
	w.eventually("the allowance to be taken off", func() (bool, string) {
		space := w.space()
		w.get(space)
		kept := maps.Clone(space.Annotations)
		_, until := kept[v1alpha1.AllowDestructiveUntilAnnotation]
		_, by := kept[v1alpha1.AllowDestructiveByAnnotation]
		return !until && !by, fmt.Sprint(kept)
	})
	mark := w.cloud.Traffic.Mark()
	w.prune(all)
	w.allHeld(all)
	w.noWrites(mark)
}

// TestWhatDestroysWithoutDeleting is on hold as well, where it comes to too much.
func TestWhatDestroysWithoutDeleting(t *testing.T) {
	const many = 8
	for name, tc := range map[string]struct {
		make   func(i int) v1alpha1.Object
		change func(obj v1alpha1.Object)
		says   string
	}{
		"a lifecycle that deletes everything": {
			make: func(i int) v1alpha1.Object { return aBucket(fmt.Sprintf("logs-%d", i), v1alpha1.BucketSpec{}) },
			change: func(obj v1alpha1.Object) {
				rule := v1alpha1.LifecycleRule{Action: v1alpha1.LifecycleAction{Type: v1alpha1.LifecycleDelete}, Condition: v1alpha1.LifecycleCondition{Age: new(int64(0))}}
				obj.(*v1alpha1.Bucket).Spec.Lifecycle = &v1alpha1.Lifecycle{Rules: []v1alpha1.LifecycleRule{rule}}
			},
			says: "lifecycle rules delete objects that they did not delete before",
		},
		"a grant that is revoked": {
			make: func(i int) v1alpha1.Object {
				policy := additive(granting("roles/pubsub.viewer", "user:a@example.com", "user:b@example.com"))
				return aTopic(fmt.Sprintf("logs-%d", i), v1alpha1.TopicSpec{IAM: &policy})
			},
			change: func(obj v1alpha1.Object) {
				bindings := obj.(*v1alpha1.Topic).Spec.IAM.Bindings
				bindings[0].Members = bindings[0].Members[:1]
			},
			says: "1 entries of the IAM policy are removed",
		},
		"accounts that are disabled": {
			make: func(i int) v1alpha1.Object {
				return anAccount(fmt.Sprintf("account-%d", i), v1alpha1.ServiceAccountSpec{})
			},
			change: func(obj v1alpha1.Object) { obj.(*v1alpha1.ServiceAccount).Spec.Disabled = new(true) },
			says:   "nobody can act as the service account any more",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.breaking()
			w.breaker.Gathering = 10 * time.Second
			w.start()
			var all []v1alpha1.Object
			for i := range many {
				all = append(all, tc.make(i))
				w.create(all[i])
			}
			for _, obj := range all {
				w.ready(obj)
			}
			mark := w.cloud.Traffic.Mark()
			var editing errgroup.Group
			for _, obj := range all {
				before := obj.DeepCopyObject().(client.Object)
				tc.change(obj)
				editing.Go(func() error { return w.kube.Patch(t.Context(), obj, client.MergeFrom(before)) })
			}
			w.must(editing.Wait())
			w.allHeld(all)
			w.noWrites(mark)
			if message := condition(all[0], v1alpha1.ConditionReady).Message; !strings.Contains(message, tc.says) {
				t.Errorf("the message lacks %q: %s", tc.says, message)
			}
			w.allowDestruction(w.namespace, time.Hour)
			for _, obj := range all {
				w.ready(obj)
			}
		})
	}
}

// TestItTakesThreeNamespacesToStopAll, and none of them stops others by what it bears no more itself.
func TestItTakesThreeNamespacesToStopAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.breaking()
	w.breaker.Limits.Fleet = breaker.Limit{Resources: 8, Percent: 2}
	names := w.tenants(5)
	w.start(names...)
	stock := map[string][]v1alpha1.Object{}
	for _, name := range names {
		stock[name] = w.stock(name, 6)
	}
	crowd, first, second, third, late := names[0], names[1], names[2], names[3], names[4]
	w.prune(stock[crowd])
	w.allHeld(stock[crowd])

	t.Log("ten of two namespaces, where all namespaces together bear eight")
	w.prune(stock[first][:5])
	w.prune(stock[second][:5])
	w.allGone(stock[first][:5])
	w.allGone(stock[second][:5])
	mark := w.cloud.Traffic.Mark()
	w.prune(stock[third][:4])
	w.allHeld(stock[third][:4])
	w.prune(stock[late][:1])
	w.allHeld(stock[late][:1])
	w.noWrites(mark)
	w.onHold("", true)
	if message := condition(stock[late][0], v1alpha1.ConditionReady).Message; !strings.Contains(message, "14 of 30 resources in 3 namespaces of the fleet") {
		t.Errorf("the message does not say why: %s", message)
	}

	t.Log("with the third let through, the fleet is not on hold any more")
	w.allowDestruction(third, time.Hour)
	w.allGone(stock[third][:4])
	w.allGone(stock[late][:1])
	w.onHold("", false)
	w.allHeld(stock[crowd])
}

// TestTheRecordOfTheBreakerIsWrittenForADecision, and for nothing else.
func TestTheRecordOfTheBreakerIsWrittenForADecision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.breaking()
	w.start()
	record := &corev1.ConfigMap{}
	record.Namespace, record.Name = "holdfast-system", w.breakerOf().Record
	all := w.stock(w.namespace, 6)
	if err := w.read(record); client.IgnoreNotFound(err) != nil || err == nil {
		t.Fatalf("there is a record of nothing: %v", err)
	}
	w.prune(all[:4])
	w.allGone(all[:4])
	w.get(record)
	version := record.ResourceVersion
	edit(w, all[5], func(o v1alpha1.Object) { o.(*v1alpha1.Topic).Spec.Labels = v1alpha1.Labels{"team": "shop"} })
	w.settled(all[5])
	w.restart()
	w.settled(all[4])
	w.get(record)
	if record.ResourceVersion != version {
		t.Errorf("the record was written without a decision: %s", record.Data)
	}
}
