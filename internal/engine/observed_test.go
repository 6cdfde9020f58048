package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func TestObservedIsWhole(t *testing.T) {
	bucket := &v1alpha1.Bucket{Spec: v1alpha1.BucketSpec{Location: "EU", Lifecycle: &v1alpha1.Lifecycle{Rules: []v1alpha1.LifecycleRule{
		{Action: v1alpha1.LifecycleAction{Type: v1alpha1.LifecycleDelete}, Condition: v1alpha1.LifecycleCondition{SizeBelowBytes: new(int64(9007199254740993))}},
		{Action: v1alpha1.LifecycleAction{Type: v1alpha1.LifecycleDelete}},
	}}}}
	for name, tc := range map[string]struct {
		live kind.Live
		want string
	}{
		"nothing":                   {kind.Live{Object: &v1alpha1.Bucket{}}, ""},
		"nothing that the spec has": {kind.Live{Object: &v1alpha1.Bucket{}, Unmanaged: []diff.Unmanaged{{Path: "spec.#90", Value: "1"}}}, `{"#90":1}`},
		"all that the spec has":     {kind.Live{Object: &v1alpha1.Bucket{Spec: v1alpha1.BucketSpec{Location: "EU"}}}, `{"location":"EU"}`},
		"what the spec has no field for": {
			kind.Live{Object: bucket, Unmanaged: []diff.Unmanaged{
				{Path: "spec.ipFilter", Value: `{"mode":"Enabled"}`}, {Path: "spec.lifecycle.rules[1].condition.weather", Value: `"rain"`}, {Path: "spec.rules.of", Value: "1"},
			}},
			`{"ipFilter":{"mode":"Enabled"},"lifecycle":{"rules":[{"action":{"type":"Delete"},"condition":{"sizeBelowBytes":9007199254740993}},` +
				`{"action":{"type":"Delete"},"condition":{"weather":"rain"}}]},"location":"EU","rules":{"of":1}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var want *runtime.RawExtension
			if tc.want != "" {
				want = &runtime.RawExtension{Raw: []byte(tc.want)}
			}
			if d := cmp.Diff(want, observedOf(tc.live)); d != "" {
				t.Errorf("observed (-want +got):\n%s", d)
			}
		})
	}
}
