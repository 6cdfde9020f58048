// Package tenancy decides which Google Cloud project and which identity a namespace gives its objects, and which other namespaces
// its objects may refer to. It is pure: the caller passes the Namespace's annotations, which only an administrator may set.
package tenancy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Binding is the project that an object's resource is in, and the identity that reaches it.
type Binding struct {
	// Project is the project ID.
	Project string
	// Impersonate is the e-mail of the service account to act as; empty for the manager's own credentials.
	Impersonate string
	// Permissions are what the object may do that others may not.
	Permissions
}

// Refusal says why an object may not use a project. Its message names the command that would allow it.
type Refusal struct {
	// Reason is one of the API's reason constants.
	Reason string
	// Message tells people what to do.
	Message string
	// Allow is the command that lets the object keep the project that it is bound to; empty if it is bound to none.
	Allow string
}

// Error makes a Refusal an error.
func (r *Refusal) Error() string { return r.Message }

// Resolve returns the binding of an object. wanted is the spec's projectID, bound the project that the object was bound to
// before; both may be empty. A non-nil refusal is the only other outcome.
func Resolve(namespace string, annotations map[string]string, wanted, bound string) (Binding, *Refusal) {
	own := strings.TrimSpace(annotations[v1alpha1.ProjectIDAnnotation])
	allowed := split(annotations[v1alpha1.AllowedProjectIDsAnnotation])
	project := cmp.Or(wanted, bound, own)
	fits := project != "" && (project == own || slices.Contains(allowed, project))

	switch {
	case bound != "" && (!fits || project != bound):
		command := fmt.Sprintf("kubectl annotate --overwrite namespace %s %s", namespace, allow(own, allowed, bound))
		return Binding{}, &Refusal{v1alpha1.ReasonBindingChanged, fmt.Sprintf(
			"permanently bound to project %q, which namespace %q no longer allows; Holdfast will not write or delete. Allow it again: %s",
			bound, namespace, command), command}
	case project == "":
		return Binding{}, &Refusal{v1alpha1.ReasonProjectUnbound, fmt.Sprintf(
			"namespace %q is not bound to a Google Cloud project. An administrator can bind it: kubectl annotate namespace %s %s=PROJECT_ID",
			namespace, namespace, v1alpha1.ProjectIDAnnotation), ""}
	case !fits:
		return Binding{}, &Refusal{v1alpha1.ReasonProjectNotAllowed, fmt.Sprintf(
			"namespace %q may not use spec.projectID %q. An administrator can allow it: kubectl annotate --overwrite namespace %s %s",
			namespace, project, namespace, allow(own, allowed, project)), ""}
	}
	return Binding{
		Project:     project,
		Impersonate: strings.TrimSpace(annotations[v1alpha1.ImpersonateServiceAccountAnnotation]),
		Permissions: ReadPermissions(annotations),
	}, nil
}

// Bindings are all that a namespace's objects may have: its own project, and those that it is allowed.
func Bindings(annotations map[string]string) []Binding {
	own, impersonate := annotations[v1alpha1.ProjectIDAnnotation], strings.TrimSpace(annotations[v1alpha1.ImpersonateServiceAccountAnnotation])
	var out []Binding
	for _, project := range split(own + "," + annotations[v1alpha1.AllowedProjectIDsAnnotation]) {
		out = append(out, Binding{Project: project, Impersonate: impersonate, Permissions: ReadPermissions(annotations)})
	}
	return out
}

// allow writes the annotation that would let the namespace use the project.
func allow(own string, allowed []string, project string) string {
	if own == "" {
		return v1alpha1.ProjectIDAnnotation + "=" + project
	}
	if !slices.Contains(allowed, project) {
		allowed = append(slices.Clone(allowed), project)
	}
	return v1alpha1.AllowedProjectIDsAnnotation + "=" + strings.Join(allowed, ",")
}

func split(list string) []string {
	var out []string
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}
