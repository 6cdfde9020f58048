package install

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// lastApplied is the most that annotations of an object may have in all, and what kubectl apply keeps in one of them.
const (
	lastApplied = "kubectl.kubernetes.io/last-applied-configuration"
	most        = 262144
)

// TestOneFile: install.yaml is applied by kubectl alone, on the client's side, where the whole object has to fit into an annotation, and then on
// the server's. Its conflicts are with itself, over lists that the API server has completed.
func TestOneFile(t *testing.T) {
	s := newSite(t)
	s.sh(`make install-manifests IMG=registry.example.com/holdfast:v0.1.0`)
	text, err := os.ReadFile(filepath.Join(s.folder, "dist", "install.yaml"))
	s.must(err)
	s.sh(`kubectl apply -f "$DIST/install.yaml"`)
	for _, obj := range parse(t, text) {
		plain, err := json.Marshal(obj)
		s.must(err)
		if len(plain) > most*9/10 {
			t.Errorf("%s %s has %d bytes: kubectl apply keeps at most %d in an annotation", obj.GetKind(), obj.GetName(), len(plain), most)
		}
		kind := obj.GroupVersionKind()
		there := s.live(kind.Group, kind.Version, kind.Kind, obj.GetNamespace(), obj.GetName())
		if there == nil || there.GetAnnotations()[lastApplied] == "" {
			t.Errorf("%s %s was not applied", obj.GetKind(), obj.GetName())
		}
	}
	s.sh(`kubectl apply --server-side --force-conflicts -f "$DIST/install.yaml"`)
	deployment := s.live("apps", "v1", "Deployment", "holdfast-system", "holdfast-manager")
	containers, _, _ := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	if got := containers[0].(map[string]any)["image"]; got != "registry.example.com/holdfast:v0.1.0" {
		t.Errorf("the image is %v", got)
	}
}
