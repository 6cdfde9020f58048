package manifests

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

const (
	next = "\n---\n"
	shop = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, annotations: {holdfast.dev/project-id: shop-project}}\n"
)

// topic is a manifest of a topic in the namespace shop, with a spec.
func topic(name, spec string) string {
	return "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: {namespace: shop, name: " + name + "}\nspec: {" + spec + "}\n"
}

// folder is a folder with files, by path.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// reading is what a test expects of a Tree.
type reading struct {
	namespaces, objects, problems []string
	foreign                       map[string]int
}

// told is what a Tree has: namespaces and objects with where they are.
func told(tree *Tree) reading {
	out := reading{foreign: tree.Foreign}
	for _, n := range tree.Namespaces {
		out.namespaces = append(out.namespaces, n.Name+" "+n.Origin.String())
	}
	for _, o := range tree.Objects {
		kind := o.GetObjectKind().GroupVersionKind().Kind
		out.objects = append(out.objects, kind+" "+o.GetNamespace()+"/"+o.GetName()+" "+o.Origin.String())
	}
	for _, p := range tree.Problems {
		out.problems = append(out.problems, p.String())
	}
	return out
}

// read reads, and fails the test if that is refused.
func read(t testing.TB, o Options) *Tree {
	t.Helper()
	o.Kinds = kinds.All(nil)
	tree, err := Read(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func compare(t *testing.T, want, got reading) {
	t.Helper()
	if d := cmp.Diff(want, got, cmp.AllowUnexported(reading{}), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("read (-want +got):\n%s", d)
	}
}

func TestRead(t *testing.T) {
	cases := map[string]struct {
		files map[string]string
		paths []string // . if there is none
		stdin string
		want  reading
	}{
		"nothing": {},
		"several documents in a file": {
			files: map[string]string{"all.yaml": shop + next + topic("orders", "") + next + "# nothing\n" + next + "\n# the second\n\n" + topic("events", "")},
			want:  reading{namespaces: []string{"shop all.yaml:1"}, objects: []string{"Topic shop/orders all.yaml:6 (document 2)", "Topic shop/events all.yaml:18 (document 3)"}},
		},
		"a file each, folders below, JSON": {
			files: map[string]string{
				"a.yml": topic("orders", ""), "team/b.yaml": topic("events", ""),
				"team/deep/c.json": "\n" + `{"apiVersion": "gcp.holdfast.dev/v1alpha1", "kind": "Topic", "metadata": {"namespace": "bank", "name": "orders"}}`,
			},
			want: reading{objects: []string{"Topic shop/orders a.yml:1", "Topic shop/events team/b.yaml:1", "Topic bank/orders team/deep/c.json:2"}},
		},
		"several values in a JSON file": {
			files: map[string]string{"all.json": `{"apiVersion": "gcp.holdfast.dev/v1alpha1", "kind": "Topic", "metadata": {"name": "orders"}}
{"apiVersion": "gcp.holdfast.dev/v1alpha1", "kind": "Topic", "metadata": {"name": "events"}}`},
			want: reading{objects: []string{"Topic team/orders all.json:1", "Topic team/events all.json:2 (document 2)"}},
		},
		"YAML that begins as JSON does": {
			files: map[string]string{"all.yaml": `{apiVersion: gcp.holdfast.dev/v1alpha1, kind: Topic, metadata: {name: orders}}` + next + `{"kind": "Other"}`},
			want:  reading{objects: []string{"Topic team/orders all.yaml:1"}},
		},
		"a list, as kubectl prints several objects": {
			files: map[string]string{"all.yaml": "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n" +
				"- apiVersion: gcp.holdfast.dev/v1alpha1\n  kind: Topic\n  metadata: {namespace: shop, name: orders}\n- {apiVersion: v1, kind: ConfigMap}\n" + next + topic("events", "")},
			want: reading{namespaces: []string{"shop all.yaml:4"}, objects: []string{"Topic shop/orders all.yaml:5", "Topic shop/events all.yaml:11 (document 2)"}},
		},
		"a list of a kind, as the API server has it": {
			files: map[string]string{"all.json": `{"apiVersion": "gcp.holdfast.dev/v1alpha1", "kind": "TopicList", "metadata": {"resourceVersion": "7"}, "items": [
{"apiVersion": "gcp.holdfast.dev/v1alpha1", "kind": "Topic", "metadata": {"namespace": "shop", "name": "orders"}}]}`},
			want: reading{objects: []string{"Topic shop/orders all.json:1"}},
		},
		"files and folders, in the order given, each once": {
			files: map[string]string{"a.yaml": topic("aaa", ""), "b/b.yaml": topic("bbb", ""), "b/c.txt": topic("ccc", "")},
			paths: []string{"b/c.txt", "b", "./a.yaml", ".", "b/../a.yaml"},
			want:  reading{objects: []string{"Topic shop/ccc b/c.txt:1", "Topic shop/bbb b/b.yaml:1", "Topic shop/aaa a.yaml:1"}},
		},
		"standard input": {
			paths: []string{"-"}, stdin: topic("orders", "") + next + "kind: [",
			want: reading{objects: []string{"Topic shop/orders standard input:1"}, problems: []string{"standard input:7 (document 2): did not find expected node content"}},
		},
		"other files are passed over": {files: map[string]string{"README.md": "kind: [", "a.yaml.orig": topic("orders", ""), ".github/ci.yaml": "kind: [", ".hidden.yaml": topic("events", "")}},
		"other kinds are passed over": {
			files: map[string]string{
				"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nwhatever: 1\n" + next + "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: x}\nautomountServiceAccountToken: false\n",
				"b.yaml": "# nothing but a comment\n", "c.yaml": "just a text", "d.yaml": "- op: replace\n  path: /spec/labels\n", "e.json": `[{"op": "remove"}]`, "f.yaml": "replicas: 3\nreplicas: 4\n",
				"g.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\nspec: {path: ./apps}\n",
				"h.yaml": "kind: Topic\nmetadata: {name: x}\n", "i.yaml": "apiVersion: [1]\nkind: {a: b}\n",
			},
		},
		"a patch is not a manifest": {files: map[string]string{"patch.yaml": "$patch: delete\n" + topic("orders", "")}},
		"Config Connector is counted": {
			files: map[string]string{"a.yaml": "apiVersion: pubsub.cnrm.cloud.google.com/v1beta1\nkind: PubSubTopic\nmetadata: {name: x}\n" + next +
				"apiVersion: pubsub.cnrm.cloud.google.com/v1beta1\nkind: PubSubTopic\nmetadata: {name: y}\n" + next + "apiVersion: storage.cnrm.cloud.google.com/v1beta1\nkind: StorageBucket\nmetadata: {name: y}\n"},
			want: reading{foreign: map[string]int{"PubSubTopic": 2, "StorageBucket": 1}},
		},
		"without a namespace": {
			files: map[string]string{"a.yaml": "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: {name: orders}\n"},
			want:  reading{objects: []string{"Topic team/orders a.yaml:1"}},
		},
		"what only the operator makes is checked and passed over": {
			files: map[string]string{"a.yaml": "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: BreakGlassRecord\nmetadata: {name: topic.orders}\nglass: open\n"},
			want:  reading{problems: []string{`a.yaml:1: BreakGlassRecord team/topic.orders: glass: unknown field "glass"`}},
		},

		"an unknown kind": {
			files: map[string]string{"a.yaml": "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Buket\nmetadata: {namespace: shop, name: logs}\n" + next + topic("orders", "")},
			want: reading{
				objects:  []string{"Topic shop/orders a.yaml:6 (document 2)"},
				problems: []string{"a.yaml:1: Buket shop/logs: kind: there is no such kind in gcp.holdfast.dev/v1alpha1: it has BreakGlassRecord, Bucket, ProjectPolicy, ServiceAccount, Topic"},
			},
		},
		"the other version that is served, and both": {
			files: map[string]string{
				"a.yaml": strings.Replace(topic("orders", "labels: {team: shop}"), "v1alpha1", "v1beta1", 1),
				"b.yaml": strings.Replace(topic("events", "more: 1"), "v1alpha1", "v1beta1", 1),
				"c.yaml": topic("orders", ""),
			},
			want: reading{
				objects: []string{"Topic shop/orders a.yaml:1"},
				problems: []string{
					`b.yaml:1: Topic shop/events: spec.more: unknown field "spec.more"`,
					"c.yaml:1: Topic shop/orders: the same manifest is in a.yaml:1: remove one of the two",
				},
			},
		},
		"another version": {
			files: map[string]string{"a.yaml": "apiVersion: gcp.holdfast.dev/v1\nkind: Bucket\nmetadata: {namespace: shop, name: logs}\n"},
			want:  reading{problems: []string{"a.yaml:1: Bucket shop/logs: apiVersion: this version is not served: use gcp.holdfast.dev/v1alpha1 or gcp.holdfast.dev/v1beta1"}},
		},
		"all that is wrong at once": {
			files: map[string]string{
				"a.yaml": topic("orders", "retention: 1, labels: {team: shop}, more: {deep: 1}"),
				"b.yaml": topic("events", "messageRetentionSeconds: 5, kmsKeyName: short"),
				"c.yaml": topic("good", ""),
			},
			want: reading{objects: []string{"Topic shop/good c.yaml:1"}, problems: []string{
				`a.yaml:1: Topic shop/orders: spec.more: unknown field "spec.more"`,
				`a.yaml:1: Topic shop/orders: spec.retention: unknown field "spec.retention"`,
				"b.yaml:1: Topic shop/events: spec.kmsKeyName: Invalid value: \"short\": spec.kmsKeyName in body should match '^projects/[^/\\s]+/locations/[a-z0-9-]+/keyRings/[A-Za-z0-9_-]{1,63}/cryptoKeys/[A-Za-z0-9_-]{1,63}$'",
				"b.yaml:1: Topic shop/events: spec.messageRetentionSeconds: Invalid value: 5: spec.messageRetentionSeconds in body should be greater than or equal to 600",
			}},
		},
		"broken YAML": {
			files: map[string]string{"a.yaml": topic("orders", "") + next + "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nspec:\n  labels: {\n" + next + topic("events", "")},
			want: reading{
				objects:  []string{"Topic shop/orders a.yaml:1", "Topic shop/events a.yaml:13 (document 3)"},
				problems: []string{"a.yaml:11 (document 2): did not find expected node content"},
			},
		},
		"a tab": {
			files: map[string]string{"a.yaml": "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata:\n\tname: orders\n"},
			want:  reading{problems: []string{"a.yaml:4: found character that cannot start any token"}},
		},
		"broken JSON": {
			files: map[string]string{"a.json": `{"apiVersion": "gcp.holdfast.dev/v1alpha1",` + "\n" + `"kind": "Topic"`},
			want:  reading{problems: []string{"a.json:2: did not find expected ',' or '}'"}},
		},
		"a field twice": {
			files: map[string]string{"a.yaml": topic("orders", "\n  kmsKeyName: a,\n  kmsKeyName: projects/p/locations/l/keyRings/r/cryptoKeys/k"), "b.json": `{"apiVersion": "gcp.holdfast.dev/v1alpha1", "kind": "Topic",
"metadata": {"name": "orders", "name": "events"}}`},
			want: reading{problems: []string{
				`a.yaml:6: Topic shop/orders: key "kmsKeyName" already set in map`,
				`b.json:1: Topic /events: metadata.name: duplicate field "metadata.name"`,
			}},
		},
		"a wrong type": {
			files: map[string]string{"a.yaml": topic("orders", "labels: [a]") + next + "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: {name: orders, labels: {a: 1}}\n" + next +
				"apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: [orders]\n" + next + "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, annotations: {a: 1}}\n"},
			want: reading{problems: []string{
				`a.yaml:1: Topic shop/orders: spec.labels: Invalid value: "array": spec.labels in body must be of type object: "array"`,
				"a.yaml:1: Topic shop/orders: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
				"a.yaml:7 (document 2): Topic team/orders: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string",
				"a.yaml:12 (document 3): Topic /: json: cannot unmarshal array into Go value of type v1.ObjectMeta",
				"a.yaml:17 (document 4): Namespace /shop: metadata: cannot convert int64 to string",
			}},
		},
		"no name": {
			files: map[string]string{"a.yaml": "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\n" + next + "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: {generateName: orders-}\n" + next + "apiVersion: v1\nkind: Namespace\n"},
			want: reading{problems: []string{
				"a.yaml:1: Topic team/: metadata.name: Required value: name or generateName is required",
				"a.yaml:1: Topic team/: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
				"a.yaml:5 (document 2): Topic team/: metadata.generateName: a generated name would stand for another object each time: use metadata.name",
				"a.yaml:10 (document 3): Namespace /: metadata.name: Required value",
			}},
		},
		"twice the same": {
			files: map[string]string{"a.yaml": topic("orders", ""), "b.yaml": topic("events", "") + next + topic("orders", "labels: {a: b}")},
			want: reading{
				objects:  []string{"Topic shop/orders a.yaml:1", "Topic shop/events b.yaml:1"},
				problems: []string{"b.yaml:7 (document 2): Topic shop/orders: the same manifest is in a.yaml:1: remove one of the two"},
			},
		},
		"twice the same Namespace, and another time with other annotations": {
			files: map[string]string{"a.yaml": shop, "b.yaml": shop, "c.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"},
			want: reading{
				namespaces: []string{"shop a.yaml:1"},
				problems:   []string{"c.yaml:1: Namespace /shop: the same Namespace is in a.yaml:1, with other labels or annotations: remove one of the two"},
			},
		},
		"a Helm chart": {
			files: map[string]string{
				"chart/Chart.yaml": "name: app", "chart/values.yaml": "a: 1", "chart/templates/deployment.yaml": "{{ if .Values.a }}\nkind: Deployment\n{{ end }}",
				"chart/templates/tests/topic.yaml": "{{ if .Values.a }}\napiVersion: gcp.holdfast.dev/v1alpha1\n{{ end }}", "templates/orders.yaml": topic("orders", ""),
			},
			want: reading{
				objects:  []string{"Topic shop/orders templates/orders.yaml:1"},
				problems: []string{"chart/templates/tests/topic.yaml: this is a template of a Helm chart: render it first, as in `helm template CHART | kubectl holdfast plan -f -`"},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.paths == nil {
				tc.paths = []string{"."}
			}
			tree := read(t, Options{Paths: tc.paths, Dir: folder(t, tc.files), Stdin: strings.NewReader(tc.stdin), Namespace: "team"})
			compare(t, tc.want, told(tree))
		})
	}
}

func TestReadRefuses(t *testing.T) {
	cases := map[string]struct {
		options Options
		want    string
	}{
		"nothing":                      {Options{}, "nothing to read: give files, folders, or - for standard input"},
		"an address":                   {Options{Paths: []string{"https://example.com/topics.yaml"}}, "https://example.com/topics.yaml: only files, folders and standard input are read, nothing from the network: download it, or pipe it to -f -"},
		"what does not exist":          {Options{Paths: []string{"apps", ".", "more/a.yaml"}}, "apps: there is no such file or folder\nmore/a.yaml: there is no such file or folder"},
		"standard input of a revision": {Options{Paths: []string{"-"}, Revision: "HEAD"}, "-: standard input has no revision: give files or folders"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.options.Dir = repository(t, nil).dir
			_, err := Read(t.Context(), tc.options)
			if d := cmp.Diff(tc.want, errorText(err)); d != "" {
				t.Errorf("error (-want +got):\n%s", d)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestReadStopsWhenInterrupted: nothing is returned that somebody could take for all there is.
func TestReadStopsWhenInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tree, err := Read(ctx, Options{Paths: []string{"."}, Dir: folder(t, map[string]string{"a.yaml": topic("orders", "")})})
	if tree != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v, %v", tree, err)
	}
}

// TestObjectsAreAsStored: an object has the API server's defaults, its status is that of a new object, and what would differ from one time to
// the next is not in it, even if the manifest was copied from a cluster.
func TestObjectsAreAsStored(t *testing.T) {
	tree := read(t, Options{Paths: []string{"-"}, Stdin: strings.NewReader(`
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Topic
metadata:
  namespace: shop
  name: orders
  labels: {team: shop}
  annotations: {holdfast.dev/break-glass: INC}
  uid: 0b1e0f0e-0000-4000-8000-000000000000
  resourceVersion: "7"
  generation: 4
  creationTimestamp: "2026-01-01T00:00:00Z"
  managedFields: [{manager: kubectl, operation: Update}]
spec: {labels: {}, kmsKeyName: null}
status: {project: shop-project, appliedFields: [spec.labels]}
`)})
	for _, p := range tree.Problems {
		t.Error(p)
	}
	want := &v1alpha1.Topic{}
	want.APIVersion, want.Kind = v1alpha1.GroupVersion.String(), "Topic"
	want.Namespace, want.Name, want.Generation = "shop", "orders", 1
	want.Labels, want.Annotations = map[string]string{"team": "shop"}, map[string]string{"holdfast.dev/break-glass": "INC"}
	want.Spec.CommonSpec = v1alpha1.CommonSpec{Management: v1alpha1.ManagementManage, Adoption: v1alpha1.AdoptionIfMatches, DeletionPolicy: v1alpha1.DeletionOrphan}
	want.Spec.Labels = v1alpha1.Labels{}
	want.Status.ObservedGeneration = -1
	if d := cmp.Diff([]Object{{Object: want, Origin: Origin{File: "-", Document: 1, Line: 2}}}, tree.Objects); d != "" {
		t.Errorf("objects (-want +got):\n%s", d)
	}
}

// TestTreeFolder: inventory answers from what was read.
func TestTreeFolder(t *testing.T) {
	all := kinds.All(nil)
	f := read(t, Options{Paths: []string{"-"}, Stdin: strings.NewReader(shop + next + topic("orders", "resourceID: named"))}).Folder(all)
	topics, _ := kind.Named(all, "Topic")
	annotations, err := f.Namespace(t.Context(), "shop")
	if err != nil || annotations["holdfast.dev/project-id"] != "shop-project" {
		t.Errorf("the Namespace: %v, %v", annotations, err)
	}
	if found, err := f.ByResource(t.Context(), topics, "shop-project", "named"); err != nil || len(found) != 1 {
		t.Errorf("the topic: %v, %v", found, err)
	}
}
