package inventory

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// three is the time at which everything is looked at.
var three = time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)

func kindOf(t *testing.T, name string) kind.Kind {
	t.Helper()
	k, ok := kind.Named(kinds.All(nil), name)
	if !ok {
		t.Fatalf("there is no kind %s", name)
	}
	return k
}

// folderOf is a folder with the manifests of these texts, several to a text.
func folderOf(t *testing.T, texts ...string) *Folder {
	t.Helper()
	namespaces := map[string]map[string]string{}
	var objects []v1alpha1.Object
	for document := range strings.SplitSeq(strings.Join(texts, "\n---\n"), "\n---\n") {
		var head metav1.PartialObjectMetadata
		if err := yaml.Unmarshal([]byte(document), &head); err != nil {
			t.Fatal(err)
		}
		if head.Kind == "Namespace" {
			namespaces[head.Name] = head.Annotations
			continue
		}
		obj := kindOf(t, head.Kind).New()
		if err := yaml.UnmarshalStrict([]byte(document), obj); err != nil {
			t.Fatalf("%s %s/%s: %v", head.Kind, head.Namespace, head.Name, err)
		}
		objects = append(objects, obj)
	}
	return NewFolder(kinds.All(nil), namespaces, objects)
}

// inventoryOf is the inventory of a folder with the manifests of these texts.
func inventoryOf(t *testing.T, texts ...string) *Inventory {
	t.Helper()
	return &Inventory{Source: folderOf(t, texts...), Kinds: kinds.All(nil), OwnerID: "cluster", Now: func() time.Time { return three }}
}

// manifest finds one that must be there.
func manifest(t *testing.T, i *Inventory, of, namespace, name string) v1alpha1.Object {
	t.Helper()
	obj, err := i.Source.Manifest(t.Context(), kindOf(t, of), namespace, name)
	if err != nil || obj == nil {
		t.Fatalf("%s %s/%s: %v, %v", of, namespace, name, obj, err)
	}
	return obj
}

// names are those of manifests, as namespace/name.
func names(objects []v1alpha1.Object) []string {
	var out []string
	for _, obj := range objects {
		out = append(out, obj.GetNamespace()+"/"+obj.GetName())
	}
	return out
}

// The namespaces of the tests: two of one project, one that may use another one too, and one that is not bound.
const namespaces = `
apiVersion: v1
kind: Namespace
metadata:
  name: shop
  annotations: {holdfast.dev/project-id: shop-project, holdfast.dev/allowed-project-ids: shop-test}
---
apiVersion: v1
kind: Namespace
metadata:
  name: bank
  annotations: {holdfast.dev/project-id: shop-project, holdfast.dev/impersonate-service-account: bank@bank-project.iam.gserviceaccount.com}
---
apiVersion: v1
kind: Namespace
metadata: {name: unbound}
`

// topicIn is a manifest of a topic, with more lines of it.
func topicIn(namespace, name, more string) string {
	return "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: {namespace: " + namespace + ", name: " + name + "}\n" + more
}
