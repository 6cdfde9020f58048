package manifests

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestCheckUpdate: what depends on what was there before. That the API server says the same of all rules is tested in test/api.
func TestCheckUpdate(t *testing.T) {
	cases := map[string]struct {
		before, after string
		project       string
		want          []string
	}{
		"nothing":                   {before: "", after: ""},
		"another value":             {before: "labels: {a: b}", after: "labels: {a: c}, messageRetentionSeconds: 600"},
		"another resourceID":        {before: "resourceID: one", after: "resourceID: two", want: []string{"standard input:1: Topic shop/orders: Invalid value: spec.resourceID is immutable: create a new object for another resource"}},
		"a project where it is not": {after: "projectID: project-one", project: "project-two", want: []string{"standard input:1: Topic shop/orders: Invalid value: spec.projectID can be added only if it is the project that the object is bound to already (status.project): create a new object for another project"}},
		"the project where it is":   {after: "projectID: project-one", project: "project-one"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := func(spec string) Object {
				tree := read(t, Options{Paths: []string{"-"}, Stdin: strings.NewReader(topic("orders", spec))})
				if len(tree.Objects) != 1 {
					t.Fatal(tree.Problems)
				}
				return tree.Objects[0]
			}
			old := object(tc.before).Object.(*v1alpha1.Topic)
			old.Status.Project = tc.project
			old.TypeMeta.Kind, old.TypeMeta.APIVersion = "", "" // as clients return it
			old.UID, old.ResourceVersion, old.Generation = "0b1e0f0e-0000-4000-8000-000000000000", "7", 4
			problems, err := CheckUpdate(t.Context(), object(tc.after), old)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("problems (-want +got):\n%s", d)
			}
		})
	}
}
