package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// lastApplied is how large an annotation may be into which kubectl apply writes the whole manifest, in bytes.
const lastApplied = 256 << 10

// TestVersionsAreOne: the versions that a definition serves are the same byte for byte, so that conversion by apiVersion alone (strategy None)
// loses nothing; one of them is stored.
func TestVersionsAreOne(t *testing.T) {
	files, err := filepath.Glob("../../config/crd/bases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d definitions, %v", len(files), err)
	}
	own := regexp.MustCompile(`(?m)^    (name|storage): (.*)\n`)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "conversion:") {
				t.Error("it has a conversion; without one it is None")
			}
			_, list, _ := strings.Cut(string(text), "\n  versions:\n")
			versions := strings.Split(list, "  - additionalPrinterColumns:\n")[1:]
			var names []string
			for _, version := range versions {
				said := ""
				for _, match := range own.FindAllStringSubmatch(version, -1) {
					said += match[1] + " " + match[2] + ", "
				}
				names = append(names, said)
			}
			if diff := cmp.Diff([]string{"name v1alpha1, storage true, ", "name v1beta1, storage false, "}, names); diff != "" {
				t.Fatalf("versions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(own.ReplaceAllString(versions[0], ""), own.ReplaceAllString(versions[1], "")); diff != "" {
				t.Errorf("the versions differ (-%s +%s):\n%s", names[0], names[1], diff)
			}
			json, err := yaml.YAMLToJSON(text)
			if err != nil {
				t.Fatal(err)
			}
			if len(json) > lastApplied*3/4 {
				t.Errorf("it has %d bytes; kubectl apply cannot keep more than %d in its annotation", len(json), lastApplied)
			}
		})
	}
}

// TestNoOlderKubernetesIsPromisedThanIsRun: the charts take the version that make test-older runs the tests on, and none before it.
func TestNoOlderKubernetesIsPromisedThanIsRun(t *testing.T) {
	run, err := os.ReadFile("../../hack/controlplane/older/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	minor := regexp.MustCompile(`(?m)^\tk8s\.io/kubernetes v(1\.\d+)\.`).FindSubmatch(run)
	if minor == nil {
		t.Fatal("the older control plane has no version")
	}
	charts, err := filepath.Glob("../../config/chart/*/Chart.yaml")
	if err != nil || len(charts) != 2 {
		t.Fatalf("charts %q, %v", charts, err)
	}
	for _, chart := range charts {
		text, err := os.ReadFile(chart)
		if err != nil {
			t.Fatal(err)
		}
		if want := `kubeVersion: ">=` + string(minor[1]) + `.0-0"`; !strings.Contains(string(text), want) {
			t.Errorf("%s: it has no %s", chart, want)
		}
	}
}
