package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// reconcileOnce looks at the topic shop/orders, settled or not, and returns it as it is stored then; nil if it is gone.
func reconcileOnce(t *testing.T, r *Reconciler) (*v1alpha1.Topic, error) {
	t.Helper()
	key := client.ObjectKey{Namespace: "shop", Name: "orders"}
	r.due.set(key, 0)
	_, failure := r.Reconcile(t.Context(), reconcile.Request{NamespacedName: key})
	var stored v1alpha1.Topic
	err := r.client.Get(t.Context(), key, &stored)
	switch {
	case apierrors.IsNotFound(err):
		return nil, failure
	case err != nil:
		t.Fatal(err)
	}
	return &stored, failure
}

func TestOnePassDoesAllThereIsToDo(t *testing.T) {
	r, topics := testReconciler(t, shopTopic())
	topic, err := reconcileOnce(t, r)
	if err != nil || readyCondition(topic).Reason != v1alpha1.ReasonUpToDate {
		t.Fatalf("pass: %v, conditions %+v", err, topic.Status.Conditions)
	}
	want := v1alpha1.Labels{"team": "shop", "holdfast-owner": "cluster", "holdfast-namespace": "shop", "holdfast-name": "orders"}
	if d := cmp.Diff(want, topics.live["orders"].Labels); d != "" {
		t.Errorf("labels (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"spec.labels[team]", "spec.messageRetentionSeconds"}, topic.Status.AppliedFields); d != "" {
		t.Errorf("applied fields (-want +got):\n%s", d)
	}

	again, err := reconcileOnce(t, r)
	if err != nil || again.ResourceVersion != topic.ResourceVersion {
		t.Errorf("a pass with nothing to do: %v, version %s, was %s", err, again.ResourceVersion, topic.ResourceVersion)
	}

	if err := r.client.Delete(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	if gone, err := reconcileOnce(t, r); err != nil || gone != nil {
		t.Errorf("after the deletion: %v, %+v", err, gone)
	}
	if d := cmp.Diff(v1alpha1.Labels{"team": "shop"}, topics.live["orders"].Labels); d != "" {
		t.Errorf("labels of the orphan (-want +got):\n%s", d)
	}
}

// TestAFailureThatStaysTheSameIsSaidOnce: what is recorded before another try is taken back after it.
func TestAFailureThatStaysTheSameIsSaidOnce(t *testing.T) {
	for name, failing := range map[string]error{
		"refused":     status.Error(codes.InvalidArgument, "no"),
		"unavailable": status.Error(codes.Unavailable, "away"),
		"denied":      status.Error(codes.PermissionDenied, "no"),
	} {
		t.Run(name, func(t *testing.T) {
			r, topics := testReconciler(t, shopTopic())
			topics.failing = failing
			first, _ := reconcileOnce(t, r)
			second, err := reconcileOnce(t, r)
			if d := cmp.Diff(first.Status, second.Status); d != "" {
				t.Errorf("the second pass changed the status (-before +after):\n%s", d)
			}
			if retried := errors.Is(err, failing); retried != (name == "unavailable") {
				t.Errorf("the pass ends with %v", err)
			}
		})
	}
}

func TestAResourceThatIsNotOwnedHasNoAppliedFields(t *testing.T) {
	topic := shopTopic()
	topic.Finalizers = []string{v1alpha1.Finalizer}
	topic.Status.AppliedFields = []string{"spec.kmsKeyName", "spec.labels[team]"} // of a topic that was lost
	r, topics := testReconciler(t, topic)
	topics.failing = status.Error(codes.Unavailable, "away")
	stored, _ := reconcileOnce(t, r)
	if len(stored.Status.AppliedFields) > 0 || len(stored.Status.Pending) != 2 {
		t.Errorf("applied %v, pending %v", stored.Status.AppliedFields, stored.Status.Pending)
	}
}

// editedKind is a fakeKind during whose look somebody does something, once.
type editedKind struct {
	*fakeKind

	edit func()
}

func (k *editedKind) Observe(ctx context.Context, ref kind.Ref) (v1alpha1.TopicSpec, error) {
	if edit := k.edit; edit != nil {
		k.edit = nil
		edit()
	}
	return k.fakeKind.Observe(ctx, ref)
}

// TestAStalePassAdoptsNothing: a field leaves the manifest before the pass that found it to match has been stored. Nobody was told
// that it was adopted, so it is not reset.
func TestAStalePassAdoptsNothing(t *testing.T) {
	r, topics := testReconciler(t, shopTopic())
	topics.live["orders"] = v1alpha1.TopicSpec{Labels: v1alpha1.Labels{"team": "shop"}, MessageRetentionSeconds: new(int64(3600))}
	r.use(kind.Of(&editedKind{topics, func() {
		edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.MessageRetentionSeconds = nil })
	}}))
	topic, err := reconcileOnce(t, r)
	if err != nil {
		t.Fatal(err)
	}
	if topic.Status.Identity != "" || len(topic.Status.AppliedFields) > 0 {
		t.Errorf("a stale pass has recorded the identity %q and the applied fields %v", topic.Status.Identity, topic.Status.AppliedFields)
	}
	step(t, r, v1alpha1.ReasonUpToDate)
	if topics.live["orders"].MessageRetentionSeconds == nil {
		t.Error("a retention was reset that was never adopted")
	}
}

// TestAStalePassHandlesNothing: whoever asked for a look waits until one was taken, and its result is there to be read.
func TestAStalePassHandlesNothing(t *testing.T) {
	r, topics := testReconciler(t, shopTopic())
	topics.live["orders"] = v1alpha1.TopicSpec{Labels: v1alpha1.Labels{"team": "shop"}, MessageRetentionSeconds: new(int64(7200))}
	step(t, r, v1alpha1.ReasonAwaitingAdoption)
	edit(t, r, func(topic *v1alpha1.Topic) {
		topic.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
	})
	r.use(kind.Of(&editedKind{topics, func() {
		edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.MessageRetentionSeconds = nil })
	}}))
	topic, err := reconcileOnce(t, r)
	if err != nil || topic.Status.LastHandledReconcileAt != "" {
		t.Errorf("a stale pass has handled %q: %v", topic.Status.LastHandledReconcileAt, err)
	}
	if topic := step(t, r, v1alpha1.ReasonUpToDate); topic.Status.LastHandledReconcileAt != "now" {
		t.Errorf("handled is %q", topic.Status.LastHandledReconcileAt)
	}
}
