package main

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// shard is the one that config/shard is for.
const shard = "eu"

// operatorChart is a release of the operator. What a release for a shard has beside the first is what config/shard has beside
// config/manager.
func operatorChart(in rendered) (map[string]string, error) {
	files := map[string]string{}
	for _, obj := range in.shard {
		obj = obj.DeepCopy()
		each(obj.Object, func(text string) string {
			if plain, found := strings.CutSuffix(text, "-"+shard); found {
				return plain + suffixMark
			}
			return text
		})
		like := obj.DeepCopy()
		like.SetName(strings.TrimSuffix(obj.GetName(), suffixMark))
		first := find(in.manager, like)
		template, err := operatorTemplate(obj, first)
		if err != nil {
			return nil, err
		}
		switch {
		case first == nil:
			template = only(".Values.shard", template)
		case obj.GetKind() == "NetworkPolicy":
			template = only(".Values.networkPolicy", template)
		}
		add(files, obj, template)
	}
	return files, nil
}

func operatorTemplate(obj, first *unstructured.Unstructured) (string, error) {
	if err := rename(obj); err != nil {
		return "", err
	}
	marks := map[string]string{
		namespaceMark: "{{ .Release.Namespace }}", accountMark: "{{ .Values.serviceAccountName }}", suffixMark: `{{ include "holdfast.suffix" . }}`,
	}
	var err error
	switch obj.GetKind() {
	case "Deployment":
		err = parametrize(obj, first, marks)
	case "NetworkPolicy":
		err = open(obj, marks)
	}
	if err != nil {
		return "", fmt.Errorf("the %s of config/manager: %w", obj.GetKind(), err)
	}
	return text(obj, marks)
}

// open marks where values let the operator speak with more than the NetworkPolicy of config/manager does.
func open(obj *unstructured.Unstructured, marks map[string]string) error {
	rules, _, err := unstructured.NestedSlice(obj.Object, "spec", "egress")
	if err != nil {
		return err
	}
	marks["HOLDFAST-EGRESS"] = items("egress")
	return unstructured.SetNestedSlice(obj.Object, append(rules, "HOLDFAST-EGRESS"), "spec", "egress")
}

// items is a template for what a value adds to a list, and fields for what values add to an object, by their names.
func items(value string) string {
	return fmt.Sprintf("{{- with .Values.%s }}\n{{- toYaml . | nindent INDENT }}\n{{- end }}\n", value)
}

func fields(values ...string) string {
	var out strings.Builder
	for _, value := range values {
		fmt.Fprintf(&out, "{{- with .Values.%[1]s }}\n{{- toYaml (dict %[1]q .) | nindent INDENT }}\n{{- end }}\n", value)
	}
	return out.String()
}

// parametrize marks what values change in the Deployment. What they leave alone is as in config/manager.
func parametrize(obj, first *unstructured.Unstructured, marks map[string]string) error {
	there, _, err := unstructured.NestedFieldNoCopy(obj.Object, "spec", "template", "spec")
	if err != nil {
		return err
	}
	pod, _ := there.(map[string]any)
	containers, _ := pod["containers"].([]any)
	ofFirst, _, _ := unstructured.NestedSlice(first.Object, "spec", "template", "spec", "containers")
	if len(containers) != 1 || len(ofFirst) != 1 {
		return fmt.Errorf("it has %d containers, want 1", len(containers))
	}
	container, _ := containers[0].(map[string]any)
	before, _ := ofFirst[0].(map[string]any)

	replicas, _, err := unstructured.NestedInt64(first.Object, "spec", "replicas")
	if err != nil {
		return err
	}
	marks["HOLDFAST-REPLICAS"] = fmt.Sprintf("{{ .Values.replicas | default %d }}", replicas)
	marks["HOLDFAST-IMAGE"] = `{{ include "holdfast.image" . }}`
	container["image"] = "HOLDFAST-IMAGE"

	args, _ := before["args"].([]any)
	container["args"] = append(slices.Clone(args), "HOLDFAST-ARGS")
	marks["HOLDFAST-ARGS"] = "{{- with .Values.shard }}\n- --shard={{ . }}\n{{- end }}\n" + items("args")

	env, _ := container["env"].([]any)
	for _, variable := range env {
		if variable, _ := variable.(map[string]any); variable["name"] == "GOMEMLIMIT" {
			marks["HOLDFAST-MEMORY"] = fmt.Sprintf("{{ .Values.goMemLimit | default %q | quote }}", variable["value"])
			variable["value"] = "HOLDFAST-MEMORY"
		}
	}
	container["env"] = append(env, "HOLDFAST-ENV")
	marks["HOLDFAST-ENV"] = items("env")

	container["volumeMounts"] = "HOLDFAST-MOUNTS"
	marks["HOLDFAST-MOUNTS"] = fields("volumeMounts")

	resources, err := yaml.Marshal(map[string]any{"resources": container["resources"]})
	if err != nil {
		return err
	}
	container["resources"] = "HOLDFAST-RESOURCES"
	marks["HOLDFAST-RESOURCES"] = "{{- with .Values.resources }}\n{{- toYaml (dict \"resources\" .) | nindent INDENT }}\n{{- else }}\n" +
		string(resources) + "{{- end }}\n"

	pod["HOLDFAST-POD"] = ""
	marks["HOLDFAST-POD"] = fields("imagePullSecrets", "priorityClassName", "nodeSelector", "affinity", "tolerations", "volumes")
	return unstructured.SetNestedField(obj.Object, "HOLDFAST-REPLICAS", "spec", "replicas")
}
