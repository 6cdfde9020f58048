package manifests

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// broken is what nobody may read as a manifest.
const broken = "kind: ["

func TestKustomizations(t *testing.T) {
	cases := map[string]struct {
		files map[string]string
		paths []string // . if there is none
		want  reading
	}{
		"patches, generators, labels and a namespace": {
			files: map[string]string{
				"kustomization.yaml": `
resources: [topics.yaml, namespace.yaml]
namespace: bank
commonAnnotations: {example.com/docs: https://example.com/docs}
configMapGenerator: [{name: settings, literals: ["url=https://example.com"]}]
patches:
- path: patches/retention.yaml
- target: {kind: Topic, name: events}
  patch: |-
    - op: add
      path: /spec/labels
      value: {team: bank}
`,
				"topics.yaml": topic("orders", "") + next + topic("events", ""), "namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: bank}\n",
				"patches/retention.yaml": "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: {namespace: shop, name: orders}\nspec: {messageRetentionSeconds: 600}\n",
				"unused.yaml":            topic("unused", ""), "values.yaml": broken,
			},
			want: reading{
				namespaces: []string{"bank namespace.yaml (kustomization .)"},
				objects:    []string{"Topic bank/orders topics.yaml (kustomization .)", "Topic bank/events topics.yaml (kustomization .)"},
			},
		},
		"bases and overlays side by side": {
			files: map[string]string{
				"apps/base/kustomization.yaml":             "resources: [topic.yaml]\n",
				"apps/base/topic.yaml":                     topic("orders", ""),
				"apps/overlays/prod/kustomization.yml":     "resources: [../../base]\nnamePrefix: prod-\npatches: [{path: patch.yaml}]\n",
				"apps/overlays/prod/patch.yaml":            "$patch: merge\napiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: {namespace: shop, name: orders}\nspec: {labels: {stage: prod}}\n",
				"apps/overlays/staging/Kustomization":      "bases: [../../base]\nnamePrefix: staging-\ncomponents: [../../components/labels]\n",
				"apps/components/labels/kustomization.yml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels: [{pairs: {a: b}}]\n",
				"apps/components/alone/kustomization.yml":  "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels: [{pairs: {a: b}}]\n",
				"plain.yaml": topic("plain", ""),
			},
			want: reading{objects: []string{
				"Topic shop/plain plain.yaml:1",
				"Topic shop/prod-orders apps/base/topic.yaml (kustomization apps/overlays/prod)",
				"Topic shop/staging-orders apps/base/topic.yaml (kustomization apps/overlays/staging)",
			}},
		},
		"a base alone": {
			files: map[string]string{
				"apps/base/kustomization.yaml": "resources: [topic.yaml]\n", "apps/base/topic.yaml": topic("orders", ""),
				"apps/overlays/prod/kustomization.yml": "resources: [../../base]\nnamePrefix: prod-\n",
			},
			paths: []string{"apps/base"},
			want:  reading{objects: []string{"Topic shop/orders apps/base/topic.yaml (kustomization apps/base)"}},
		},
		"the file of a kustomization": {
			files: map[string]string{"apps/kustomization.yaml": "resources: [topic.yaml]\n", "apps/topic.yaml": topic("orders", "")},
			paths: []string{"apps/kustomization.yaml", "apps"},
			want:  reading{objects: []string{"Topic shop/orders apps/topic.yaml (kustomization apps)"}},
		},
		"a file or folder of one, given by itself": {
			files: map[string]string{"apps/kustomization.yaml": "resources: [topic.yaml]\n", "apps/topic.yaml": topic("orders", ""), "apps/more/a.yaml": topic("events", "")},
			paths: []string{"apps", "apps/more"},
			want:  reading{objects: []string{"Topic shop/events apps/more/a.yaml:1", "Topic shop/orders apps/topic.yaml (kustomization apps)"}},
		},
		"one below another that does not refer to it": {
			files: map[string]string{
				"kustomization.yaml": "resources: [topic.yaml]\n", "topic.yaml": topic("orders", ""),
				"below/kustomization.yaml": "resources: [topic.yaml]\n", "below/topic.yaml": topic("events", ""), "below/other.yaml": broken,
			},
			want: reading{objects: []string{"Topic shop/orders topic.yaml (kustomization .)", "Topic shop/events below/topic.yaml (kustomization below)"}},
		},
		"two that render the same": {
			files: map[string]string{
				"base/kustomization.yaml": "resources: [topic.yaml]\n", "base/topic.yaml": topic("orders", ""),
				"a/kustomization.yaml": "resources: [../base]\n", "b/kustomization.yaml": "resources: [../base]\n",
			},
			want: reading{
				objects:  []string{"Topic shop/orders base/topic.yaml (kustomization a)"},
				problems: []string{"base/topic.yaml (kustomization b): Topic shop/orders: the same manifest is in base/topic.yaml (kustomization a): remove one of the two"},
			},
		},
		"what is wrong says where it comes from": {
			files: map[string]string{
				"prod/kustomization.yaml": "resources: [../base]\n", "base/kustomization.yaml": "resources: [topic.yaml]\n", "base/topic.yaml": topic("orders", "retention: 1"),
			},
			want: reading{problems: []string{`base/topic.yaml (kustomization prod): Topic shop/orders: spec.retention: unknown field "spec.retention"`}},
		},
		"plugins and charts": {
			files: map[string]string{
				"a/kustomization.yaml": "transformers: [exec.yaml]\nresources: [topic.yaml]\n", "a/topic.yaml": topic("orders", ""),
				"a/exec.yaml":          "apiVersion: example.com/v1\nkind: Exec\nmetadata: {name: x, annotations: {config.kubernetes.io/function: 'exec: {path: ./x.sh}'}}\n",
				"b/kustomization.yaml": "helmCharts: [{name: app, version: 1.0.0}]\n",
			},
			want: reading{problems: []string{
				"a/kustomization.yaml: rendering the kustomization: external plugins disabled; unable to load external plugin 'Exec'",
				"b/kustomization.yaml: rendering the kustomization: it inflates Helm charts, which is left to helm: pipe the output of `kustomize build --enable-helm` to -f -",
			}},
		},
		"a list in one": {
			files: map[string]string{"kustomization.yaml": "resources: [all.yaml]\n", "all.yaml": "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: gcp.holdfast.dev/v1alpha1, kind: Topic, metadata: {namespace: shop, name: orders}}\n"},
			want:  reading{objects: []string{"Topic shop/orders all.yaml (kustomization .)"}},
		},
		"an empty one": {files: map[string]string{"kustomization.yaml": ""}, want: reading{problems: []string{"kustomization.yaml: rendering the kustomization: kustomization.yaml is empty"}}},
		"two files of it in one folder": {
			files: map[string]string{"kustomization.yaml": "resources: [a.yaml]\n", "kustomization.yml": "resources: [a.yaml]\n", "a.yaml": topic("orders", "")},
			want:  reading{problems: []string{"kustomization.yaml: rendering the kustomization: Found multiple kustomization files under: ."}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.paths == nil {
				tc.paths = []string{"."}
			}
			compare(t, tc.want, told(read(t, Options{Paths: tc.paths, Dir: folder(t, tc.files)})))
		})
	}
}

// TestWhatCannotBeRendered does not keep others from being.
func TestWhatCannotBeRendered(t *testing.T) {
	tree := read(t, Options{Paths: []string{"."}, Dir: folder(t, map[string]string{
		"a/kustomization.yaml": "resources: [missing.yaml]\n", "b/kustomization.yaml": "resources: [broken.yaml]\n", "b/broken.yaml": broken,
		"c/kustomization.yaml": broken, "d/kustomization.yaml": "nonsense: 1\n", "e/kustomization.yaml": "resources: [../outside.yaml]\n", "outside.yaml": topic("outside", ""),
		"f/kustomization.yaml": "resources: [../g]\n", "g/kustomization.yaml": "resources: [../f]\n",
		"h/kustomization.yaml": "resources: [topic.yaml]\n", "h/topic.yaml": topic("orders", ""),
	})})
	got := told(tree)
	if d := cmp.Diff([]string{"Topic shop/outside outside.yaml:1", "Topic shop/orders h/topic.yaml (kustomization h)"}, got.objects); d != "" {
		t.Errorf("objects (-want +got):\n%s", d)
	}
	want := [][]string{
		{"a/kustomization.yaml: rendering the kustomization: ", "a/missing.yaml: no such file"}, {"b/kustomization.yaml: ", "broken.yaml", "line 1"}, {"c/kustomization.yaml: ", "line 1"},
		{"d/kustomization.yaml: ", `unknown field "nonsense"`}, {"e/kustomization.yaml: ", "file 'outside.yaml' is not in or below 'e'"}, {"f/kustomization.yaml: ", "cycle detected"},
	}
	if len(got.problems) != len(want) {
		t.Fatalf("problems: %q", got.problems)
	}
	for i, problem := range got.problems {
		for _, part := range want[i] {
			if !strings.Contains(problem, part) {
				t.Errorf("%q does not say %q", problem, part)
			}
		}
	}
}

// TestPatchesApply: what is read is what kustomize made of it, without a trace of how that was found out.
func TestPatchesApply(t *testing.T) {
	for _, asked := range []string{"", "buildMetadata: [originAnnotations]\n"} {
		tree := read(t, Options{Paths: []string{"."}, Dir: folder(t, map[string]string{
			"kustomization.yaml": asked + "resources: [topic.yaml]\npatches: [{path: patch.yaml}]\n", "topic.yaml": topic("orders", "labels: {a: b}"),
			"patch.yaml": "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: {namespace: shop, name: orders}\nspec: {labels: {c: d}}\n",
		})})
		if len(tree.Problems) > 0 || len(tree.Objects) != 1 {
			t.Fatalf("read: %+v", tree)
		}
		got := tree.Objects[0].Object.(*v1alpha1.Topic)
		if d := cmp.Diff(v1alpha1.Labels{"a": "b", "c": "d"}, got.Spec.Labels); d != "" {
			t.Errorf("labels (-want +got):\n%s", d)
		}
		if traced := len(got.Annotations) > 0; traced != (asked != "") {
			t.Errorf("annotations: %v", got.Annotations)
		}
	}
}

// TestNothingIsFetched: whatever a kustomization names that is elsewhere is refused before anybody is asked for it.
func TestNothingIsFetched(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	const url = "URL"
	cases := map[string]struct {
		kustomization string
		more          map[string]string
		named         string
	}{
		"a resource":                     {kustomization: "resources: [URL/topic.yaml]\n", named: "URL/topic.yaml"},
		"a resource, in other letters":   {kustomization: "Resources: [URL/topic.yaml]\n", named: "URL/topic.yaml"},
		"a base":                         {kustomization: "bases: [github.com/org/repo]\n", named: "github.com/org/repo"},
		"a repository by SSH":            {kustomization: "resources: ['git@example.com:org/repo.git//base?ref=v1']\n", named: "git@example.com:org/repo.git//base?ref=v1"},
		"a repository by git's own name": {kustomization: "resources: ['git::https://example.com/org/repo']\n", named: "git::https://example.com/org/repo"},
		"a repository on this machine":   {kustomization: "resources: ['file:///srv/repo']\n", named: "file:///srv/repo"},
		"a component":                    {kustomization: "components: [URL/org/repo]\n", named: "URL/org/repo"},
		"a patch":                        {kustomization: "resources: [topic.yaml]\npatches: [{path: URL/patch.yaml}]\n", named: "URL/patch.yaml"},
		"an old patch":                   {kustomization: "resources: [topic.yaml]\npatchesStrategicMerge: [URL/patch.yaml]\n", named: "URL/patch.yaml"},
		"a generator's file":             {kustomization: "configMapGenerator: [{name: x, files: [key=URL/file]}]\n", named: "key=URL/file"},
		"a generator's variables":        {kustomization: "secretGenerator: [{name: x, envs: [URL/file]}]\n", named: "URL/file"},
		"a schema":                       {kustomization: "resources: [topic.yaml]\nopenapi: {path: URL/schema.json}\n", named: "URL/schema.json"},
		"a definition":                   {kustomization: "resources: [topic.yaml]\ncrds: [URL/crd.json]\n", named: "URL/crd.json"},
		"a replacement":                  {kustomization: "resources: [topic.yaml]\nreplacements: [{path: URL/r.yaml}]\n", named: "URL/r.yaml"},
		"a transformer's patch":          {kustomization: "resources: [topic.yaml]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: x}\n  path: URL/patch.yaml\n", named: "URL/patch.yaml"},
		"a transformer's patch, in a file": {
			kustomization: "resources: [topic.yaml]\ntransformers: [t.yaml]\n", named: "URL/patch.yaml",
			more: map[string]string{"t.yaml": "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\npath: URL/patch.yaml\n"},
		},
		"a base's resource": {
			kustomization: "resources: [base]\n", named: "URL/topic.yaml",
			more: map[string]string{"base/kustomization.yaml": "resources: [URL/topic.yaml]\n"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"kustomization.yaml": tc.kustomization, "topic.yaml": topic("orders", "")}
			maps.Copy(files, tc.more)
			for name, text := range files {
				files[name] = strings.ReplaceAll(text, url, server.URL)
			}
			want := "kustomization.yaml: rendering the kustomization: it refers to " + strings.ReplaceAll(tc.named, url, server.URL) +
				", and nothing is fetched from elsewhere: keep a copy beside it, or pipe the output of `kustomize build` to -f -"
			compare(t, reading{problems: []string{want}}, told(read(t, Options{Paths: []string{"."}, Dir: folder(t, files)})))
			if n := asked.Load(); n > 0 {
				t.Errorf("%d requests were sent", n)
			}
		})
	}
}
