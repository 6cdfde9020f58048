package plugin

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// connectorManifests are two objects of Config Connector, in a namespace of it.
const connectorManifests = `apiVersion: v1
kind: Namespace
metadata:
  name: converted
  annotations:
    cnrm.cloud.google.com/project-id: converted-prod
---
apiVersion: storage.cnrm.cloud.google.com/v1beta1
kind: StorageBucket
metadata:
  name: logs
  namespace: converted
  annotations:
    cnrm.cloud.google.com/state-into-spec: absent
spec:
  resourceID: converted-prod-logs
  location: EU
  storageClass: NEARLINE
  unheardOf: true
---
apiVersion: iam.cnrm.cloud.google.com/v1beta1
kind: IAMPolicyMember
metadata:
  name: reads
  namespace: converted
spec:
  member: user:ada@example.com
  role: roles/storage.objectViewer
  resourceRef:
    kind: StorageBucket
    name: logs
`

// TestMovingFromConfigConnector: what Config Connector held, the manifests adopt without a write.
func TestMovingFromConfigConnector(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "converted")
	w.must(w.cloud.Storage.CreateBucket(w.project, map[string]any{"name": "converted-prod-logs", "location": "EU", "storageClass": "NEARLINE"}))
	w.grantOnBucket("converted-prod-logs", "roles/storage.objectViewer", "user:ada@example.com")
	w.write("connector/all.yaml", connectorManifests)
	got := w.run("convert", "--from", "config-connector", "connector", "--out", "manifests", "--handover", "handover.sh")
	if got.code != 2 || got.stdout != "" {
		t.Errorf("got %+v", got)
	}
	w.golden("convert/connector.stderr", got.stderr)
	script, err := os.ReadFile(filepath.Join(w.folder, "handover.sh"))
	w.must(err)
	w.golden("convert/connector.sh", string(script))
	w.must(exec.Command("sh", "-n", filepath.Join(w.folder, "handover.sh")).Run())

	w.start()
	mark := w.cloud.Traffic.Mark()
	applied := w.apply("manifests")
	if len(applied) != 1 {
		t.Errorf("%d manifests", len(applied))
	}
	bucket := applied[0].(*v1alpha1.Bucket)
	w.ready(bucket)
	if writes := w.cloud.Traffic.WritesSince(mark); len(writes) > 0 {
		t.Errorf("taking over wrote: %+v", writes)
	}
}

// TestMovingFromTerraform: from standard input, in a pipe.
func TestMovingFromTerraform(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "moved")
	state, err := os.ReadFile(filepath.Join("..", "..", "internal", "convert", "testdata", "terraform.json"))
	w.must(err)
	cmd := w.command("convert", "--from", "terraform-state", "-")
	cmd.Stdin = strings.NewReader(string(state))
	got := w.finish(cmd)
	if got.code != 2 || !strings.Contains(got.stderr, `terraform state rm 'module.messaging["eu"].google_pubsub_topic.orders["it'\''s"]'`) || strings.Contains(got.stderr, "s3cr3t") {
		t.Errorf("got %+v", got)
	}
	if n := strings.Count(got.stdout, "\n---\n"); n != 4 { // a Namespace, a bucket, a topic, an account, a policy
		t.Errorf("%d manifests:\n%s", n+1, got.stdout)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no source":         {[]string{"-"}, `required flag(s) "from" not set`},
		"an unknown source": {[]string{"--from", "pulumi", "-"}, "must be one of config-connector, terraform-state"},
		"no such file":      {[]string{"--from", "terraform-state", "no-such-file"}, "no-such-file"},
		"no manifests":      {[]string{"--from", "config-connector", "."}, "there are no manifests"},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.run(slices.Concat([]string{"convert"}, c.args)...)
			if got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, c.want) {
				t.Errorf("got %+v, want %q", got, c.want)
			}
		})
	}
}
