// Package api tests the schemas and their rules through a real API server, which is where manifests are validated, not in
// Go.
package api

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// kube talks to the API server that all tests of this package share. It does not cache.
var kube client.Client

// namesValues says whether the API server's refusals name the value that breaks a rule. Before Kubernetes 1.36 they name its type.
var namesValues bool

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		fmt.Fprintln(os.Stderr, "these tests need kube-apiserver and etcd: run `make test`, or set KUBEBUILDER_ASSETS to a directory that has both")
		return 1
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	defer func() {
		if err := environment.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the control plane:", err)
		}
	}()
	config, err := installed.Start(environment)
	if err != nil {
		fmt.Fprintln(os.Stderr, "starting the control plane:", err)
		return 1
	}
	if namesValues, err = installed.CanStamp(config); err != nil {
		fmt.Fprintln(os.Stderr, "asking which Kubernetes it is:", err)
		return 1
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme} {
		if err := add(scheme); err != nil {
			fmt.Fprintln(os.Stderr, "building the scheme:", err)
			return 1
		}
	}
	if kube, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		fmt.Fprintln(os.Stderr, "making the client:", err)
		return 1
	}
	kube = client.WithFieldValidation(kube, metav1.FieldValidationStrict)
	return m.Run()
}

// manifest reads YAML as people write it. Without a kind of its own it gets the one given, without a name the name.
func manifest(t *testing.T, kind, name, text string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.UnmarshalStrict([]byte(text), &obj.Object); err != nil {
		t.Fatalf("reading the manifest: %v\n%s", err, text)
	}
	if obj.Object == nil {
		obj.Object = map[string]any{}
	}
	if obj.GetKind() == "" {
		obj.SetAPIVersion(v1alpha1.GroupVersion.String())
		obj.SetKind(kind)
	}
	if obj.GetName() == "" {
		obj.SetName(name)
	}
	if obj.GetNamespace() == "" {
		obj.SetNamespace(metav1.NamespaceDefault)
	}
	return obj
}

// specManifest is a manifest in the default namespace, with a spec, if there is one, in YAML.
func specManifest(t *testing.T, kind, defaultName, name, spec string) *unstructured.Unstructured {
	t.Helper()
	if name == "" {
		name = defaultName
	}
	text := ""
	if spec != "" {
		text = "spec:\n  " + strings.ReplaceAll(strings.TrimPrefix(spec, "\n"), "\n", "\n  ")
	}
	return manifest(t, kind, name, text)
}

// create creates an object and deletes it after the test. What internal/manifests says of it must be the same.
func create(t *testing.T, obj *unstructured.Unstructured) error {
	t.Helper()
	manifest := obj.DeepCopy()
	err := kube.Create(t.Context(), obj)
	expectOfflineCreate(t, manifest, obj, err)
	if err == nil {
		t.Cleanup(func() {
			if err := kube.Delete(context.Background(), obj); client.IgnoreNotFound(err) != nil {
				t.Errorf("deleting %s: %v", obj.GetName(), err)
			}
		})
	}
	return err
}

// expectRefusal checks that the API server refused, and with a sentence. An empty sentence says that it must not refuse.
func expectRefusal(t *testing.T, err error, sentence string) {
	t.Helper()
	switch {
	case sentence == "" && err != nil:
		t.Errorf("refused: %v", err)
	case sentence != "" && err == nil:
		t.Errorf("accepted; want a refusal with %q", sentence)
	case sentence != "" && !strings.Contains(err.Error(), sentence) && !strings.Contains(alike(err.Error()), alike(sentence)):
		t.Errorf("refused with\n  %v\nwant\n  %s", err, sentence)
	}
}

// badValue is what a refusal says of the value that is wrong.
var badValue = regexp.MustCompile(`Invalid value: ("(\\.|[^"\\])*"|null|-?[0-9]+): `)

// alike is what API servers of all versions say.
func alike(refusal string) string {
	if namesValues {
		return refusal
	}
	return badValue.ReplaceAllString(refusal, "Invalid value: ")
}

// expectUpdate gives an object, which may have a status in YAML, the spec of another, and checks what the API server says.
func expectUpdate(t *testing.T, obj *unstructured.Unstructured, status string, after *unstructured.Unstructured, sentence string) {
	t.Helper()
	if err := create(t, obj); err != nil {
		t.Fatal(err)
	}
	if status != "" {
		obj.Object["status"] = manifest(t, obj.GetKind(), "", "status: "+status).Object["status"]
		if err := kube.Status().Update(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
	}
	before := obj.DeepCopy()
	obj.Object["spec"] = after.Object["spec"]
	manifest := obj.DeepCopy()
	err := kube.Update(t.Context(), obj)
	expectOfflineUpdate(t, manifest, before, err)
	expectRefusal(t, err, sentence)
}

// commonDefaults are what the common fields are that a manifest does not set.
var commonDefaults = v1alpha1.CommonSpec{
	Management: v1alpha1.ManagementManage, Adoption: v1alpha1.AdoptionIfMatches, DeletionPolicy: v1alpha1.DeletionOrphan,
}

// expectDefaults creates an object and checks what Go reads of it, into got, whose spec is given besides: the defaults and what is
// explicitly empty, also after Go wrote it back. The status must say that nobody has looked at it.
func expectDefaults[S any](t *testing.T, obj *unstructured.Unstructured, got client.Object, spec *S, want S) {
	t.Helper()
	if err := create(t, obj); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"observedGeneration": int64(-1)}, obj.Object["status"]); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if err := kube.Get(t.Context(), client.ObjectKeyFromObject(obj), got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, *spec); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
	if err := kube.Update(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, *spec); diff != "" {
		t.Errorf("spec after Go wrote it back (-want +got):\n%s", diff)
	}
}
