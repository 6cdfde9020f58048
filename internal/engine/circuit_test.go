package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breaker"
)

// doomed is a topic that is Ready and that goes with its manifest, which is being deleted; and beside it one that stays.
func doomed(t *testing.T) (*Reconciler, *fakeKind) {
	t.Helper()
	goes, stays := shopTopic(), shopTopic()
	goes.Spec.DeletionPolicy = v1alpha1.DeletionDelete
	stays.Name, stays.UID, stays.Finalizers, stays.Status.Identity = "invoices", "2", []string{v1alpha1.Finalizer}, "marked"
	r, topics := testReconciler(t, goes, stays)
	r.uncached = interceptor.NewClient(r.client.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			if _, definition := obj.(*metav1.PartialObjectMetadata); definition { // which is there and stays
				return nil
			}
			return c.Get(ctx, key, obj, opts...)
		},
	})
	step(t, r, v1alpha1.ReasonUpToDate)
	edit(t, r, func(topic *v1alpha1.Topic) { topic.Generation++ }) // as the API server does when an object is deleted
	if err := r.client.Delete(t.Context(), goes); err != nil {
		t.Fatal(err)
	}
	return r, topics
}

// recordOf is what is on record in the API server.
func recordOf(t *testing.T, r *Reconciler) breaker.Record {
	t.Helper()
	var stored corev1.ConfigMap
	if err := r.uncached.Get(t.Context(), r.circuit.key, &stored); client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	record, err := breaker.Parse(stored.Data[breakerKey])
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// TestADeletionWaitsForWhatElseIsDeleted, and is on record before it is made.
func TestADeletionWaitsForWhatElseIsDeleted(t *testing.T) {
	r, topics := doomed(t)
	now := time.Now()
	r.now = func() time.Time { return now }
	r.circuit.gathers = 10 * time.Second
	req := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "shop", Name: "orders"}}
	for _, passed := range []time.Duration{0, 4 * time.Second} {
		now = now.Add(passed)
		result, err := r.Reconcile(t.Context(), req)
		if want := 10*time.Second - passed; err != nil || result.RequeueAfter != want {
			t.Errorf("after %s it is tried again in %s (%v), want %s", passed, result.RequeueAfter, err, want)
		}
		if len(topics.live) != 1 || len(recordOf(t, r).Namespaces) != 0 {
			t.Fatalf("live %v, on record %+v", topics.live, recordOf(t, r))
		}
	}
	now = now.Add(6 * time.Second)
	if _, err := reconcileOnce(t, r); err != nil || len(topics.live) != 0 {
		t.Errorf("live %v: %v", topics.live, err)
	}
	if got := recordOf(t, r).Namespaces["shop"].Let; len(got) != 1 || got[0].UID != "1" || !got[0].Ends {
		t.Errorf("on record is %+v", got)
	}
}

// TestWhoeverHasAskedIsDecidedAbout, be it that it does not come back for long: it may have lost its place in a line meanwhile.
func TestWhoeverHasAskedIsDecidedAbout(t *testing.T) {
	r, topics := doomed(t)
	now := time.Now()
	r.now = func() time.Time { return now }
	r.circuit.gathers = 10 * time.Second
	for _, passed := range []time.Duration{0, 5 * time.Second, 10 * time.Second, 30 * time.Minute} {
		now = now.Add(passed)
		if passed == 0 || passed > time.Minute {
			if _, err := reconcileOnce(t, r); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.circuit.attend(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(topics.live) != 0 {
		t.Errorf("live %v", topics.live)
	}
}

// TestAHoldThatWasPresumedEnds: it took another manifest that goes, which nobody had looked at yet, and which a glass keeps.
func TestAHoldThatWasPresumedEnds(t *testing.T) {
	r, topics := doomed(t)
	var free []bool
	r.circuit.released = func(found *survey, isFree func(string) bool) {
		if len(found.held["Topic"]) > 0 {
			free = append(free, isFree("shop"))
		}
	}
	other := shopTopic()
	other.Name = "invoices"
	change := func(topic *v1alpha1.Topic, do func()) {
		t.Helper()
		if err := r.client.Get(t.Context(), client.ObjectKeyFromObject(topic), topic); err != nil {
			t.Fatal(err)
		}
		do()
		if err := r.client.Update(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	change(other, func() { other.Generation, other.Spec.DeletionPolicy = 2, v1alpha1.DeletionDelete })
	if err := r.client.Delete(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	step(t, r, v1alpha1.ReasonDestructionOnHold)
	attend := func() {
		t.Helper()
		if err := r.circuit.attend(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	attend()
	change(other, func() { other.Annotations = map[string]string{v1alpha1.BreakGlassAnnotation: "INC-1"} })
	attend()
	if d := cmp.Diff([]bool{false, true}, free); d != "" {
		t.Errorf("it is told that the namespace is not on hold any more (-want +got):\n%s", d)
	}
	if _, err := reconcileOnce(t, r); err != nil || len(topics.live) != 0 {
		t.Errorf("live %v: %v", topics.live, err)
	}
}

// TestWhoeverAsksNoMoreIsForgotten, be it that somebody decides at that moment.
func TestWhoeverAsksNoMoreIsForgotten(t *testing.T) {
	r, _ := doomed(t)
	r.circuit.gathers = time.Hour
	if _, err := reconcileOnce(t, r); err != nil || len(r.circuit.asked) != 1 {
		t.Fatalf("asked %v: %v", r.circuit.asked, err)
	}
	r.circuit.mu.Lock()
	r.circuit.forget("1")
	r.circuit.mu.Unlock()
	if err := r.circuit.decide(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if len(r.circuit.asked) != 0 {
		t.Errorf("asked %v", r.circuit.asked)
	}
}

// TestNothingIsDestroyedWithoutARecord of it, be it that it cannot be written, be it that it cannot be read.
func TestNothingIsDestroyedWithoutARecord(t *testing.T) {
	away := errors.New("the API server is away")
	for name, tc := range map[string]struct {
		stored string
		funcs  interceptor.Funcs
		says   string
	}{
		"it cannot be written": {says: "writing ConfigMap holdfast-system/holdfast-breaker", funcs: interceptor.Funcs{
			Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error { return away },
		}},
		"it cannot be read": {says: "reading ConfigMap holdfast-system/holdfast-breaker", funcs: interceptor.Funcs{
			Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
				return away
			},
		}},
		"it is damaged": {stored: "{", says: "is damaged, delete it to begin anew"},
	} {
		t.Run(name, func(t *testing.T) {
			r, topics := doomed(t)
			if tc.stored != "" {
				damaged := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: r.circuit.key.Namespace, Name: r.circuit.key.Name}}
				damaged.Data = map[string]string{breakerKey: tc.stored}
				if err := r.client.Create(t.Context(), damaged); err != nil {
					t.Fatal(err)
				}
			}
			r.circuit.client = interceptor.NewClient(r.client.(client.WithWatch), tc.funcs)
			r.circuit.reader = r.circuit.client
			stored, _ := reconcileOnce(t, r)
			if stored == nil || len(topics.live) != 1 {
				t.Fatalf("live %v", topics.live)
			}
			if is := readyCondition(stored); is.Reason != v1alpha1.ReasonUnavailable || !strings.Contains(is.Message, tc.says) {
				t.Errorf("%s: %s", is.Reason, is.Message)
			}
		})
	}
}

// TestAnotherProcessHasWrittenTheRecord meanwhile: it is read anew, and what it says counts.
func TestAnotherProcessHasWrittenTheRecord(t *testing.T) {
	r, topics := doomed(t)
	others := breaker.Record{Namespaces: map[string]breaker.Space{"shop": {}}}
	for i := range 5 {
		let := breaker.Let{Intent: breaker.Intent{UID: types.UID(fmt.Sprint("other-", i)), Generation: 1, Ends: true}, At: r.now().Add(-time.Minute)}
		space := others.Namespaces["shop"]
		space.Let = append(space.Let, let)
		others.Namespaces["shop"] = space
	}
	if err := r.circuit.load(t.Context()); err != nil { // there is none yet
		t.Fatal(err)
	}
	stored := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: r.circuit.key.Namespace, Name: r.circuit.key.Name}}
	stored.Data = map[string]string{breakerKey: others.String()}
	if err := r.client.Create(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	if _, err := reconcileOnce(t, r); err != nil || len(topics.live) != 1 {
		t.Fatalf("live %v: %v", topics.live, err)
	}
	step(t, r, v1alpha1.ReasonDestructionOnHold)
	if len(topics.live) != 1 {
		t.Error("a sixth was destroyed")
	}
}

// TestAnOrphanAsksNobody, nor does what is created or changed without a loss.
func TestAnOrphanAsksNobody(t *testing.T) {
	r, topics := testReconciler(t, shopTopic())
	r.circuit.gathers = time.Hour
	step(t, r, v1alpha1.ReasonUpToDate)
	edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.Labels["team"] = "bank" })
	step(t, r, v1alpha1.ReasonUpToDate)
	if err := r.client.Delete(t.Context(), shopTopic()); err != nil {
		t.Fatal(err)
	}
	if _, err := reconcileOnce(t, r); err != nil || len(topics.live) != 1 {
		t.Errorf("live %v: %v", topics.live, err)
	}
	if len(recordOf(t, r).Namespaces) != 0 {
		t.Error("it is on record as destroyed")
	}
}
