package engine

import (
	"context"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestAStaleNamespaceDoesNotCloseARecord: the gate reads the Namespace uncached and may know of its glass before the cache
// does. The next pass, for whatever reason it comes, must not take that for a closing.
func TestAStaleNamespaceDoesNotCloseARecord(t *testing.T) {
	topic := shopTopic()
	topic.Status.BreakGlass = &v1alpha1.BreakGlass{Scope: v1alpha1.BreakGlassOnNamespace, Reason: "INC-4711: partner needs access", By: "ada", Since: metav1.Now()}
	glass := map[string]string{v1alpha1.BreakGlassAnnotation: "INC-4711: partner needs access", v1alpha1.BreakGlassByAnnotation: "ada"}
	r, topics := testReconciler(t, topic)
	r.uncached = fake.NewClientBuilder().WithScheme(r.scheme).WithObjects(shopNamespace(glass)).Build()
	stored, err := reconcileOnce(t, r)
	if err != nil || stored.Status.BreakGlass == nil || len(stored.Status.BreakGlassHistory) > 0 {
		t.Errorf("pass: %v; open is %+v, behind it %+v", err, stored.Status.BreakGlass, stored.Status.BreakGlassHistory)
	}
	if len(topics.live) > 0 {
		t.Errorf("written is %v", topics.live)
	}
}

// TestAnApprovalDoesNotOutliveAnIncident that the gate alone has seen: what is there after it, somebody has to see first.
func TestAnApprovalDoesNotOutliveAnIncident(t *testing.T) {
	topic := shopTopic()
	topic.Spec.Management = v1alpha1.ManagementApprove
	r, topics := testReconciler(t, topic)
	step(t, r, v1alpha1.ReasonAwaitingApproval)
	approveTopic(t, r)
	topics.failing = status.Error(codes.Unavailable, "away")
	begun := step(t, r, v1alpha1.ReasonUnavailable)
	if begun.Status.Approved == nil {
		t.Fatal("the approval is not recorded")
	}
	topics.failing = nil
	edit(t, r, func(topic *v1alpha1.Topic) { topic.Annotations = nil })
	glass := map[string]string{v1alpha1.BreakGlassAnnotation: "INC-4711: partner needs access", v1alpha1.BreakGlassByAnnotation: "ada"}
	whole := r.gate
	r.gate = NewGate(namespaceAs{r.client, shopNamespace(glass)}, endless{}, "")
	if stored := step(t, r, v1alpha1.ReasonBreakGlass); stored.Status.Approved != nil {
		t.Errorf("still approved is %+v", stored.Status.Approved)
	}
	r.gate = whole
	step(t, r, v1alpha1.ReasonAwaitingApproval)
	if len(topics.live) > 0 {
		t.Errorf("written is %v", topics.live)
	}
}

// TestAnUnusedApprovalDoesNotOutliveAnIncident either, which it may have been for: its hash is that of no plan any more, though nothing has changed.
func TestAnUnusedApprovalDoesNotOutliveAnIncident(t *testing.T) {
	glass := map[string]string{v1alpha1.BreakGlassAnnotation: "INC-4711: partner needs access", v1alpha1.BreakGlassByAnnotation: "ada"}
	cases := map[string]struct {
		during       string
		broken, over func(*Reconciler, *Gate) error
	}{
		"that the gate alone has seen": {
			v1alpha1.ReasonAwaitingApproval,
			func(r *Reconciler, _ *Gate) error {
				r.gate = NewGate(namespaceAs{r.client, shopNamespace(glass)}, endless{}, "")
				return nil
			},
			func(r *Reconciler, whole *Gate) error { r.gate = whole; return nil },
		},
		"of another manifest of the resource": {
			v1alpha1.ReasonBreakGlass,
			func(r *Reconciler, _ *Gate) error {
				watcher := shopTopic()
				watcher.Name, watcher.UID, watcher.Annotations = "watcher", "2", glass
				watcher.Spec.ResourceID, watcher.Spec.Management = "orders", v1alpha1.ManagementObserve
				return r.client.Create(t.Context(), watcher)
			},
			func(r *Reconciler, _ *Gate) error {
				var watcher v1alpha1.Topic
				if err := r.client.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "watcher"}, &watcher); err != nil {
					return err
				}
				watcher.Annotations = nil
				return r.client.Update(t.Context(), &watcher)
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			topic := shopTopic()
			topic.Spec.Management = v1alpha1.ManagementApprove
			r, topics := testReconciler(t, topic)
			step(t, r, v1alpha1.ReasonAwaitingApproval)
			approveTopic(t, r)
			whole := r.gate
			if err := tc.broken(r, whole); err != nil {
				t.Fatal(err)
			}
			during := step(t, r, v1alpha1.ReasonBreakGlass)
			if again := step(t, r, tc.during); again.Status.PlanSequence != during.Status.PlanSequence {
				t.Errorf("the plan has another hash after each look: %d, then %d", during.Status.PlanSequence, again.Status.PlanSequence)
			}
			if err := tc.over(r, whole); err != nil {
				t.Fatal(err)
			}
			step(t, r, v1alpha1.ReasonAwaitingApproval)
			if len(topics.live) > 0 {
				t.Errorf("written is %v", topics.live)
			}
			edit(t, r, func(topic *v1alpha1.Topic) { topic.Annotations = nil })
			approveTopic(t, r)
			step(t, r, v1alpha1.ReasonUpToDate)
		})
	}
}

// namespaceAs reads a Namespace as it is now, which a cache does not have yet.
type namespaceAs struct {
	client.Reader

	newest *corev1.Namespace
}

func (n namespaceAs) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	if namespace, is := obj.(*corev1.Namespace); is {
		n.newest.DeepCopyInto(namespace)
		return nil
	}
	return n.Reader.Get(ctx, key, obj, opts...)
}
