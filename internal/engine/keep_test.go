package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestTheCacheKeepsWhatMeansSomethingHere(t *testing.T) {
	own := wrote(fieldManager, 70, "", `{"f:metadata":{"f:annotations":{"f:holdfast.dev/break-glass":{}}}}`)
	edit := wrote("flux", 60, "", `{"f:spec":{"f:labels":{}}}`)
	edited := edit
	edited.FieldsV1 = nil
	for name, tc := range map[string]struct{ obj, want metav1.ObjectMeta }{
		"nothing": {},
		"nothing of ours": {obj: metav1.ObjectMeta{
			Labels: map[string]string{"team": "shop"}, Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: "{}"},
			ManagedFields: []metav1.ManagedFieldsEntry{wrote("manager", 80, "status", `{"f:status":{}}`)},
		}},
		"some of ours": {
			obj: metav1.ObjectMeta{
				Name: "orders", Labels: map[string]string{"team": "shop", "holdfast.dev/shard": "a"}, Finalizers: []string{v1alpha1.Finalizer},
				Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: "{}", v1alpha1.BreakGlassAnnotation: "INC-1", "holdfast.developer": "eve"},
				ManagedFields: []metav1.ManagedFieldsEntry{
					wrote("ada", 10, "", `{"f:spec":{"f:kmsKeyName":{}}}`), edit, own, wrote("manager", 80, "status", `{"f:status":{}}`),
				},
			},
			want: metav1.ObjectMeta{
				Name: "orders", Labels: map[string]string{"holdfast.dev/shard": "a"}, Finalizers: []string{v1alpha1.Finalizer},
				Annotations:   map[string]string{v1alpha1.BreakGlassAnnotation: "INC-1"},
				ManagedFields: []metav1.ManagedFieldsEntry{edited, own},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var kept any = &v1alpha1.Topic{ObjectMeta: *tc.obj.DeepCopy()}
			for _, times := range []string{"once", "again"} { // as a watch does that begins anew
				var err error
				if kept, err = KeepOwnFields()(kept); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tc.want, kept.(*v1alpha1.Topic).ObjectMeta); d != "" {
					t.Errorf("kept %s (-want +got):\n%s", times, d)
				}
			}
		})
	}
	var gone any = "a tombstone"
	if kept, err := KeepOwnFields()(gone); err != nil || kept != gone {
		t.Errorf("what is no object became %v, %v", kept, err)
	}
}
