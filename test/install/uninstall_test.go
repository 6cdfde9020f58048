package install

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/process"
)

// fleet is a manifest of each kind. Each asks for its resource to be deleted with it.
const fleet = `
apiVersion: v1
kind: Namespace
metadata: {name: leaving, annotations: {holdfast.dev/project-id: leaving-project}}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Bucket
metadata: {namespace: leaving, name: leaving-files}
spec: {deletionPolicy: DeleteWithContents}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Topic
metadata: {namespace: leaving, name: orders}
spec: {deletionPolicy: Delete}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: ServiceAccount
metadata: {namespace: leaving, name: importer}
spec: {deletionPolicy: Delete}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: ProjectPolicy
metadata: {namespace: leaving, name: roles}
spec: {deletionPolicy: Delete, bindings: [{role: roles/logging.logWriter, members: ["user:ada@example.com"]}]}
`

// ready waits until all of the fleet is.
const ready = "kubectl wait --for=condition=Ready --timeout=2m -n leaving buckets,topics,gsa,gcppolicy --all"

// operate runs the operator with the rights of its service account.
func (s *site) operate(cloud *emulator.Emulator, args ...string) *process.Process {
	s.t.Helper()
	binary := filepath.Join(s.folder, "manager")
	output(s.t, exec.CommandContext(s.t.Context(), "go", "build", "-o", binary, "../../cmd/manager"))
	return process.StartTest(s.t, process.Program{Path: binary, Args: append(args,
		"--kubeconfig", s.operator, "--metrics-bind-address=0", "--health-probe-bind-address=0",
		"--leader-elect", "--leader-elect-namespace=holdfast-system",
		"--gcp-insecure", "--storage-endpoint", cloud.StorageEndpoint(), "--pubsub-endpoint", cloud.GRPCAddr(),
		"--iam-endpoint", cloud.GRPCAddr(), "--resourcemanager-endpoint", cloud.GRPCAddr(),
	)})
}

// TestUninstallDeletesNothing: as the README says, with the operator at work; whichever way it was installed.
func TestUninstallDeletesNothing(t *testing.T) {
	for way, version := range map[string]string{"kustomize": "IMG=registry.example.com/holdfast:v0.1.0", "Helm": "VERSION=v0.1.0"} {
		t.Run(way, func(t *testing.T) {
			s, cloud := newSite(t), emulator.StartTest(t)
			for _, chart := range []string{"holdfast-cluster", "holdfast"} {
				s.publish("config/chart/"+chart, "0.1.0")
			}
			s.readme("Install with "+way, version, "HOLDFAST=holdfast@ops.iam.gserviceaccount.com")
			s.apply(fleet)
			s.operate(cloud)
			s.sh(ready)
			mark := cloud.Traffic.Mark()

			s.readme("Uninstall")
			s.readme("Uninstall with " + way)
			for _, call := range cloud.Traffic.WritesSince(mark) {
				if method := strings.ToLower(call.Method); strings.Contains(method, "delete") || strings.Contains(method, "policy") {
					t.Errorf("it called %s of %s", call.Method, call.Resource)
				}
			}
			checkLeft(t, cloud)
			s.stands("uninstalled", standing{})
			var definitions apiextensionsv1.CustomResourceDefinitionList
			s.must(apiextensionsv1.AddToScheme(s.Scheme()))
			s.must(s.List(t.Context(), &definitions))
			if len(definitions.Items) > 0 {
				t.Errorf("%d definitions are left", len(definitions.Items))
			}
		})
	}
}

// checkLeft checks that all is there that the fleet has made, and is nobody's any more.
func checkLeft(t *testing.T, cloud *emulator.Emulator) {
	t.Helper()
	const project = "leaving-project"
	bucket, hasBucket := cloud.Storage.Bucket("leaving-files")
	labels, _, _ := unstructured.NestedStringMap(bucket, "labels")
	topic, hasTopic := cloud.PubSub.Topic("projects/" + project + "/topics/orders")
	_, hasAccount := cloud.IAM.Account("importer@" + project + ".iam.gserviceaccount.com")
	if !hasBucket || !hasTopic || !hasAccount {
		t.Errorf("there is the bucket: %v, the topic: %v, the account: %v", hasBucket, hasTopic, hasAccount)
	}
	for _, owned := range []map[string]string{labels, topic.GetLabels()} {
		if _, marked := owned[v1alpha1.OwnerLabel]; marked {
			t.Errorf("it is still owned: %v", owned)
		}
	}
	if grants := cloud.ResourceManager.Policy(project).GetBindings(); !slices.ContainsFunc(grants, func(b *iampb.Binding) bool {
		return b.GetRole() == "roles/logging.logWriter" && slices.Contains(b.GetMembers(), "user:ada@example.com")
	}) {
		t.Errorf("the grant is gone: %v", grants)
	}
}
