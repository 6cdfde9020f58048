package doctor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func bucket(project, kind, reason, message string) *v1alpha1.Bucket {
	b := &v1alpha1.Bucket{}
	b.Status.Project = project
	b.Status.Conditions = []metav1.Condition{{Type: kind, Reason: reason, Message: message}}
	return b
}

func TestCauses(t *testing.T) {
	c := NewCauses()
	if diff := cmp.Diff([]string{"ok nothing keeps Holdfast from its work on 0 manifests, by what it says of them"}, said(c.Findings())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for i := range 3 {
		c.Add(fmt.Sprint("Bucket shop/", i), bucket("p-1", "Ready", "Denied", fmt.Sprintf(
			`getting bucket "b-%d": permission storage.buckets.get is missing on b-%d. Grant a role that has it to a@b. Google says: a@b. does not have`, i, i)))
	}
	c.Add("Topic shop/t", bucket("p-1", "Ready", "Denied",
		"getting topic \"t\": the API pubsub.googleapis.com is disabled in project p-1. Enable it: gcloud services enable pubsub.googleapis.com --project p-1. Google says: no"))
	c.Add("Topic shop/u", bucket("p-2", "Ready", "Unavailable", `getting topic "u": 503`))
	c.Add("Topic shop/v", bucket("p-2", "Exposed", "OperatorProject", "namespace shop is bound to the operator's project. Keep that account in a project of its own"))
	c.Add("Topic shop/w", bucket("p-3", "Ready", "AwaitingApproval", "not an installation's"))
	c.Add("Topic shop/x", bucket("", "Ready", "ProjectUnbound", "namespace \"shop\" is not bound to a Google Cloud project. An administrator can bind it: kubectl annotate"))
	want := []Finding{
		{Fail, "access", `no project: ProjectUnbound: namespace "…" is not bound to a Google Cloud project (1 manifest, such as Topic shop/x)`, "An administrator can bind it: kubectl annotate"},
		{Fail, "access", "project p-1: Denied: permission storage.buckets.get is missing (3 manifests, such as Bucket shop/0)", "Grant a role that has it to a@b"},
		{
			Fail, "access", "project p-1: Denied: the API pubsub.googleapis.com is disabled in project p-1 (1 manifest, such as Topic shop/t)",
			"Enable it: gcloud services enable pubsub.googleapis.com --project p-1",
		},
		{Warn, "access", "project p-2: Exposed: namespace shop is bound to the operator's project (1 manifest, such as Topic shop/v)", "Keep that account in a project of its own"},
		{Warn, "access", "project p-2: Unavailable: 503 (1 manifest, such as Topic shop/u)", ""},
	}
	if diff := cmp.Diff(want, []Finding(c.Findings())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// However many causes there are, so many are kept, and the rest is counted.
func TestCausesAreBounded(t *testing.T) {
	c := NewCauses()
	for i := range 3 * mostCauses {
		c.Add("Bucket shop/b", bucket(fmt.Sprint("p-", i), "Ready", "Denied", "permission storage.buckets.get is missing on x. Grant it"))
	}
	got := c.Findings()
	if len(got) != mostCauses+1 || !strings.Contains(got[mostCauses].Message, fmt.Sprint(2*mostCauses)) {
		t.Errorf("%d findings, the last is %+v", len(got), got[len(got)-1])
	}
}

func TestFindings(t *testing.T) {
	var f Findings
	if f.Worst() != OK {
		t.Errorf("got %s", f.Worst())
	}
	f.Add(OK, "CRDs", "", "%d are there", 5)
	f.Add(Warn, "leader", "look\x1b", "nobody\nleads")
	var out strings.Builder
	f.Text(&out)
	want := "ok    CRDs          5 are there\nwarn  leader        nobody\\u000aleads\n                  → look\\u001b\n"
	if diff := cmp.Diff(want, out.String()); diff != "" || f.Worst() != Warn {
		t.Errorf("%s (-want +got)\n%s", f.Worst(), diff)
	}
}
