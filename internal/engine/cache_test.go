package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func TestReferenceKeys(t *testing.T) {
	cases := map[string]struct {
		refs []kind.Reference
		want []string
	}{
		"none":                               {nil, nil},
		"in the same namespace":              {[]kind.Reference{{Kind: "ServiceAccount", Name: "reader"}}, []string{"ServiceAccount shop/reader"}},
		"twice":                              {[]kind.Reference{{Kind: "ServiceAccount", Name: "reader"}, {Kind: "ServiceAccount", Name: "reader"}}, []string{"ServiceAccount shop/reader"}},
		"in the same namespace, by its name": {[]kind.Reference{{Kind: "ServiceAccount", Namespace: "shop", Name: "reader"}}, []string{"ServiceAccount shop/reader"}},
		"in another one, and so that one": {
			[]kind.Reference{{Kind: "ServiceAccount", Namespace: "bank", Name: "reader"}, {Kind: "Topic", Namespace: "bank", Name: "orders"}},
			[]string{"ServiceAccount bank/reader", "bank", "Topic bank/orders"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			k := kind.Kind{References: func(v1alpha1.Object) []kind.Reference { return tc.refs }}
			if d := cmp.Diff(tc.want, referenceKeys(k, shopTopic())); d != "" {
				t.Errorf("keys (-want +got):\n%s", d)
			}
		})
	}
}

// TestTheCacheIsASource answers as a folder does: what is not there is no error.
func TestTheCacheIsASource(t *testing.T) {
	other := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: "bank", Name: "orders"}}
	other.Status.Project, other.Status.Identity = "bank-project", "1"
	strangers := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: "mall", Name: "orders"}}
	r, _ := testReconciler(t, shopTopic(), other, strangers, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "bank"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "mall", Labels: map[string]string{v1alpha1.ShardLabel: "eu"}}})
	source, topics := r.inventory.Source, r.kind
	if annotations, err := source.Namespace(t.Context(), "shop"); err != nil || annotations[v1alpha1.ProjectIDAnnotation] != "shop-project" {
		t.Errorf("the Namespace shop: %v, %v", annotations, err)
	}
	if annotations, err := source.Namespace(t.Context(), "elsewhere"); err != nil || len(annotations) > 0 {
		t.Errorf("a Namespace that is not there: %v, %v", annotations, err)
	}
	if all, err := source.Namespaces(t.Context()); err != nil || len(all) != 2 || all["shop"] == nil {
		t.Errorf("the Namespaces of the shard: %v, %v", all, err)
	}
	for name, there := range map[string]bool{"orders": true, "returns": false} {
		if obj, err := source.Manifest(t.Context(), topics, "shop", name); err != nil || (obj != nil) != there {
			t.Errorf("Topic shop/%s: %v, %v", name, obj, err)
		}
	}
	if all, err := source.Manifests(t.Context(), topics); err != nil || len(all) != 2 {
		t.Errorf("all manifests of the shard: %v, %v", all, err)
	}
	for key, want := range map[string]string{"bank-project/orders": "bank"} {
		if found, err := source.ByResource(t.Context(), topics, key); err != nil || len(found) != 1 || found[0].GetNamespace() != want {
			t.Errorf("by the resource %q: %v, %v", key, found, err)
		}
	}
}
