package kinds_test

import (
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/policytest"
)

// TestListsShowWhatReadsShow: sweeps trust a list to show of a resource all that reading it by itself does, unless the kind says that it is partial.
// The samples set every field that can be set together.
func TestListsShowWhatReadsShow(t *testing.T) {
	for _, k := range kinds.All(nil) {
		if k.Fields == nil {
			continue
		}
		for _, sample := range []string{"minimal", "full"} {
			t.Run(k.Kind+" "+sample, func(t *testing.T) {
				cloud := emulator.StartTest(t)
				k, _ := kind.Named(kinds.All(policytest.Clients(t, cloud, k.Methods...)), k.Kind)
				obj := sampleOf(t, k, sample)
				ref := kind.Ref{Project: "some-project", ID: k.ResourceID(obj), Ownership: map[string]string{v1alpha1.OwnerLabel: "cluster"}}
				if !k.Labels {
					ref.Ownership = nil
				}
				uses(t, cloud, obj)
				if _, err := k.Fields.Create(t.Context(), ref, obj); err != nil {
					t.Fatal(err)
				}
				read, err := k.Fields.Observe(t.Context(), ref)
				if err != nil {
					t.Fatal(err)
				}
				if named := read.Identity.ProjectNumber != 0; named != k.Numbered {
					t.Errorf("it names its project by number is %v, and the kind says %v", named, k.Numbered)
				}
				listed := map[string]kind.Listed{}
				err = k.Fields.List(t.Context(), ref, func(page []kind.Listed) bool {
					for _, resource := range page {
						listed[resource.ID] = resource
					}
					return true
				})
				if ids := slices.Collect(maps.Keys(listed)); err != nil || !slices.Equal(ids, []string{ref.ID}) {
					t.Fatalf("listed are %q: %v", ids, err)
				}
				got := listed[ref.ID]
				d := cmp.Diff(read, got.Live, cmpopts.IgnoreUnexported(kind.Live{}))
				if (d != "") != got.Partial {
					t.Errorf("partial is %v, and the list differs (-read +listed):\n%s", got.Partial, d)
				}
			})
		}
	}
}

// uses makes what a sample needs to be there.
func uses(t *testing.T, cloud *emulator.Emulator, obj v1alpha1.Object) {
	t.Helper()
	topic, ok := obj.(*v1alpha1.Topic)
	if !ok || topic.Spec.SchemaSettings == nil {
		return
	}
	project, id, _ := strings.Cut(strings.TrimPrefix(topic.Spec.SchemaSettings.Schema, "projects/"), "/schemas/")
	schema := `{"type": "PROTOCOL_BUFFER", "definition": "syntax = \"proto3\"; message M { string id = 1; }"}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, cloud.URL()+"/v1/projects/"+project+"/schemas?schemaId="+id, strings.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("making the schema: %s, %v", response.Status, err)
	}
}

// sampleOf reads a sample of a kind.
func sampleOf(t *testing.T, k kind.Kind, which string) v1alpha1.Object {
	t.Helper()
	text, err := os.ReadFile("../../config/samples/" + strings.ToLower(k.Kind) + "-" + which + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	obj := k.New()
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		candidate := k.New()
		if err := yaml.Unmarshal([]byte(document), candidate); err != nil {
			t.Fatal(err)
		}
		if candidate.GetObjectKind().GroupVersionKind().Kind == k.Kind {
			obj = candidate
			break
		}
	}
	return obj
}
