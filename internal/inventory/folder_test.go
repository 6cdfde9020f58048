package inventory

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

var _ Source = (*Folder)(nil)

func TestReadFolder(t *testing.T) {
	const (
		namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, annotations: {holdfast.dev/project-id: shop-project}}\n"
		next      = "\n---\n"
	)
	topic := func(name string) string { return topicIn("shop", name, "spec: {messageRetentionSeconds: 3600}\n") }
	cases := map[string]struct {
		files      map[string]string
		topics     []string
		namespaces map[string]map[string]string
	}{
		"nothing": {},
		"several documents in a file": {
			map[string]string{"all.yaml": namespace + next + topic("a") + next + "# nothing\n" + next + topic("b")}, []string{"shop/a", "shop/b"},
			map[string]map[string]string{"shop": {"holdfast.dev/project-id": "shop-project"}},
		},
		"a file each, folders below, JSON": {
			map[string]string{
				"a.yml": topic("a"), "team/b.yaml": topic("b"),
				"team/deep/c.json": `{"apiVersion": "gcp.holdfast.dev/v1alpha1", "kind": "Topic", "metadata": {"namespace": "bank", "name": "c"}}`,
			},
			[]string{"shop/a", "shop/b", "bank/c"}, nil,
		},
		"a list, as kubectl prints several objects": {
			map[string]string{"all.yaml": "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n" +
				"- {apiVersion: gcp.holdfast.dev/v1alpha1, kind: Topic, metadata: {namespace: shop, name: a}}\n- {apiVersion: v1, kind: ConfigMap}\n" + next + topic("b")},
			[]string{"shop/a", "shop/b"}, map[string]map[string]string{"shop": nil},
		},
		"other files are passed over":                      {map[string]string{"README.md": "kind: [", "a.yaml.orig": topic("a")}, nil, nil},
		"other kinds are passed over":                      {map[string]string{"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nwhatever: 1\n" + next + topic("a")}, []string{"shop/a"}, nil},
		"a kind of that name of others is":                 {map[string]string{"a.yaml": "apiVersion: pubsub.cnrm.cloud.google.com/v1beta1\nkind: Topic\nmetadata: {name: x}\nspec: {resourceID: y}\n"}, nil, nil},
		"a Kubernetes ServiceAccount is":                   {map[string]string{"a.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: x}\nautomountServiceAccountToken: false\n"}, nil, nil},
		"a Namespace without annotations is there as well": {map[string]string{"a.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n"}, nil, map[string]map[string]string{"x": nil}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			folder := fstest.MapFS{}
			for file, text := range tc.files {
				folder[file] = &fstest.MapFile{Data: []byte(text)}
			}
			f, err := ReadFolder(folder, kinds.All(nil))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.topics, names(f.Manifests(kindOf(t, "Topic")))); d != "" {
				t.Errorf("topics (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tc.namespaces, f.namespaces, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("Namespaces (-want +got):\n%s", d)
			}
		})
	}
}

func TestReadFolderRefuses(t *testing.T) {
	cases := map[string]struct {
		text string
		says []string
	}{
		"a field that the kind does not have": {topicIn("shop", "orders", "spec: {retention: 3600}\n"), []string{"team/a.yaml", "Topic shop/orders", `"retention"`}},
		"a value of another type":             {topicIn("shop", "orders", "spec: {messageRetentionSeconds: long}\n"), []string{"team/a.yaml", "Topic shop/orders"}},
		"a field that is given twice":         {topicIn("shop", "orders", "spec: {kmsKeyName: a, kmsKeyName: b}\n"), []string{"team/a.yaml", "kmsKeyName"}},
		"a field that the kind does not have, in a list": {
			"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: gcp.holdfast.dev/v1alpha1, kind: Topic, metadata: {namespace: shop, name: a}, spec: {retention: 1}}\n",
			[]string{"team/a.yaml", "Topic shop/a", `"retention"`},
		},
		"no YAML": {"kind: [", []string{"team/a.yaml"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := ReadFolder(fstest.MapFS{"team/a.yaml": {Data: []byte(tc.text)}}, kinds.All(nil))
			if err == nil {
				t.Fatal("it is read")
			}
			for _, want := range tc.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error %q does not say %q", err, want)
				}
			}
		})
	}
}

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
