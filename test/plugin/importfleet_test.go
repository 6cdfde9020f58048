package plugin

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/importer"
	"github.com/holdfast-dev/holdfast/internal/preview"
)

// resourcesPerProject is how many a project has of a fleet that is imported: buckets and topics in equal parts, and half as many accounts.
const resourcesPerProject = 50

// fleetOfResources puts a fleet into the cloud, as people would have in their consoles, and returns its projects.
func (w *world) fleetOfResources(size int) (projects []string) {
	w.t.Helper()
	for i := range size / resourcesPerProject {
		project := fmt.Sprintf("%s-%03d", w.project, i)
		projects = append(projects, project)
		for n := range resourcesPerProject {
			name := fmt.Sprintf("%s-%02d", project, n)
			switch n % 5 {
			case 0, 1:
				w.must(w.cloud.Storage.CreateBucket(project, map[string]any{
					"name": name, "location": "EUROPE-WEST3", "labels": map[string]any{"team": "shop"}, "versioning": map[string]any{"enabled": n%2 == 0},
				}))
			case 2, 3:
				w.must(w.cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: "projects/" + project + "/topics/" + name, Labels: map[string]string{"team": "shop"}}))
			default:
				account, err := w.cloud.IAM.CreateAccount(project, fmt.Sprintf("account-%02d", n))
				w.must(err)
				w.must(w.cloud.IAM.EditAccount(account.GetEmail(), func(a *adminpb.ServiceAccount) { a.DisplayName = "Shop" }))
			}
		}
	}
	return projects
}

// TestImportOfAFleet: an import costs three lists for each project, its proof a number more, and applying all of it not one write. HOLDFAST_IMPORTED
// sets the number of resources.
func TestImportOfAFleet(t *testing.T) {
	size := sizeOf(t, "HOLDFAST_IMPORTED", 200)
	w := newWorld(t, "imported-fleet")
	projects := w.fleetOfResources(size)
	w.slow()
	lists := func(further ...string) map[string]int {
		want := map[string]int{}
		for _, method := range append(further, "storage buckets.list", "pubsub Publisher.ListTopics", "iam IAM.ListServiceAccounts") {
			want[method] = len(projects)
		}
		return want
	}

	mark := w.cloud.Traffic.Mark()
	imports := []string{"import", "--offline", "--project", strings.Join(projects, ","), "--out", "manifests", "-o", "json"}
	imported := w.measure(w.command(slices.Concat(imports, w.cloudArgs())...))
	w.ends(imported.result, 0, "", "")
	w.counts("import", lists(), w.calls(mark))
	w.within("the import", imported)
	var summary importer.Summary
	w.must(json.Unmarshal([]byte(imported.stdout), &summary))
	want := importer.Summary{Projects: len(projects), Complete: len(projects), Resources: size, Written: size + len(projects)}
	if d := cmp.Diff(want, summary); d != "" {
		t.Errorf("summary (-want +got):\n%s", d)
	}

	mark = w.cloud.Traffic.Mark()
	verified := w.measure(w.command(slices.Concat([]string{"import", "--verify", "manifests", "-o", "json"}, w.cloudArgs())...))
	w.ends(verified.result, 0, "", "")
	w.counts("verify", lists("resourcemanager Projects.GetProject"), w.calls(mark))
	w.within("its proof", verified)
	var certificate importer.Certificate
	w.must(json.Unmarshal([]byte(verified.stdout), &certificate))
	if want := map[preview.Effect]int{preview.Adopt: size}; !certificate.Clean || certificate.Writes != 0 || !cmp.Equal(want, certificate.Effects) {
		t.Errorf("certificate: %+v", certificate)
	}
	t.Logf("import of %d resources in %d projects: %s; its proof: %s", size, len(projects), imported, verified)
}
