package gitops

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// set sets fields of an object's spec, by their paths.
func set(obj *unstructured.Unstructured, values map[string]any) error {
	for path, value := range values {
		if err := unstructured.SetNestedField(obj.Object, value, append([]string{"spec"}, strings.Split(path, ".")...)...); err != nil {
			return err
		}
	}
	return nil
}
