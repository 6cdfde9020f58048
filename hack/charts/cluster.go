package main

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// clusterChart is all that there is once in a cluster: definitions, policies, roles, and the namespace and service account that operators run
// in and as.
func clusterChart(in rendered) (map[string]string, error) {
	files := map[string]string{}
	for _, obj := range in.all {
		if find(in.manager, obj) != nil && obj.GetKind() != "Namespace" {
			continue // the operator's
		}
		template, err := clusterTemplate(obj)
		if err != nil {
			return nil, err
		}
		if find(in.older, obj) == nil {
			template = only(`semverCompare ">=1.36-0" .Capabilities.KubeVersion.Version`, template)
		}
		add(files, obj, template)
	}
	for _, obj := range in.prometheus {
		template, err := clusterTemplate(obj)
		if err != nil {
			return nil, err
		}
		add(files, obj, only(".Values.prometheus", template))
	}
	return files, nil
}

func clusterTemplate(obj *unstructured.Unstructured) (string, error) {
	obj = obj.DeepCopy()
	if err := rename(obj); err != nil {
		return "", err
	}
	marks := map[string]string{namespaceMark: "{{ .Values.namespace }}", accountMark: "{{ .Values.serviceAccount.name }}"}
	if obj.GetKind() == "ServiceAccount" {
		const extra = "HOLDFAST-ANNOTATIONS"
		annotations := obj.GetAnnotations()
		annotations[extra] = ""
		obj.SetAnnotations(annotations)
		marks[extra] = "{{- with .Values.serviceAccount.annotations }}\n{{- toYaml . | nindent INDENT }}\n{{- end }}\n"
	}
	return text(obj, marks)
}
