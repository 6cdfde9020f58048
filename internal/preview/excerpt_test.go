package preview

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// TestExcerptKeepsWhatMatters: of a cluster it keeps rivals, and what is referred to.
func TestExcerptKeepsWhatMatters(t *testing.T) {
	e := NewExcerpt(kinds.All(nil))
	for _, namespace := range []string{"shop", "shop-too", "bank"} {
		project := map[string]string{"shop": "shop-prod", "shop-too": "shop-prod", "bank": "bank-prod"}[namespace]
		e.Namespace(namespace, map[string]string{v1alpha1.ProjectIDAnnotation: project, "example.com/other": "x"})
	}
	applied := topic("orders", func(t *v1alpha1.Topic) {
		t.Spec.IAM = &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{{ServiceAccountRefs: []v1alpha1.ServiceAccountRef{{Name: "reader"}}}}}
	})
	e.about(plan.Manifest{Kind: kindOf(t, "Topic"), Object: applied})
	in := func(namespace, name string) func(*v1alpha1.Topic) {
		return func(t *v1alpha1.Topic) { t.Namespace, t.Name = namespace, name }
	}
	for _, live := range []*v1alpha1.Topic{
		topic("", in("shop-too", "orders")), topic("", in("bank", "orders")), topic("", in("shop", "others")),
		topic("", in("shop", "renamed"), func(t *v1alpha1.Topic) { t.Spec.ResourceID = "orders" }),
	} {
		e.Live(plan.Manifest{Kind: kindOf(t, "Topic"), Object: live})
	}
	for _, name := range []string{"reader", "writer"} {
		account := &v1alpha1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
		e.Live(plan.Manifest{Kind: kindOf(t, "ServiceAccount"), Object: account})
	}
	var kept []string
	for _, m := range e.kept {
		kept = append(kept, m.Kind.Kind+" "+m.Object.GetNamespace()+"/"+m.Object.GetName())
	}
	if d := cmp.Diff([]string{"Topic shop-too/orders", "Topic shop/renamed", "ServiceAccount shop/reader"}, kept); d != "" {
		t.Errorf("kept (-want +got):\n%s", d)
	}
	if len(e.namespaces["shop"]) != 1 {
		t.Errorf("of a Namespace it keeps %v", e.namespaces["shop"])
	}
	if order := e.Order(); order[len(order)-1].Kind != "ServiceAccount" {
		t.Error("what others refer to does not come last")
	}
}
