package inventory

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/plan"
)

var _ Source = (*Folder)(nil)

func TestFolderIsASource(t *testing.T) {
	f := folderOf(t, namespaces, topicIn("shop", "orders", "spec: {resourceID: named}\n"), topicIn("bank", "named", ""))
	if annotations, err := f.Namespace(t.Context(), "shop"); err != nil || annotations["holdfast.dev/project-id"] != "shop-project" {
		t.Errorf("the Namespace shop: %v, %v", annotations, err)
	}
	if annotations, err := f.Namespace(t.Context(), "other"); err != nil || len(annotations) > 0 {
		t.Errorf("a Namespace that is not there: %v, %v", annotations, err)
	}
	topics := kindOf(t, "Topic")
	for name, there := range map[string]bool{"orders": true, "named": false} {
		obj, err := f.Manifest(t.Context(), topics, "shop", name)
		if err != nil || (obj != nil) != there {
			t.Errorf("Topic shop/%s: %v, %v", name, obj, err)
		}
	}
	if obj, err := f.Manifest(t.Context(), kindOf(t, "Bucket"), "shop", "orders"); err != nil || obj != nil {
		t.Errorf("a Bucket of a Topic's name: %v, %v", obj, err)
	}
	found, err := f.ByResource(t.Context(), topics, "shop-project", "named")
	if d := cmp.Diff([]string{"shop/orders", "bank/named"}, names(found)); d != "" || err != nil {
		t.Errorf("by resource (-want +got): %v\n%s", err, d)
	}
}

// TestTheSmallerNameWins: manifests in a folder have neither a time nor a UID to tell which is older.
func TestTheSmallerNameWins(t *testing.T) {
	i := inventoryOf(t, namespaces, topicIn("shop", "orders", ""), topicIn("bank", "zebra", "spec: {resourceID: orders}\n"), topicIn("shop", "alpha", "spec: {resourceID: orders}\n"))
	topics := kindOf(t, "Topic")
	for name, want := range map[string]string{
		"bank/zebra":  "",
		"shop/alpha":  "the manifest bank/zebra declares the same resource and owns it; delete one of the two",
		"shop/orders": "the manifest bank/zebra declares the same resource and owns it; delete one of the two",
	} {
		t.Run(name, func(t *testing.T) {
			namespace, own, _ := strings.Cut(name, "/")
			obj := manifest(t, i, "Topic", namespace, own)
			env, err := i.Environment(t.Context(), topics, obj)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			if v := plan.AssessUnobserved(plan.Manifest{Kind: topics, Object: obj}, plan.Record{}, env); v != nil {
				got = v.Message
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("verdict (-want +got):\n%s", d)
			}
		})
	}
}
