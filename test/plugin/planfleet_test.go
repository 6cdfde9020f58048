package plugin

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/layout"
	"github.com/holdfast-dev/holdfast/internal/preview/render"
)

// inProject is how many manifests of each kind a project of a fleet has that is planned. Every other resource is there already, and every fourth
// manifest has an IAM policy.
var inProject = map[string]int{"Bucket": 7, "Topic": 7, "ServiceAccount": 5, "ProjectPolicy": 1}

// manifestsPerProject is how many that are.
const manifestsPerProject = 20

// fleetOfManifests writes the manifests of projects, and makes what is there already.
func (w *world) fleetOfManifests(folder string, projects int) {
	w.t.Helper()
	clients := w.clients()
	group, ctx := errgroup.WithContext(w.t.Context())
	group.SetLimit(16)
	for i := range projects {
		namespace := fmt.Sprintf("%s-%03d", w.namespace, i)
		project := namespace + "-prod"
		w.writeManifest(folder, layout.NamespaceOf(namespace, project, map[string]string{v1alpha1.AllowAnnotation: "GrantsOnAdoptedAccounts"}))
		for _, k := range kinds.All(clients) {
			for n := range inProject[k.Kind] {
				obj := k.New()
				obj.SetNamespace(namespace)
				obj.SetName(fmt.Sprintf("%s-%s-%d", namespace, k.Label(), n))
				if n%4 == 0 {
					grantViewer(obj)
				}
				manifest, err := layout.Of(k.Kind, obj)
				w.must(err)
				w.writeManifest(folder, manifest)
				if n%2 == 0 && k.Fields != nil {
					group.Go(func() error {
						_, err := k.Fields.Create(ctx, kind.Ref{Project: project, ID: k.ResourceID(obj)}, obj)
						return err
					})
				}
			}
		}
	}
	w.must(group.Wait())
	w.must(clients.Close())
}

func (w *world) writeManifest(folder string, obj layout.Object) {
	w.t.Helper()
	text, err := obj.YAML()
	w.must(err)
	w.write(folder+"/"+layout.Default.File(obj), string(text))
}

// grantViewer has a manifest grant something.
func grantViewer(obj v1alpha1.Object) {
	policy := v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAdditive, Bindings: []v1alpha1.IAMBinding{{
		Role: "roles/viewer", Members: []v1alpha1.IAMMember{"user:ada@example.com"},
	}}}
	switch obj := obj.(type) {
	case *v1alpha1.Bucket:
		obj.Spec.IAM = &policy
	case *v1alpha1.Topic:
		obj.Spec.IAM = &policy
	case *v1alpha1.ServiceAccount:
		obj.Spec.IAM = &policy
	case *v1alpha1.ProjectPolicy:
		obj.Spec.IAMPolicy = policy
	}
}

// callsAtATime is how many calls a plan makes at a time.
const callsAtATime = 16

// TestPlanOfAFleet: a plan costs three lists and a number for each project, and else no more than a call for each IAM policy that is there and for
// each bucket that is not. HOLDFAST_PLANNED sets the number of manifests.
func TestPlanOfAFleet(t *testing.T) {
	size := sizeOf(t, "HOLDFAST_PLANNED", 100)
	projects := size / manifestsPerProject
	w := newWorld(t, "planned")
	w.fleetOfManifests("manifests", projects)
	w.slow()
	mark := w.cloud.Traffic.Mark()
	plans := []string{"plan", "-f", "manifests", "--offline", "-o", "json", "--gcp-identity", operator}
	planned := w.measure(w.command(slices.Concat(plans, w.cloudArgs())...))
	w.ends(planned.result, 2, "", "")
	calls := w.calls(mark)
	w.counts("plan", map[string]int{
		"storage buckets.list": projects, "pubsub Publisher.ListTopics": projects, "iam IAM.ListServiceAccounts": projects,
		"resourcemanager Projects.GetProject": projects,
		// Of seven buckets and topics four are there, of which two have a policy, and of five accounts three, of which two do.
		"storage buckets.get": 3 * projects, "storage buckets.getIamPolicy": 2 * projects, "pubsub IAMPolicy.GetIamPolicy": 2 * projects,
		"iam IAM.GetIamPolicy": 2 * projects, "resourcemanager Projects.GetIamPolicy": projects,
	}, calls)
	w.within("the plan", planned)
	var document render.Document
	w.must(json.Unmarshal([]byte(planned.stdout), &document))
	if document.Fails() || len(document.Resources) != projects*manifestsPerProject {
		t.Errorf("%d manifests are planned, or some not: %s", len(document.Resources), planned.stdout[:min(2000, len(planned.stdout))])
	}

	mark = w.cloud.Traffic.Mark()
	plain := w.plainClient().makes(t, calls, callsAtATime)
	if made := w.calls(mark); len(made) != len(calls) {
		t.Errorf("the plain client made %d calls, and the plan %d", len(made), len(calls))
	}
	t.Logf("plan of %d manifests in %d projects: %s, start and checks included; the same %d calls by a plain client: %.2f s; ratio %.2f",
		size, projects, planned, len(calls), plain.Seconds(), planned.took.Seconds()/plain.Seconds())
}
