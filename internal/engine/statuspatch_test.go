package engine

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestStatusPatch(t *testing.T) {
	stored := shopTopic()
	stored.ResourceVersion = "7"
	stored.Status.Project, stored.Status.Observed = "shop-project", &runtime.RawExtension{Raw: []byte(`{"a":"<","b":1}`)}
	stored.Status.Conditions = []metav1.Condition{{Type: "Ready", LastTransitionTime: metav1.NewTime(three)}}
	cases := map[string]struct {
		change  func(*v1alpha1.Topic)
		version string
		want    string // empty for none
	}{
		"nothing":                      {func(*v1alpha1.Topic) {}, "7", ""},
		"the spec, which is not ours":  {func(topic *v1alpha1.Topic) { topic.Spec.Labels = nil }, "7", ""},
		"the same, written otherwise":  {func(topic *v1alpha1.Topic) { topic.Status.Observed.Raw = []byte(`{"b":1,"a":"\u003c"}`) }, "7", ""},
		"a list that is empty":         {func(topic *v1alpha1.Topic) { topic.Status.AppliedFields = []string{} }, "7", ""},
		"a value":                      {func(topic *v1alpha1.Topic) { topic.Status.Project = "other" }, "7", `{"metadata":{"resourceVersion":"7"},"status":{"project":"other"}}`},
		"whatever is stored meanwhile": {func(topic *v1alpha1.Topic) { topic.Status.Project = "other" }, "", `{"status":{"project":"other"}}`},
		"a value that goes":            {func(topic *v1alpha1.Topic) { topic.Status.Project = "" }, "", `{"status":{"project":null}}`},
		"a part of what is live":       {func(topic *v1alpha1.Topic) { topic.Status.Observed.Raw = []byte(`{"a":"<","b":2}`) }, "", `{"status":{"observed":{"b":2}}}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			changed := stored.DeepCopy()
			tc.change(changed)
			patch, err := statusPatch(stored, changed, tc.version)
			var got string
			if err == nil && patch != nil {
				var data []byte
				data, err = patch.Data(changed)
				got = string(data)
			}
			if err != nil || got != tc.want {
				t.Errorf("patch %s, %v; want %s", got, err, tc.want)
			}
		})
	}
}
