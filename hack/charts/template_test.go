package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestText(t *testing.T) {
	obj := &unstructured.Unstructured{Object: map[string]any{
		"kind": "Any", "metadata": map[string]any{"name": "a" + suffixMark, "annotations": map[string]any{"HOLDFAST-MORE": ""}},
		"args": []any{"--first", "HOLDFAST-ARGS"}, "message": "{{ $labels.kind }} of {}}", "size": "HOLDFAST-SIZE",
	}}
	got, err := text(obj, map[string]string{
		suffixMark: "{{ .Suffix }}", "HOLDFAST-MORE": "{{- with .More }}\n{{ nindent INDENT }}\n{{- end }}\n",
		"HOLDFAST-ARGS": "{{- with .Args }}\n- x\n{{- end }}\n", "HOLDFAST-SIZE": "{{- if .Size }}\nsize: 1\n{{- end }}\n",
	})
	want := `---
args:
- --first
{{- with .Args }}
- x
{{- end }}
kind: Any
message: '{{ "{{" }} $labels.kind }} of {}}'
metadata:
  annotations:
    {{- with .More }}
    {{ nindent 4 }}
    {{- end }}
  name: a{{ .Suffix }}
{{- if .Size }}
size: 1
{{- end }}
`
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestNoNameIsOverlooked: what names the operator's namespace where nobody looks for it stops the generator.
func TestNoNameIsOverlooked(t *testing.T) {
	obj := &unstructured.Unstructured{Object: map[string]any{
		"kind": "ConfigMap", "metadata": map[string]any{"name": "a", "namespace": namespace},
	}}
	if err := rename(obj); err != nil || obj.GetNamespace() != namespaceMark {
		t.Errorf("namespace %q, %v", obj.GetNamespace(), err)
	}
	obj.Object["data"] = map[string]any{"host": "holdfast-metrics." + namespace + ".svc"}
	if err := rename(obj); err == nil || !strings.Contains(err.Error(), "ConfigMap a names the namespace holdfast-system") {
		t.Errorf("got %v", err)
	}
}

func TestLiteral(t *testing.T) {
	const user = "system:serviceaccount:holdfast-system:holdfast-manager"
	for name, tc := range map[string]struct {
		expression string
		want       int
		fails      bool
	}{
		"first":          {"(['" + user + "'] + others).exists(s, s == 'a')", 1, false},
		"third":          {"'a' == b && c == '" + user + "'", 3, false},
		"part of one":    {"'" + user + ",' + others", 0, true},
		"twice":          {"a == '" + user + "' || b == '" + user + "'", 0, true},
		"double quotes":  {`a == "` + user + `"`, 0, true},
		"inside another": {"'^" + user + "$'", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := literal(tc.expression)
			if got != tc.want && !tc.fails || (err != nil) != tc.fails {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
}
