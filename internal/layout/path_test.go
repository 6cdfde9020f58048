package layout

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func manifest(t *testing.T) Object {
	t.Helper()
	bucket := &v1alpha1.Bucket{Spec: v1alpha1.BucketSpec{StorageClass: v1alpha1.StorageClassNearline}}
	bucket.Namespace, bucket.Name = "shop", "logs"
	bucket.Spec.Adoption = v1alpha1.AdoptionIfMatches
	obj, err := Of("Bucket", bucket)
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func TestFile(t *testing.T) {
	for layout, want := range map[Layout]string{
		Default:               "shop/bucket/logs.yaml",
		"kind/namespace/name": "bucket/shop/logs.yaml",
		"kind/name/namespace": "bucket/logs/shop.yaml",
	} {
		if err := layout.Validate(); err != nil {
			t.Error(err)
		}
		if got := layout.File(manifest(t)); got != want {
			t.Errorf("%s: %s, want %s", layout, got, want)
		}
	}
	if got, want := Default.File(NamespaceOf("shop", "my-project", nil)), "shop/0-namespace/shop.yaml"; got != want {
		t.Errorf("the Namespace is in %s, want %s", got, want)
	}
}

func TestBadLayouts(t *testing.T) {
	for _, layout := range []Layout{"", "namespace/kind", "namespace/name", "../namespace/kind/name", "namespace/kind/name/name", "namespace//kind/name", "a/b/c", "namespacekind/name", "namespace-kind-name", "/namespace/kind/name"} {
		if layout.Validate() == nil {
			t.Errorf("%q is accepted", layout)
		}
	}
}

func TestYAML(t *testing.T) {
	text, err := Stream([]Object{NamespaceOf("shop", "my-project", nil), manifest(t)})
	if err != nil {
		t.Fatal(err)
	}
	const want = `apiVersion: v1
kind: Namespace
metadata:
  annotations:
    holdfast.dev/project-id: my-project
  name: shop
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Bucket
metadata:
  name: logs
  namespace: shop
spec:
  adoption: IfMatches
  storageClass: NEARLINE
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	bucket := &v1alpha1.Bucket{}
	if err := manifest(t).Into(bucket); err != nil || bucket.Name != "logs" || bucket.Spec.StorageClass != "NEARLINE" {
		t.Errorf("read back: %+v, %v", bucket, err)
	}
}
