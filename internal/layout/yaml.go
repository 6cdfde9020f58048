package layout

import (
	"encoding/json"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Object is a manifest as it is written: its fields as JSON has them, in the order of the alphabet, without status.
type Object struct{ unstructured.Unstructured }

// Of is a manifest of a kind as it is written.
func Of(kind string, obj v1alpha1.Object) (Object, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return Object{}, fmt.Errorf("writing the %s %q: %w", kind, obj.GetName(), err)
	}
	delete(fields, "status")
	out := Object{unstructured.Unstructured{Object: fields}}
	unstructured.RemoveNestedField(fields, "metadata", "creationTimestamp")
	out.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	return out, nil
}

// Into reads the manifest into an empty one of its kind.
func (o Object) Into(obj v1alpha1.Object) error {
	encoded, err := json.Marshal(o.Object)
	if err != nil {
		return err
	}
	return json.Unmarshal(encoded, obj)
}

// NamespaceOf is the Namespace that is bound to a project, with further annotations.
func NamespaceOf(name, project string, further map[string]string) Object {
	out := Object{unstructured.Unstructured{Object: map[string]any{}}}
	out.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	out.SetName(name)
	annotations := map[string]string{}
	maps.Copy(annotations, further)
	if project != "" {
		annotations[v1alpha1.ProjectIDAnnotation] = project
	}
	out.SetAnnotations(annotations)
	return out
}

// YAML is what is written to a file.
func (o Object) YAML() ([]byte, error) { return yaml.Marshal(o.Object) }

// Stream is one file of several manifests.
func Stream(objects []Object) ([]byte, error) {
	var out []byte
	for i, obj := range objects {
		text, err := obj.YAML()
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, "---\n"...)
		}
		out = append(out, text...)
	}
	return out, nil
}
