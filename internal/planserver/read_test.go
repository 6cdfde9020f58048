package planserver

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/preview"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// forged is a manifest that claims to be what it is not.
func forged(namespace, name string) *v1alpha1.Bucket {
	return &v1alpha1.Bucket{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name, UID: "forged", ResourceVersion: "99", Generation: 99,
			CreationTimestamp: metav1.NewTime(noon.Add(-1000 * time.Hour)), DeletionTimestamp: new(metav1.NewTime(noon)),
			Finalizers: []string{v1alpha1.Finalizer, "forged"}, Labels: map[string]string{"forged": "yes"},
			Annotations: map[string]string{
				v1alpha1.ApproveAnnotation: "forged", v1alpha1.ApproveByAnnotation: "forged", v1alpha1.BreakGlassAnnotation: "forged",
				v1alpha1.ReconcileRequestedAtAnnotation: "forged",
			},
			OwnerReferences: []metav1.OwnerReference{{Name: "forged"}},
		},
		Spec: v1alpha1.BucketSpec{Location: "EU"},
		Status: v1alpha1.BucketStatus{CommonStatus: v1alpha1.CommonStatus{
			ObservedGeneration: 99, Project: "forged", Identity: "forged", CreatedIdentity: "forged", AppliedFields: []string{"spec.labels"},
			Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}},
		}},
	}
}

// TestOfAManifestTheSpecAloneCounts: what a caller writes beside it decides nothing.
func TestOfAManifestTheSpecAloneCounts(t *testing.T) {
	k, _ := kind.Named(kinds.All(nil), "Bucket")
	stored := &v1alpha1.Bucket{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "logs", UID: "real", Generation: 3, ResourceVersion: "7", CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour)),
			Finalizers: []string{v1alpha1.Finalizer}, Annotations: map[string]string{v1alpha1.BreakGlassAnnotation: "INC-1"},
		},
		Spec: v1alpha1.BucketSpec{Location: "US"},
		Status: v1alpha1.BucketStatus{
			CommonStatus: v1alpha1.CommonStatus{ObservedGeneration: 3, Project: "shop-project", Identity: "real", AppliedFields: []string{"spec.location"}},
		},
	}
	before := stored.DeepCopy()
	is := metav1.TypeMeta{APIVersion: "gcp.holdfast.dev/v1alpha1", Kind: "Bucket"}
	changed, unchanged := stored.DeepCopy(), stored.DeepCopy()
	changed.TypeMeta, unchanged.TypeMeta = is, is
	changed.Spec.Location, changed.Generation = "EU", 4
	same := forged("shop", "logs")
	same.Spec = stored.Spec
	created := &v1alpha1.Bucket{
		TypeMeta:   is,
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "logs", Generation: 1, CreationTimestamp: metav1.NewTime(noon)},
		Spec:       v1alpha1.BucketSpec{Location: "EU"},
		Status:     v1alpha1.BucketStatus{CommonStatus: v1alpha1.CommonStatus{ObservedGeneration: -1}},
	}
	for name, tc := range map[string]struct{ obj, old, want v1alpha1.Object }{
		"over what is there":                   {forged("shop", "logs"), stored, changed},
		"over what is there, without a change": {same, stored, unchanged},
		"new":                                  {forged("shop", "logs"), nil, created},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := bare(plan.Manifest{Kind: k, Object: tc.obj})
			if err != nil {
				t.Fatal(err)
			}
			preview.NewOverlay(nil, noon).Apply(plan.Manifest{Kind: k, Object: got}, tc.old)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("as applied (-want +got):\n%s", diff)
			}
		})
	}
	if diff := cmp.Diff(before, stored); diff != "" {
		t.Errorf("what the cluster has was changed (-before +after):\n%s", diff)
	}
}
