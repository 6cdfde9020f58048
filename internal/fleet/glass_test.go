package fleet

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

func TestPutBackOf(t *testing.T) {
	managed := func(m v1alpha1.Management) func(*v1alpha1.Bucket) {
		return func(b *v1alpha1.Bucket) { b.Spec.Management = m }
	}
	planned := func(b *v1alpha1.Bucket) { b.Status.Plan = &v1alpha1.Plan{Hash: "1"} }
	unknown := conditions(condition(v1alpha1.ConditionDrifted, metav1.ConditionUnknown, v1alpha1.ReasonUnknown, "outage"))
	line := "  ~ spec.a: false -> true\n"
	for name, tc := range map[string]struct {
		obj    *v1alpha1.Bucket
		limits map[string]string
		want   string
	}{
		"nothing differs": {bucket(), nil, "nothing differs, so nothing will be put back\n"},
		"nobody knows":    {bucket(unknown), nil, "it is not known what differs: Holdfast has not been able to look\n"},
		"managed":         {bucket(drifted("spec.a")), nil, "differs; Holdfast will put back:\n" + line},
		"by approval":     {bucket(drifted("spec.a"), managed(v1alpha1.ManagementApprove)), nil, "differs; Holdfast will wait for approval to put back:\n" + line},
		"by approval in the Namespace": {
			bucket(drifted("spec.a")), map[string]string{v1alpha1.LeastManagementAnnotation: "Approve"}, "differs; Holdfast will wait for approval to put back:\n" + line,
		},
		"observed":     {bucket(drifted("spec.a"), managed(v1alpha1.ManagementObserve)), nil, "differs, and stays so, since it is only observed:\n" + line},
		"a plan waits": {bucket(drifted("spec.a"), planned), nil, "differs; as things are, Holdfast would wait for approval to put back:\n" + line},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			PutBackOf("Bucket", tc.obj, tenancy.ReadLimits(tc.limits)).Write(&out)
			if diff := cmp.Diff("Bucket shop/logs: "+tc.want, out.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestOpenedOf(t *testing.T) {
	until := func(at time.Time) func(*v1alpha1.Bucket) {
		return func(b *v1alpha1.Bucket) { b.Annotations[v1alpha1.BreakGlassUntilAnnotation] = at.Format(time.RFC3339) }
	}
	since := metav1.NewTime(noon)
	later := metav1.NewTime(noon.Add(time.Hour))
	opened := Opened{Scope: "Object", Kind: "Bucket", Namespace: "shop", Name: "logs", Reason: "INC-4711: partner", By: "ada", Since: &since, Acknowledged: true}
	unacknowledged, limited, ofNamespace := opened, opened, opened
	unacknowledged.Since, unacknowledged.Acknowledged = nil, false
	limited.Until = &later
	ofNamespace.Scope = "Namespace"
	for name, tc := range map[string]struct {
		obj  *v1alpha1.Bucket
		want *Opened
	}{
		"closed":                         {bucket(), nil},
		"its own":                        {bucket(annotated, broken(v1alpha1.BreakGlassOnObject)), &opened},
		"its own, for a time":            {bucket(annotated, broken(v1alpha1.BreakGlassOnObject), until(later.Time)), &limited},
		"its own, before it was noticed": {bucket(annotated), &unacknowledged},
		"its own, noticed only as that of the Namespace": {bucket(annotated, broken(v1alpha1.BreakGlassOnNamespace)), &unacknowledged},
		"expired, and never noticed":                     {bucket(annotated, until(noon.Add(-time.Hour))), nil},
		"that of the Namespace":                          {bucket(broken(v1alpha1.BreakGlassOnNamespace)), &ofNamespace},
	} {
		t.Run(name, func(t *testing.T) {
			got, open := OpenedOf("Bucket", tc.obj, noon)
			if open != (tc.want != nil) {
				t.Fatalf("got %v %+v", open, got)
			}
			if tc.want != nil {
				if diff := cmp.Diff(*tc.want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
		})
	}
}
