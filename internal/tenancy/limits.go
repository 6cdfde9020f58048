package tenancy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Limits are what a Namespace limits its objects to, whatever their spec says. The zero value limits nothing. Two that are equal limit to the same.
type Limits struct {
	least    v1alpha1.Management
	removals struct {
		limited bool
		most    int
	}
}

// managements are in the order of how little they let be written.
var managements = []v1alpha1.Management{v1alpha1.ManagementManage, v1alpha1.ManagementApprove, v1alpha1.ManagementObserve}

// ReadLimits reads the annotations of a Namespace. A value that nobody can read, which the admission policies refuse, limits to the utmost: it
// was meant to limit something.
func ReadLimits(annotations map[string]string) Limits {
	var l Limits
	if least, ok := annotations[v1alpha1.LeastManagementAnnotation]; ok {
		l.least = v1alpha1.Management(strings.TrimSpace(least))
		if !slices.Contains(managements, l.least) {
			l.least = v1alpha1.ManagementObserve
		}
	}
	if most, ok := annotations[v1alpha1.MaxRemovalsAnnotation]; ok {
		l.removals.limited = true
		if n, err := strconv.Atoi(strings.TrimSpace(most)); err == nil && n > 0 {
			l.removals.most = n
		}
	}
	return l
}

// Management is what the spec.management of an object comes to.
func (l Limits) Management(asked v1alpha1.Management) v1alpha1.Management {
	return managements[max(slices.Index(managements, asked), slices.Index(managements, l.least), 0)]
}

// Removals are how many members a plan of the namespace's objects may remove without approval; limited is false if it does not say.
func (l Limits) Removals() (most int, limited bool) { return l.removals.most, l.removals.limited }
