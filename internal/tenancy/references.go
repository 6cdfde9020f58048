package tenancy

import (
	"fmt"
	"slices"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// ReferenceRefusal says why objects in the namespace from may not refer to objects in another namespace; it is empty where they
// may. annotations are those of that Namespace, nil if it does not exist. The refusal depends on the two names alone, so that it
// tells a tenant nothing of what is there: neither whether the Namespace or the object exists, nor who else is allowed.
func ReferenceRefusal(namespace string, annotations map[string]string, from string) string {
	if from == namespace || slices.Contains(split(annotations[v1alpha1.AllowReferencesFromAnnotation]), from) {
		return ""
	}
	return fmt.Sprintf("namespace %s does not allow references from %s: ask its administrator for %s=%s",
		namespace, from, v1alpha1.AllowReferencesFromAnnotation, from)
}
