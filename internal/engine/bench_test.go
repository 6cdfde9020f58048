package engine

import (
	"encoding/json"
	"fmt"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// BenchmarkReconcileNoOp is a look at a resource that matches its manifest: what a fleet at rest costs per object and sweep, beside the
// calls themselves. The API server in memory has its share in it. Below it is the floor: to write the same manifest as JSON once.
func BenchmarkReconcileNoOp(b *testing.B) {
	const members = 50
	topic, policied := shopTopic(), shopTopic()
	policied.Spec.IAM = &v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAdditive, Bindings: []v1alpha1.IAMBinding{{Role: "roles/pubsub.publisher"}}}
	binding := &policied.Spec.IAM.Bindings[0]
	for i := range members {
		binding.Members = append(binding.Members, v1alpha1.IAMMember(fmt.Sprintf("user:member-%d@example.com", i)))
	}
	b.Run("fields", func(b *testing.B) {
		r, _ := testReconciler(b, topic)
		benchmarkNoOp(b, r, topic)
	})
	b.Run(fmt.Sprintf("policy of %d members", members), func(b *testing.B) {
		r, base := testReconciler(b, policied)
		topics := &policiedKind{fakeKind: base, bindings: []iampolicy.Binding{{Role: binding.Role}}}
		for _, member := range binding.Members {
			topics.bindings[0].Members = append(topics.bindings[0].Members, string(member))
		}
		r.use(kind.Of(topics))
		benchmarkNoOp(b, r, policied)
	})
}

func benchmarkNoOp(b *testing.B, r *Reconciler, topic *v1alpha1.Topic) {
	request := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(topic)}
	look := func(b *testing.B) {
		r.due.set(request.NamespacedName, 0)
		if _, err := r.Reconcile(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
	look(b)
	var settled v1alpha1.Topic
	if err := r.client.Get(b.Context(), request.NamespacedName, &settled); err != nil {
		b.Fatal(err)
	}
	if is := readyCondition(&settled); is.Reason != v1alpha1.ReasonUpToDate {
		b.Fatalf("reason %s: %s", is.Reason, is.Message)
	}
	b.Run("reconcile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			look(b)
		}
	})
	b.Run("floor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(&settled); err != nil {
				b.Fatal(err)
			}
		}
	})
	var after v1alpha1.Topic
	if err := r.client.Get(b.Context(), request.NamespacedName, &after); err != nil || after.ResourceVersion != settled.ResourceVersion {
		b.Errorf("a look with nothing to do wrote: version %s, was %s; %v", after.ResourceVersion, settled.ResourceVersion, err)
	}
}
