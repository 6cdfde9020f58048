package projectpolicy

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

// Every field of the spec that is not common to all kinds is compared by the planner.
func TestFieldsAreApart(t *testing.T) {
	want := map[string]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for field := range typ.Fields() {
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			switch {
			case field.Type == reflect.TypeFor[v1alpha1.CommonSpec]():
			case options == "inline":
				walk(field.Type)
			default:
				want["spec."+name] = true
			}
		}
	}
	walk(reflect.TypeFor[v1alpha1.ProjectPolicySpec]())
	got := map[string]bool{}
	for path, field := range fields {
		got[path] = field.Apart
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("fields (-spec +apart):\n%s", diff)
	}
}

// There is nothing to write of a project, whatever the manifest says.
func TestNothingDiffers(t *testing.T) {
	modes := []v1alpha1.IAMMode{"", v1alpha1.IAMAdditive, v1alpha1.IAMAuthoritativeRoles, v1alpha1.IAMAuthoritative}
	rapid.Check(t, func(t *rapid.T) {
		obj := &v1alpha1.ProjectPolicy{Spec: v1alpha1.ProjectPolicySpec{IAMPolicy: v1alpha1.IAMPolicy{
			Mode:              rapid.SampledFrom(modes).Draw(t, "mode"),
			DeletedPrincipals: rapid.SampledFrom([]v1alpha1.IAMDeletedPrincipals{"", "Keep", "Remove"}).Draw(t, "deletedPrincipals"),
			Safety:            &v1alpha1.IAMSafety{MaxRemovals: new(rapid.Int32().Draw(t, "maxRemovals"))},
			Bindings:          []v1alpha1.IAMBinding{{Role: rapid.String().Draw(t, "role"), Members: []v1alpha1.IAMMember{"allUsers"}}},
		}, AuditConfigs: []v1alpha1.AuditConfig{{Service: rapid.String().Draw(t, "service")}}}}
		result := diff.Compare(obj, New(nil).Describe(Project{}), []string{"spec.bindings"}, fields)
		if len(result.Changes) > 0 || len(result.Managed) > 0 {
			t.Errorf("differs: %+v", result)
		}
	})
}
