package install

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/holdfast-dev/holdfast/test/installed"
)

// release is a chart with values.
type release struct {
	chart string
	args  []string
}

// image is that of config/manager.
var image = []string{"--namespace", "holdfast-system", "--set", "image.repository=holdfast,image.tag=latest"}

// TestHelmGivesWhatKustomizeGives: the same objects, field by field.
func TestHelmGivesWhatKustomizeGives(t *testing.T) {
	helm, renamed := tool(t, "HOLDFAST_HELM"), t.TempDir()
	if err := installed.Example("names", renamed); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		kustomize  []string
		kubernetes string
		releases   []release
	}{
		"the default":      {[]string{"default"}, "1.36.0", []release{{"holdfast-cluster", nil}, {"holdfast", image}}},
		"before 1.36":      {[]string{"before-1.36"}, "1.35.9", []release{{"holdfast-cluster", nil}, {"holdfast", image}}},
		"a version of GKE": {[]string{"default"}, "v1.36.2-gke.1024000", []release{{"holdfast-cluster", nil}, {"holdfast", image}}},
		"with Prometheus": {[]string{"default", "prometheus"}, "1.37.0", []release{
			{"holdfast-cluster", []string{"--set", "prometheus=true"}}, {"holdfast", image},
		}},
		"a shard": {[]string{"shard"}, "1.37.0", []release{
			{"holdfast", append([]string{"--set", "shard=eu", "--set", "args={--gcp-quota-share=0.4}"}, image...)},
		}},
		"other names": {[]string{renamed}, "1.37.0", []release{
			{"holdfast-cluster", []string{"--set", "namespace=platform,serviceAccount.name=operator,prometheus=true"}},
			{"holdfast", []string{"--namespace", "platform", "--set", "image.repository=holdfast,image.tag=latest,serviceAccountName=operator"}},
			{"holdfast", []string{
				"--namespace", "platform", "--set", "image.repository=holdfast,image.tag=latest,serviceAccountName=operator",
				"--set", "shard=eu", "--set", "args={--gcp-quota-share=0.4}",
			}},
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, got := map[string]any{}, map[string]any{}
			for _, folder := range tc.kustomize {
				if !filepath.IsAbs(folder) {
					folder = filepath.Join(root, "config", folder)
				}
				collect(t, want, kustomize(t, folder))
			}
			for _, r := range tc.releases {
				args := append([]string{"template", "x", root + "/config/chart/" + r.chart, "--kube-version", tc.kubernetes}, r.args...)
				collect(t, got, parse(t, output(t, exec.CommandContext(t.Context(), helm, args...))))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("objects (-kustomize +helm):\n%s", diff)
			}
		})
	}
}

// collect adds objects to those that there are, by kind and name. None comes twice.
func collect(t *testing.T, into map[string]any, objects []*unstructured.Unstructured) {
	t.Helper()
	for _, obj := range objects {
		key := obj.GetAPIVersion() + " " + obj.GetKind() + " " + obj.GetNamespace() + "/" + obj.GetName()
		if into[key] != nil {
			t.Errorf("%s comes twice", key)
		}
		into[key] = obj.Object
	}
}
