package engine

import (
	"context"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// failing makes writes of BreakGlassRecords fail until they are allowed again.
func failing(r *Reconciler, with error) (allow func()) {
	whole := r.client
	r.client = interceptor.NewClient(whole.(client.WithWatch), interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			if _, is := obj.(*v1alpha1.BreakGlassRecord); is {
				return with
			}
			return c.Create(ctx, obj, opts...)
		},
	})
	return func() { r.client = whole }
}

// onRecord counts what all records have.
func onRecord(t *testing.T, r *Reconciler) (n int) {
	t.Helper()
	var records v1alpha1.BreakGlassRecordList
	if err := r.client.List(t.Context(), &records, client.InNamespace(defaultNamespace)); err != nil {
		t.Fatal(err)
	}
	for _, record := range records.Items {
		n += len(record.Spec.Episodes)
	}
	return n
}

// TestAGlassIsClosedOnceThatIsOnRecord: until then it counts as broken, and nothing is written.
func TestAGlassIsClosedOnceThatIsOnRecord(t *testing.T) {
	r, topics := testReconciler(t, shopTopic())
	step(t, r, v1alpha1.ReasonUpToDate)
	edit(t, r, breakGlass)
	step(t, r, v1alpha1.ReasonUpToDate)
	edit(t, r, func(topic *v1alpha1.Topic) {
		closeGlass(topic)
		topic.Spec.MessageRetentionSeconds = new(int64(7200))
	})
	allow := failing(r, errors.New("the API server is away"))
	stored, _ := reconcileOnce(t, r)
	if stored.Status.BreakGlass == nil || len(stored.Status.BreakGlassHistory) > 0 || *topics.live["orders"].MessageRetentionSeconds != 3600 {
		t.Errorf("open is %+v, behind it %+v; live %+v", stored.Status.BreakGlass, stored.Status.BreakGlassHistory, topics.live)
	}
	allow()
	stored = step(t, r, v1alpha1.ReasonUpToDate)
	if stored.Status.BreakGlass != nil || len(stored.Status.BreakGlassHistory) != 1 || onRecord(t, r) != 1 || *topics.live["orders"].MessageRetentionSeconds != 7200 {
		t.Errorf("open is %+v, behind it %+v, on record %d; live %+v", stored.Status.BreakGlass, stored.Status.BreakGlassHistory, onRecord(t, r), topics.live)
	}
}

// TestNoManifestGoesBeforeItsHistoryIsOnRecord: as if the process had been killed when the glass was closed, and the record were gone. Where
// Holdfast is being uninstalled nothing waits.
func TestNoManifestGoesBeforeItsHistoryIsOnRecord(t *testing.T) {
	resource := schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "breakglassrecords"}
	for name, tc := range map[string]struct {
		err  error
		goes bool
	}{
		"the API server is away":                 {errors.New("away"), false},
		"Holdfast lacks the right":               {apierrors.NewForbidden(resource, "x", errors.New("no role")), false},
		"somebody else always writes first":      {apierrors.NewConflict(resource, "x", errors.New("newer")), false},
		"another process creates it at the time": {apierrors.NewAlreadyExists(resource, "x"), false},
		"the definition is gone":                 {apierrors.NewNotFound(resource, "x"), true},
		"the definition is going":                {apierrors.NewMethodNotSupported(resource, "create"), true},
	} {
		t.Run(name, func(t *testing.T) {
			topic := shopTopic()
			topic.Status.BreakGlassHistory = []v1alpha1.BreakGlassEpisode{{BreakGlass: v1alpha1.BreakGlass{Scope: "Object", Reason: "INC-1", By: "ada"}, Ending: "Closed"}}
			r, _ := testReconciler(t, topic)
			step(t, r, v1alpha1.ReasonUpToDate)
			if err := r.client.Delete(t.Context(), topic); err != nil {
				t.Fatal(err)
			}
			allow := failing(r, tc.err)
			stored, _ := reconcileOnce(t, r)
			if gone := stored == nil; gone != tc.goes {
				t.Fatalf("gone is %v", gone)
			}
			allow()
			if tc.goes {
				return
			}
			if stored, err := reconcileOnce(t, r); stored != nil || err != nil || onRecord(t, r) != 1 {
				t.Errorf("there is %v, error %v, on record %d", stored, err, onRecord(t, r))
			}
		})
	}
}
