package manifests

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// FuzzRead: whatever the bytes are, they are read without a panic, to the same every time; an object has a name, and a problem says what it is.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", shop, topic("orders", "labels: {a: b}") + next + topic("orders", ""), "kind: [", "\ufeff{}", "--- # comment\n%YAML 1.2\n---\na: &a [*a]\n",
		"apiVersion: v1\nkind: List\nitems: [{apiVersion: gcp.holdfast.dev/v1alpha1, kind: Topic}, null, 5]\n",
		`{"apiVersion": "gcp.holdfast.dev/v1alpha1", "kind": "Bucket", "metadata": {"name": "logs", "labels": null}, "spec": {"lifecycle": {"rules": [{}]}}} {}`,
		"apiVersion: gcp.holdfast.dev/v1alpha1\nkind: ProjectPolicy\nmetadata: {name: a, namespace: 5}\nspec: {bindings: [{role: roles/viewer, members: [x]}, 7]}\nstatus: 1\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		read := func() *Tree {
			tree, err := Read(t.Context(), Options{Paths: []string{"-"}, Stdin: bytes.NewReader(text), Kinds: kinds.All(nil)})
			if err != nil {
				t.Fatal(err)
			}
			return tree
		}
		tree := read()
		for _, obj := range tree.Objects {
			if obj.GetName() == "" || obj.GetNamespace() == "" || obj.Origin.Line < 1 {
				t.Errorf("an object without a name or place: %+v", obj)
			}
		}
		for _, p := range tree.Problems {
			if p.Message == "" || p.Origin.Line < 1 {
				t.Errorf("a problem that says nothing, or not where: %+v", p)
			}
		}
		if d := cmp.Diff(told(tree), told(read()), cmp.AllowUnexported(reading{})); d != "" {
			t.Errorf("another time it is read as something else (-first +second):\n%s", d)
		}
	})
}
