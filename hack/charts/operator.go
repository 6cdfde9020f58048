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
	if obj.GetKind() == "Deployment" {
		if err := parametrize(obj, first, marks); err != nil {
			return "", fmt.Errorf("the Deployment of config/manager: %w", err)
		}
	}
	return text(obj, marks)
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
	marks["HOLDFAST-ARGS"] = "{{- with .Values.shard }}\n- --shard={{ . }}\n{{- end }}\n" +
		"{{- with .Values.args }}\n{{- toYaml . | nindent INDENT }}\n{{- end }}\n"

	env, _ := container["env"].([]any)
	for _, variable := range env {
		if variable, _ := variable.(map[string]any); variable["name"] == "GOMEMLIMIT" {
			marks["HOLDFAST-MEMORY"] = fmt.Sprintf("{{ .Values.goMemLimit | default %q }}", variable["value"])
			variable["value"] = "HOLDFAST-MEMORY"
		}
	}
	container["env"] = append(env, "HOLDFAST-ENV")
	marks["HOLDFAST-ENV"] = "{{- with .Values.env }}\n{{- toYaml . | nindent INDENT }}\n{{- end }}\n"

	resources, err := yaml.Marshal(map[string]any{"resources": container["resources"]})
	if err != nil {
		return err
	}
	container["resources"] = "HOLDFAST-RESOURCES"
	marks["HOLDFAST-RESOURCES"] = "{{- with .Values.resources }}\n{{- toYaml (dict \"resources\" .) | nindent INDENT }}\n{{- else }}\n" +
		string(resources) + "{{- end }}\n"

	var placement strings.Builder
	for _, field := range []string{"imagePullSecrets", "priorityClassName", "nodeSelector", "affinity", "tolerations"} {
		fmt.Fprintf(&placement, "{{- with .Values.%[1]s }}\n{{- toYaml (dict %[1]q .) | nindent INDENT }}\n{{- end }}\n", field)
	}
	marks["HOLDFAST-PLACEMENT"] = placement.String()
	pod["HOLDFAST-PLACEMENT"] = ""
	return unstructured.SetNestedField(obj.Object, "HOLDFAST-REPLICAS", "spec", "replicas")
}
