package tenancy

import (
	"testing"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestManagementIsNeverLessThanTheNamespaceSays(t *testing.T) {
	const manage, approve, observe = v1alpha1.ManagementManage, v1alpha1.ManagementApprove, v1alpha1.ManagementObserve
	cases := map[string]struct {
		annotations map[string]string
		asked, want v1alpha1.Management
	}{
		"nothing said":          {nil, manage, manage},
		"nothing said, Observe": {nil, observe, observe},
		"unset in the manifest": {nil, "", manage},
		"Manage":                {map[string]string{v1alpha1.LeastManagementAnnotation: "Manage"}, approve, approve},
		"raised":                {map[string]string{v1alpha1.LeastManagementAnnotation: "Approve"}, manage, approve},
		"raised from unset":     {map[string]string{v1alpha1.LeastManagementAnnotation: "Approve"}, "", approve},
		"raised, with blanks":   {map[string]string{v1alpha1.LeastManagementAnnotation: " Approve "}, manage, approve},
		"not lowered":           {map[string]string{v1alpha1.LeastManagementAnnotation: "Approve"}, observe, observe},
		"Observe":               {map[string]string{v1alpha1.LeastManagementAnnotation: "Observe"}, approve, observe},
		"misspelt":              {map[string]string{v1alpha1.LeastManagementAnnotation: "approve"}, manage, observe},
		"empty":                 {map[string]string{v1alpha1.LeastManagementAnnotation: ""}, manage, observe},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := ReadLimits(tc.annotations).Management(tc.asked); got != tc.want {
				t.Errorf("%s becomes %s, want %s", tc.asked, got, tc.want)
			}
		})
	}
}

func TestRemovalsAreLimited(t *testing.T) {
	type limit struct {
		most    int
		limited bool
	}
	for value, want := range map[string]limit{"0": {0, true}, "12": {12, true}, "\t12": {12, true}, "-1": {0, true}, "many": {0, true}, "": {0, true}} {
		var got limit
		if got.most, got.limited = ReadLimits(map[string]string{v1alpha1.MaxRemovalsAnnotation: value}).Removals(); got != want {
			t.Errorf("%q: %+v, want %+v", value, got, want)
		}
	}
	if _, limited := ReadLimits(nil).Removals(); limited {
		t.Error("nothing said, and limited")
	}
}
