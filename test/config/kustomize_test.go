package config

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/test/installed"
)

const nameReference = "../../config/kustomize/namereference.yaml"

// referring are manifests of all kinds that refer to accounts.
const referring = `
apiVersion: gcp.holdfast.dev/v1alpha1
kind: ServiceAccount
metadata: {name: writer}
spec: {iam: {bindings: [{role: roles/iam.serviceAccountUser, serviceAccountRefs: [{name: writer}]}]}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader} # Kubernetes' own is not meant
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Bucket
metadata: {name: files}
spec:
  iam:
    bindings:
    - {role: roles/storage.objectUser, members: ["user:ada@example.com"]}
    - {role: roles/storage.objectViewer, serviceAccountRefs: [{external: ci@other.iam.gserviceaccount.com}, {name: writer}, {name: reader}]}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Topic
metadata: {name: events}
spec: {iam: {bindings: [{role: roles/pubsub.publisher, serviceAccountRefs: [{name: writer, namespace: shop}, {name: auditor, namespace: platform}]}]}}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: ProjectPolicy
metadata: {name: roles}
spec: {bindings: [{role: roles/logging.logWriter, serviceAccountRefs: [{name: writer}]}]}
`

// TestReferencesFollowKustomize: with the configuration that is shipped, the real kustomize renames references together with what they
// refer to, and touches nothing else in them.
func TestReferencesFollowKustomize(t *testing.T) {
	kustomize := tool(t, "kustomize")
	const prefixed = `[{external: ci@other.iam.gserviceaccount.com}, {name: dev-writer}, {name: reader}]`
	cases := map[string]struct {
		files map[string]string
		want  string // what the Bucket refers to
	}{
		"a prefix": {map[string]string{
			"kustomization.yaml": "{namespace: shop, namePrefix: dev-, resources: [all.yaml], configurations: [namereference.yaml]}",
		}, prefixed},
		"a suffix": {map[string]string{
			"kustomization.yaml": "{nameSuffix: -eu, resources: [all.yaml], configurations: [namereference.yaml]}",
		}, `[{external: ci@other.iam.gserviceaccount.com}, {name: writer-eu}, {name: reader}]`},
		"a base that is configured, and an overlay that is not": {map[string]string{
			"base/kustomization.yaml": "{resources: [../all.yaml], configurations: [../namereference.yaml]}",
			"kustomization.yaml":      "{namePrefix: dev-, resources: [base]}",
		}, prefixed},
	}
	configuration, err := os.ReadFile(nameReference)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			tc.files["all.yaml"], tc.files["namereference.yaml"] = referring, string(configuration)
			for file, text := range tc.files {
				path := filepath.Join(folder, file)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			command := exec.CommandContext(t.Context(), kustomize, "build", "--load-restrictor", "LoadRestrictionsNone", folder)
			var problems bytes.Buffer
			command.Stderr = &problems
			out, err := command.Output()
			if err != nil {
				t.Fatalf("kustomize build: %v\n%s", err, &problems)
			}
			objects, err := installed.Parse(out)
			if err != nil {
				t.Fatal(err)
			}
			checkReferences(t, objects, tc.want)
		})
	}
}

// checkReferences compares all references with the name of the one account, and a Bucket's with those wanted, in YAML.
func checkReferences(t *testing.T, objects []*unstructured.Unstructured, wantOfBucket string) {
	t.Helper()
	var account string
	got := map[string][]any{}
	for _, obj := range objects {
		if obj.GetKind() == "ServiceAccount" && obj.GroupVersionKind().Group != "" {
			account = obj.GetName()
		}
		path := []string{"spec", "iam", "bindings"}
		if obj.GetKind() == "ProjectPolicy" {
			path = []string{"spec", "bindings"}
		}
		bindings, _, _ := unstructured.NestedSlice(obj.Object, path...)
		for _, binding := range bindings {
			if refs, ok := binding.(map[string]any)["serviceAccountRefs"].([]any); ok {
				got[obj.GetKind()] = append(got[obj.GetKind()], refs...)
			}
		}
	}
	var ofBucket []any
	if err := yaml.Unmarshal([]byte(wantOfBucket), &ofBucket); err != nil {
		t.Fatal(err)
	}
	own := map[string]any{"name": account}
	want := map[string][]any{
		"Bucket": ofBucket, "ServiceAccount": {own}, "ProjectPolicy": {own},
		"Topic": {
			map[string]any{"name": account, "namespace": "shop"},
			map[string]any{"name": "auditor", "namespace": "platform"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

// TestEveryReferenceIsConfigured holds the configuration for kustomize against the definitions.
func TestEveryReferenceIsConfigured(t *testing.T) {
	text, err := os.ReadFile(nameReference)
	if err != nil {
		t.Fatal(err)
	}
	var configuration struct {
		NameReference []struct {
			FieldSpecs []struct{ Path string }
		}
	}
	if err := yaml.Unmarshal(text, &configuration); err != nil {
		t.Fatal(err)
	}
	var configured []string
	for _, reference := range configuration.NameReference {
		for _, spec := range reference.FieldSpecs {
			configured = append(configured, spec.Path)
		}
	}
	files, err := filepath.Glob("../../config/crd/bases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no definitions, %v", err)
	}
	var defined []string
	for _, file := range files {
		definitions, err := installed.Objects("crd/bases", filepath.Base(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, definition := range definitions {
			versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
			spec, _, _ := unstructured.NestedMap(versions[0].(map[string]any), "schema", "openAPIV3Schema", "properties", "spec")
			defined = append(defined, references(spec, "spec")...)
		}
	}
	slices.Sort(configured)
	slices.Sort(defined)
	if diff := cmp.Diff(slices.Compact(defined), configured); diff != "" {
		t.Errorf("names of other objects in the definitions, and those that kustomize is told of (-defined +configured):\n%s", diff)
	}
}

// references are the paths of names of other objects in a schema.
func references(schema map[string]any, path string) []string {
	var found []string
	if items, ok := schema["items"].(map[string]any); ok {
		found = append(found, references(items, path)...)
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, property := range properties {
		if name == "name" && (strings.HasSuffix(path, "Refs") || strings.HasSuffix(path, "Ref")) {
			found = append(found, path+"/name")
		}
		if property, ok := property.(map[string]any); ok {
			found = append(found, references(property, path+"/"+name)...)
		}
	}
	return found
}

// tool is the path of a tool that the repository pins.
func tool(t *testing.T, name string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "../../hack/tools/tool.sh", name)
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("hack/tools/tool.sh %s: %v\n%s", name, err, &problems)
	}
	return strings.TrimSpace(string(out))
}
