package engine

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// BenchmarkReconcileNoOp is a look at a resource that is as it shall be: what a fleet at rest costs per object and sweep,
// beside the calls themselves. The API server in memory has its share in it.
func BenchmarkReconcileNoOp(b *testing.B) {
	topic := shopTopic()
	r, _ := testReconciler(b, topic)
	request := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(topic)}
	if _, err := r.Reconcile(b.Context(), request); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Reconcile(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
}
