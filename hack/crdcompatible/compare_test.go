package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

const definition = `
metadata: {name: things.example.com}
spec:
  scope: Namespaced
  names: {kind: Thing, plural: things, shortNames: [th]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          name: {type: string, pattern: "^a", maxLength: 10, enum: [a, ab]}
          count: {type: integer, minimum: 1, maximum: 9, default: 3}
          list: {type: array, maxItems: 4, x-kubernetes-list-type: set, items: {type: string}}
          map: {type: object, additionalProperties: {type: string}}
`

func parse(t *testing.T, text string) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	d := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict([]byte(text), d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestBreaks(t *testing.T) {
	for name, tc := range map[string]struct {
		from, to string
		want     []string
	}{
		"nothing":            {"", "", nil},
		"a further field":    {"properties:\n", "properties:\n          further: {type: string}\n", nil},
		"a further value":    {"enum: [a, ab]", "enum: [a, ab, abc]", nil},
		"any value":          {", enum: [a, ab]", "", nil},
		"longer":             {"maxLength: 10", "maxLength: 11", nil},
		"as long as it is":   {"maxLength: 10, ", "", nil},
		"any form":           {`pattern: "^a", `, "", nil},
		"less":               {"minimum: 1", "minimum: 0", nil},
		"a field that goes":  {"          map: {type: object, additionalProperties: {type: string}}\n", "", []string{"v1: the field map is gone"}},
		"another type":       {"map: {type: object, additionalProperties: {type: string}}", "map: {type: string}", []string{`v1.map: the type is "string", was "object"`, "v1.map: what is in it is another thing"}},
		"another item":       {"items: {type: string}", "items: {type: integer}", []string{`v1.list[]: the type is "integer", was "string"`}},
		"required":           {"type: object\n        properties", "type: object\n        required: [name]\n        properties", []string{"v1: name is required now"}},
		"required, with one": {"type: object\n        properties", "type: object\n        required: [count]\n        properties", nil},
		"a value that goes":  {"enum: [a, ab]", "enum: [a]", []string{`v1.name: the value "ab" is refused now`}},
		"values":             {"count: {type: integer, ", "count: {type: integer, enum: [3], ", []string{"v1.count: only some values are accepted now"}},
		"shorter":            {"maxLength: 10", "maxLength: 9", []string{"v1.name: the greatest length is 9 now"}},
		"more":               {"minimum: 1", "minimum: 2", []string{"v1.count: the least value is 2 now"}},
		"a limit":            {"minimum: 1, ", "minimum: 1, multipleOf: 2, ", []string{"v1.count: it must be a multiple of 2 now"}},
		"fewer":              {"maxItems: 4", "maxItems: 3", []string{"v1.list: the greatest number of items is 3 now"}},
		"another form":       {`pattern: "^a"`, `pattern: "^ab"`, []string{`v1.name: the pattern is "^ab", was "^a"`}},
		"another default":    {"default: 3", "default: 4", []string{`v1.count: the default is "4", was "3"`}},
		"a list, no set":     {"x-kubernetes-list-type: set, ", "", []string{`v1.list: the list type is "", was "set"`}},
		"a rule": {"type: object\n        properties", "type: object\n        x-kubernetes-validations: [{rule: 'self.count > 1'}]\n        properties",
			[]string{"v1: there is a further rule: self.count > 1"}},
		"not served":     {"served: true", "served: false", []string{"the version v1 is not served any more"}},
		"renamed":        {"name: v1\n", "name: v2\n", []string{"the version v1 is gone: objects may be stored in it, and manifests written"}},
		"no status":      {"    subresources: {status: {}}\n", "", []string{"v1: the subresource status is gone"}},
		"scope":          {"Namespaced", "Cluster", []string{"the scope is Cluster, was Namespaced"}},
		"another kind":   {"kind: Thing", "kind: Object", []string{"it names Object (things), was Thing (things)"}},
		"no short names": {", shortNames: [th]", "", []string{"the short name th is gone"}},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(definition, tc.from) {
				t.Fatalf("the definition has no %q", tc.from)
			}
			after := definition
			if tc.from != "" {
				after = strings.Replace(definition, tc.from, tc.to, 1)
			}
			if diff := cmp.Diff(tc.want, breaks(parse(t, definition), parse(t, after))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestOwnDefinitions are compatible with themselves, and with none that is missing.
func TestOwnDefinitions(t *testing.T) {
	const own = "../../config/crd/bases"
	var out bytes.Buffer
	if err := run(own, own, &out); err != nil {
		t.Errorf("%v:\n%s", err, &out)
	}
	if err := run(own, t.TempDir(), &out); err == nil || !strings.Contains(err.Error(), "no definitions") {
		t.Errorf("got %v for an empty folder", err)
	}
}
