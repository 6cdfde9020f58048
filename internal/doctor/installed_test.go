package doctor

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/holdfast-dev/holdfast/config/admission"
)

func ship(t *testing.T) *Shipped {
	t.Helper()
	shipped, err := Ship(admission.Operator)
	if err != nil {
		t.Fatal(err)
	}
	return shipped
}

func TestShip(t *testing.T) {
	shipped := ship(t)
	if len(shipped.Definitions) != 5 {
		t.Errorf("%d definitions", len(shipped.Definitions))
	}
	kinds := map[string]int{}
	for _, obj := range slices.Concat(shipped.Policies, shipped.Roles) {
		kinds[obj.GetKind()]++
	}
	if kinds["ValidatingAdmissionPolicy"] < 10 || kinds["ValidatingAdmissionPolicyBinding"] != kinds["ValidatingAdmissionPolicy"] ||
		kinds["MutatingAdmissionPolicy"] != 5 || kinds["ClusterRole"] < 10 {
		t.Errorf("%v", kinds)
	}
	if got := shipped.ShortNames()["gcsbucket"]; got != "Bucket" {
		t.Errorf("gcsbucket is %q", got)
	}
}

// asInstalled is a definition as the API server has it.
func asInstalled(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	obj := ship(t).Definitions[1].DeepCopy()
	set(t, obj, []any{map[string]any{"type": "Established", "status": "True"}}, "status", "conditions")
	set(t, obj, []any{"v1alpha1"}, "status", "storedVersions")
	set(t, obj, "None", "spec", "conversion", "strategy")
	return obj
}

func set(t *testing.T, obj *unstructured.Unstructured, value any, path ...string) {
	t.Helper()
	if err := unstructured.SetNestedField(obj.Object, value, path...); err != nil {
		t.Fatal(err)
	}
}

func TestDefinition(t *testing.T) {
	shipped := ship(t).Definitions[1]
	for name, tc := range map[string]struct {
		change func(*unstructured.Unstructured)
		level  Level
		says   string
	}{
		"as it is here":   {func(*unstructured.Unstructured) {}, OK, "serves v1alpha1 and v1beta1, as v1.2.3 has it"},
		"not established": {func(obj *unstructured.Unstructured) { set(t, obj, []any{}, "status", "conditions") }, Fail, "is not established"},
		"being deleted":   {func(obj *unstructured.Unstructured) { obj.SetDeletionTimestamp(new(metav1.Now())) }, Fail, "is being deleted"},
		"older objects": {func(obj *unstructured.Unstructured) {
			set(t, obj, []any{"v1alpha0", "v1alpha1"}, "status", "storedVersions")
		}, Warn, "may have objects that are not stored as v1alpha1, but as v1alpha0"},
		"another schema": {
			func(obj *unstructured.Unstructured) {
				versions, _, _ := unstructured.NestedSlice(obj.Object, "spec", "versions")
				unstructured.RemoveNestedField(versions[0].(map[string]any), "schema", "openAPIV3Schema", "properties", "spec", "properties", "projectID")
				set(t, obj, versions, "spec", "versions")
			}, Warn, "it differs in .spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.projectID",
		},
		"not served": {
			func(obj *unstructured.Unstructured) {
				versions, _, _ := unstructured.NestedSlice(obj.Object, "spec", "versions")
				versions[0].(map[string]any)["served"] = false
				set(t, obj, versions, "spec", "versions")
			}, Fail, "does not serve v1alpha1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			installed := asInstalled(t)
			tc.change(installed)
			got := Definition(shipped, installed, "v1.2.3")
			if got.Worst() != tc.level || !slices.ContainsFunc(got, func(f Finding) bool { return strings.Contains(f.Message, tc.says) }) {
				t.Errorf("got %+v, want %s with %q", got, tc.level, tc.says)
			}
		})
	}
	if got := Definition(shipped, nil, "v1.2.3"); got.Worst() != Fail {
		t.Errorf("missing: %+v", got)
	}
}

func TestPolicy(t *testing.T) {
	find := func(kind, name string) *unstructured.Unstructured {
		for _, obj := range ship(t).Policies {
			if obj.GetKind() == kind && obj.GetName() == name {
				return obj
			}
		}
		t.Fatalf("no %s %s", kind, name)
		return nil
	}
	guard, binding := find("ValidatingAdmissionPolicy", "holdfast-guard-break-glass"), find("ValidatingAdmissionPolicyBinding", "holdfast-guard-break-glass")
	stamp := find("MutatingAdmissionPolicy", "holdfast-stamp-break-glass")
	changed := func(obj *unstructured.Unstructured, value any, path ...string) *unstructured.Unstructured {
		obj = obj.DeepCopy()
		set(t, obj, value, path...)
		return obj
	}
	for name, tc := range map[string]struct {
		shipped, installed *unstructured.Unstructured
		want               Level
	}{
		"as it is here":                 {guard, guard, OK},
		"missing":                       {guard, nil, Fail},
		"another policy":                {guard, changed(guard, "Ignore", "spec", "failurePolicy"), Warn},
		"a binding that denies nothing": {binding, changed(binding, []any{"Warn"}, "spec", "validationActions"), Fail},
		"a stamp is missing":            {stamp, nil, Warn},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Policy(tc.shipped, tc.installed, "v1.2.3"); got.Worst() != tc.want {
				t.Errorf("got %+v, want %s", got, tc.want)
			}
		})
	}
}

func TestRole(t *testing.T) {
	var edit *unstructured.Unstructured
	for _, role := range ship(t).Roles {
		if role.GetName() == "holdfast-edit" {
			edit = role
		}
	}
	unlabelled := edit.DeepCopy()
	unlabelled.SetLabels(nil)
	for name, tc := range map[string]struct {
		installed *unstructured.Unstructured
		want      Level
	}{
		"as it is here": {edit, OK}, "missing": {nil, Warn}, "not aggregated": {unlabelled, Warn},
	} {
		if got := Role(edit, tc.installed, "v1.2.3"); got.Worst() != tc.want {
			t.Errorf("%s: got %+v, want %s", name, got, tc.want)
		}
	}
	if got := Aggregated(edit); got.Worst() != OK {
		t.Errorf("got %+v", got)
	}
	if got := Aggregated(&unstructured.Unstructured{Object: map[string]any{}}); got.Worst() != Warn {
		t.Errorf("got %+v", got)
	}
}
