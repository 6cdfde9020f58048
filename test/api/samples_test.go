package api

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Each kind has a minimal and a full sample, and nothing of them is refused, dropped or changed.
func TestSamples(t *testing.T) {
	for _, kind := range []string{"bucket", "topic", "serviceaccount", "projectpolicy"} {
		for _, extent := range []string{"minimal", "full"} {
			t.Run(kind+" "+extent, func(t *testing.T) {
				text, err := os.ReadFile(filepath.Join("..", "..", "config", "samples", kind+"-"+extent+".yaml"))
				if err != nil {
					t.Fatal(err)
				}
				sample := manifest(t, "", "", string(text))
				if got := strings.ToLower(sample.GetKind()); got != kind {
					t.Errorf("it is a %s", got)
				}
				asked, _, _ := unstructured.NestedMap(sample.Object, "spec")
				if err := create(t, sample); err != nil {
					t.Fatal(err)
				}
				for field, value := range asked {
					stored, _, _ := unstructured.NestedFieldCopy(sample.Object, "spec", field)
					if diff := cmp.Diff(asJSON(t, value), asJSON(t, stored)); diff != "" {
						t.Errorf("spec.%s (-sample +stored):\n%s", field, diff)
					}
				}
			})
		}
	}
}
