package main

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/config/admission"
)

// userName is where the operator's service account has its own user name.
const userName = "metadata.annotations.[holdfast.dev/user-name]"

// The types of a ReplacementTransformer of kustomize.
type (
	transformer struct {
		APIVersion   string            `json:"apiVersion"`
		Kind         string            `json:"kind"`
		Metadata     map[string]string `json:"metadata"`
		Replacements []replacement     `json:"replacements"`
	}
	replacement struct {
		Source  source   `json:"source"`
		Targets []target `json:"targets"`
	}
	source struct {
		Version   string `json:"version"`
		Kind      string `json:"kind"`
		FieldPath string `json:"fieldPath"`
	}
	target struct {
		Select     map[string]string `json:"select"`
		FieldPaths []string          `json:"fieldPaths"`
		Options    *options          `json:"options,omitempty"`
	}
	options struct {
		Delimiter string `json:"delimiter"`
		Index     int    `json:"index"`
	}
)

// names makes everything follow the namespace and the name of the operator's service account.
func names(all []*unstructured.Unstructured) ([]byte, error) {
	account := func(field string) source { return source{"v1", "ServiceAccount", field} }
	is := func(obj *unstructured.Unstructured) map[string]string {
		return map[string]string{"kind": obj.GetKind(), "name": obj.GetName()}
	}
	self := map[string]string{"version": "v1", "kind": "ServiceAccount"}
	inside := func(kind string) map[string]string { return map[string]string{"kind": kind, "namespace": namespace} } // of shards, too
	const subject = "subjects.[kind=ServiceAccount]."
	within := replacement{account("metadata.namespace"), []target{
		{self, []string{userName}, &options{":", 2}},
		{inside("RoleBinding"), []string{subject + "namespace"}, nil},
	}}
	called := replacement{account("metadata.name"), []target{
		{self, []string{userName}, &options{":", 3}},
		{inside("RoleBinding"), []string{subject + "name"}, nil},
		{inside("Deployment"), []string{"spec.template.spec.serviceAccountName"}, nil},
	}}
	known := replacement{account(userName), nil}
	for _, obj := range all {
		switch obj.GetKind() {
		case "Namespace":
			within.Targets = append(within.Targets, target{is(obj), []string{"metadata.name"}, nil})
		case "ClusterRoleBinding":
			within.Targets = append(within.Targets, target{is(obj), []string{subject + "namespace"}, nil})
			called.Targets = append(called.Targets, target{is(obj), []string{subject + "name"}, nil})
		}
		expressions, err := expressions(obj)
		if err != nil {
			return nil, err
		}
		known.Targets = append(known.Targets, expressions...)
	}
	// Last, since the others find objects by it.
	within.Targets = append(within.Targets, target{map[string]string{"namespace": namespace}, []string{"metadata.namespace"}, nil})
	text, err := yaml.Marshal(transformer{
		"builtin", "ReplacementTransformer", map[string]string{"name": "names"}, []replacement{called, within, known},
	})
	return append([]byte(header), text...), err
}

// expressions are those of a policy that name the operator.
func expressions(obj *unstructured.Unstructured) ([]target, error) {
	var out []target
	for _, list := range []string{"matchConditions", "variables", "validations", "mutations", "auditAnnotations"} {
		entries, _, _ := unstructured.NestedSlice(obj.Object, "spec", list)
		for _, entry := range entries {
			entry, _ := entry.(map[string]any)
			expression, _ := entry["expression"].(string)
			if !strings.Contains(expression, admission.Operator) {
				continue
			}
			name, _ := entry["name"].(string)
			index, err := literal(expression)
			if name == "" {
				err = errors.New("an expression that names the operator wants a name of its own, to be found by")
			}
			if err != nil {
				return nil, fmt.Errorf("%s %s, %s %q: %w", obj.GetKind(), obj.GetName(), list, name, err)
			}
			out = append(out, target{
				map[string]string{"kind": obj.GetKind(), "name": obj.GetName()},
				// Between the brackets is a regular expression.
				[]string{fmt.Sprintf("spec.%s.[name=^%s$].expression", list, name)}, &options{"'", index},
			})
		}
	}
	return out, nil
}

// literal is the position of the operator's user name among the parts of an expression between quotes.
func literal(expression string) (int, error) {
	found := -1
	for i, part := range strings.Split(expression, "'") {
		switch {
		case part == admission.Operator && found < 0:
			found = i
		case strings.Contains(part, admission.Operator):
			return 0, fmt.Errorf("want the user name once, as the whole of a literal: '%s'", admission.Operator)
		}
	}
	return found, nil
}
