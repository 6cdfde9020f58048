package breakglass

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestRead(t *testing.T) {
	now := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	broken := func(reason, until string) map[string]string {
		a := map[string]string{v1alpha1.BreakGlassAnnotation: reason, v1alpha1.BreakGlassByAnnotation: "ada"}
		if until != "" {
			a[v1alpha1.BreakGlassUntilAnnotation] = until
		}
		return a
	}
	cases := map[string]struct {
		object, namespace map[string]string
		want              Glass
	}{
		"nothing said":                       {},
		"broken on the object":               {object: broken("INC-1", ""), want: Glass{Scope: v1alpha1.BreakGlassOnObject, Reason: "INC-1", By: "ada"}},
		"broken on the namespace":            {namespace: broken("INC-2", ""), want: Glass{Scope: v1alpha1.BreakGlassOnNamespace, Reason: "INC-2", By: "ada"}},
		"the object's own record is shown":   {object: broken("INC-1", ""), namespace: broken("INC-2", ""), want: Glass{Scope: v1alpha1.BreakGlassOnObject, Reason: "INC-1", By: "ada"}},
		"an empty reason holds all the same": {object: broken("", ""), want: Glass{Scope: v1alpha1.BreakGlassOnObject, By: "ada"}},
		"open until later":                   {object: broken("INC-1", "2026-03-01T04:00:00Z"), want: Glass{Scope: v1alpha1.BreakGlassOnObject, Reason: "INC-1", By: "ada", Until: now.Add(time.Hour)}},
		"over, to the second":                {object: broken("INC-1", "2026-03-01T03:00:00Z")},
		"over on the object, open on the namespace": {
			object: broken("INC-1", "2026-03-01T02:00:00Z"), namespace: broken("INC-2", ""),
			want: Glass{Scope: v1alpha1.BreakGlassOnNamespace, Reason: "INC-2", By: "ada"},
		},
		"a time that cannot be read does not close it": {object: broken("INC-1", "tomorrow"), want: Glass{Scope: v1alpha1.BreakGlassOnObject, Reason: "INC-1", By: "ada"}},
		"long texts are cut": {
			object: map[string]string{v1alpha1.BreakGlassAnnotation: strings.Repeat("é", 1000), v1alpha1.BreakGlassByAnnotation: strings.Repeat("x", 1000)},
			want:   Glass{Scope: v1alpha1.BreakGlassOnObject, Reason: strings.Repeat("é", 254) + "…", By: strings.Repeat("x", 253) + "…"},
		},
		"by alone means nothing": {object: map[string]string{v1alpha1.BreakGlassByAnnotation: "ada"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Read(tc.object, tc.namespace, now)); diff != "" {
				t.Errorf("glass (-want +got):\n%s", diff)
			}
		})
	}
}
