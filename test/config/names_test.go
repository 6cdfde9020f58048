package config

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/holdfast-dev/holdfast/test/installed"
)

// TestTheOperatorCanHaveOtherNames: with the namespace and the name of its service account changed in one place, as config/names says, every
// object is as before but for those names, and none has the old ones.
func TestTheOperatorCanHaveOtherNames(t *testing.T) {
	folder := t.TempDir()
	if err := installed.Example("names", folder); err != nil {
		t.Fatal(err)
	}
	build := func(folder string) []*unstructured.Unstructured {
		t.Helper()
		command := exec.CommandContext(t.Context(), tool(t, "kustomize"), "build", folder)
		var problems bytes.Buffer
		command.Stderr = &problems
		out, err := command.Output()
		if err != nil {
			t.Fatalf("kustomize build %s: %v\n%s", folder, err, &problems)
		}
		objects, err := installed.Parse(out)
		if err != nil {
			t.Fatal(err)
		}
		return objects
	}
	want, got := map[string]any{}, map[string]any{}
	for _, part := range []string{"default", "shard", "prometheus"} {
		for _, obj := range build(filepath.Join("..", "..", "config", part)) {
			obj := renamed(t, obj)
			want[obj.GetKind()+" "+obj.GetName()] = obj.Object
		}
	}
	for _, obj := range build(folder) {
		got[obj.GetKind()+" "+obj.GetName()] = obj.Object
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

// renamed is the object with other names of the operator.
func renamed(t *testing.T, obj *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	text, err := json.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte(installed.Operator), []byte("system:serviceaccount:platform:operator"))
	text = bytes.ReplaceAll(text, []byte("holdfast-system"), []byte("platform"))
	out := &unstructured.Unstructured{}
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatal(err)
	}
	switch out.GetKind() {
	case "ServiceAccount":
		out.SetName("operator")
	case "Deployment":
		out.Object["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)["serviceAccountName"] = "operator"
	case "RoleBinding", "ClusterRoleBinding":
		for _, subject := range out.Object["subjects"].([]any) {
			subject.(map[string]any)["name"] = "operator"
		}
	}
	return out
}
