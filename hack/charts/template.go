package main

import (
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Where an object is to follow values, it has marks: words that no object has of itself. They are replaced once it is text.
const (
	namespaceMark = "HOLDFAST-NAMESPACE"
	accountMark   = "HOLDFAST-ACCOUNT"
	suffixMark    = "HOLDFAST-SUFFIX"
)

// The operator's namespace and service account, as config/ names them.
const (
	namespace = "holdfast-system"
	account   = "holdfast-manager"
)

// rename marks where an object names the operator's namespace and service account. It fails if it is named elsewhere, too.
func rename(obj *unstructured.Unstructured) error {
	user := "system:serviceaccount:" + namespace + ":" + account
	each(obj.Object, func(text string) string {
		return strings.ReplaceAll(text, user, "system:serviceaccount:"+namespaceMark+":"+accountMark)
	})
	if obj.GetNamespace() == namespace {
		obj.SetNamespace(namespaceMark)
	}
	switch obj.GetKind() {
	case "Namespace":
		obj.SetName(namespaceMark)
	case "ServiceAccount":
		obj.SetName(accountMark)
	case "Deployment":
		if err := unstructured.SetNestedField(obj.Object, accountMark, "spec", "template", "spec", "serviceAccountName"); err != nil {
			return err
		}
	}
	subjects, _, _ := unstructured.NestedSlice(obj.Object, "subjects")
	for _, subject := range subjects {
		if subject, _ := subject.(map[string]any); subject["kind"] == "ServiceAccount" {
			subject["name"], subject["namespace"] = accountMark, namespaceMark
		}
	}
	if len(subjects) > 0 {
		obj.Object["subjects"] = subjects
	}
	var left error
	each(obj.Object, func(text string) string {
		if strings.Contains(text, namespace) {
			left = fmt.Errorf("%s %s names the namespace %s where hack/charts does not look for it: %q", obj.GetKind(), obj.GetName(), namespace, text)
		}
		return text
	})
	return left
}

// each replaces all strings in a value by what the function makes of them.
func each(in any, change func(string) string) any {
	switch in := in.(type) {
	case string:
		return change(in)
	case map[string]any:
		for key, value := range in {
			in[key] = each(value, change)
		}
	case []any:
		for i, value := range in {
			in[i] = each(value, change)
		}
	}
	return in
}

// text is a template that gives the object as it is, but for its marks. Each is replaced by its template, and one of several lines takes the
// place of the whole line that the mark is in, indented like it: INDENT in it is by how much.
func text(obj *unstructured.Unstructured, marks map[string]string) (string, error) {
	plain, err := yaml.Marshal(obj.Object)
	if err != nil {
		return "", fmt.Errorf("writing %s %s: %w", obj.GetKind(), obj.GetName(), err)
	}
	out := braces.ReplaceAllString(string(plain), `{{ "$0" }}`)
	for mark, template := range marks {
		if !strings.Contains(template, "\n") {
			out = strings.ReplaceAll(out, mark, template)
			continue
		}
		line := regexp.MustCompile(`(?m)^( *)(- |[a-zA-Z]+: )?` + mark + `(: "")?\n`)
		out = line.ReplaceAllStringFunc(out, func(found string) string {
			indent := line.FindStringSubmatch(found)[1]
			var lines strings.Builder
			for part := range strings.Lines(template) {
				lines.WriteString(indent + strings.ReplaceAll(part, "INDENT", fmt.Sprint(len(indent))))
			}
			return lines.String()
		})
	}
	return "---\n" + out, nil
}

// braces are what Helm would take for the beginning of its own.
var braces = regexp.MustCompile(`\{\{`)

// only gives the template under a condition.
func only(condition, template string) string {
	return "{{- if " + condition + " }}\n" + template + "{{- end }}\n"
}
