package engine

import (
	"bytes"
	"context"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/metrics"
)

// measured is an object as the metrics name it.
func (r *Reconciler) measured(name types.NamespacedName) metrics.Key {
	return metrics.Key{Kind: r.kind.Label(), Namespace: name.Namespace, Name: name.Name}
}

// measure shows in the metrics what a pass came to.
func (r *Reconciler) measure(d *draft, out outcome) {
	r.metrics.Passed(r.measured(client.ObjectKeyFromObject(d.obj)), metrics.Pass{
		Object: d.obj, Was: d.was, Reason: out.reason, Began: d.began, Ended: r.now(), Edited: editedAt(d.obj), Written: out.written,
	})
}

// measureEnd shows in the metrics a pass that left no status.
func (r *Reconciler) measureEnd(d *draft, reason string) {
	r.metrics.Ended(r.kind.Label(), reason, r.now().Sub(d.began))
}

// count returns how to count the objects of a kind in the cache that are the process's own, while it leads. It copies none of them.
func count(ctx context.Context, mgr ctrl.Manager, tenants *tenants, obj v1alpha1.Object) func() (int, bool) {
	return func() (int, bool) {
		select {
		case <-mgr.Elected():
		default:
			return 0, false
		}
		informer, err := mgr.GetCache().GetInformer(ctx, obj, cache.BlockUntilSynced(false))
		if err != nil {
			return 0, false
		}
		stored, ok := informer.(interface{ GetStore() toolscache.Store })
		if !ok { // one of several namespaces, which only tests have
			return 0, false
		}
		own := 0
		for _, key := range stored.GetStore().ListKeys() {
			namespace, _, _ := strings.Cut(key, "/")
			if tenants.ownsIn(namespace) {
				own++
			}
		}
		return own, true
	}
}

// editedAt is when somebody last edited the spec, to the second; zero if nothing tells.
func editedAt(obj metav1.Object) time.Time {
	edited := obj.GetCreationTimestamp().Time
	for _, f := range lastEdit(obj.GetManagedFields()) {
		edited = f.Time.Time
	}
	return edited
}

// editorOf is who last edited the spec, as the name that they or their tool gave to the API server; empty if nothing tells.
func editorOf(obj metav1.Object) string {
	for _, f := range lastEdit(obj.GetManagedFields()) {
		return f.Manager
	}
	return ""
}

// lastEdit is the newest entry that tells of an edit of the spec, as who made it and when; none if nothing does.
func lastEdit(fields []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	var last []metav1.ManagedFieldsEntry
	for _, f := range fields {
		if f.Time == nil || f.Subresource != "" || !ownsSpec(f) || len(last) > 0 && !f.Time.After(last[0].Time.Time) {
			continue
		}
		operation := metav1.ManagedFieldsOperationType(oneCopy(string(f.Operation)))
		last = []metav1.ManagedFieldsEntry{{Manager: oneCopy(f.Manager), Operation: operation, Time: f.Time}}
	}
	return last
}

// ownsSpec says whether somebody owns something in the spec. An entry of others without fields is what lastEdit has left.
func ownsSpec(f metav1.ManagedFieldsEntry) bool {
	if f.FieldsV1 == nil {
		return !isOwn(f)
	}
	return bytes.Contains(f.FieldsV1.GetRawBytes(), []byte(`"f:spec":{"`))
}
