package tenancy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Permissions are what objects in a namespace may do that others may not, as v1alpha1.AllowAnnotation lists it, sorted. Two that are equal
// allow the same.
type Permissions string

// ReadPermissions reads the annotations of a Namespace.
func ReadPermissions(annotations map[string]string) Permissions {
	return Permissions(strings.Join(slices.Compact(slices.Sorted(slices.Values(split(annotations[v1alpha1.AllowAnnotation])))), ","))
}

// Allow says whether a permission, one of the values of v1alpha1.AllowAnnotation, is among them.
func (p Permissions) Allow(permission string) bool { return slices.Contains(split(string(p)), permission) }

// With is the command that adds a permission to a namespace.
func (p Permissions) With(namespace, permission string) string {
	allowed := split(string(p))
	if !slices.Contains(allowed, permission) {
		allowed = append(allowed, permission)
	}
	return fmt.Sprintf("kubectl annotate --overwrite namespace %s %s=%s", namespace, v1alpha1.AllowAnnotation, strings.Join(allowed, ","))
}
