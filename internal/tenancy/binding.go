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
	// Reach are all projects that the namespace's objects may be in.
	Reach Projects
	// Permissions are what the object may do that others may not.
	Permissions
}

// Projects are the IDs of projects, sorted and separated by commas. Two that are equal are the same projects.
type Projects string

// Has says whether a project is among them.
func (p Projects) Has(project string) bool { return slices.Contains(split(string(p)), project) }

// reach are all projects that a namespace's objects may be in.
func reach(annotations map[string]string) Projects {
	return Projects(sorted(annotations[v1alpha1.ProjectIDAnnotation] + "," + annotations[v1alpha1.AllowedProjectIDsAnnotation]))
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
		Impersonate: Impersonates(annotations),
		Reach:       reach(annotations),
		Permissions: ReadPermissions(annotations),
	}, nil
}

// Bindings are all that a namespace's objects may have: its own project, and those that it is allowed.
func Bindings(annotations map[string]string) []Binding {
	var out []Binding
	all := Binding{
		Impersonate: Impersonates(annotations),
		Reach:       reach(annotations), Permissions: ReadPermissions(annotations),
	}
	for _, project := range split(annotations[v1alpha1.ProjectIDAnnotation] + "," + annotations[v1alpha1.AllowedProjectIDsAnnotation]) {
		all.Project = project
		out = append(out, all)
	}
	return out
}

// Impersonates is the e-mail of the service account that Holdfast acts as for a namespace; empty for its own.
func Impersonates(annotations map[string]string) string {
	return strings.TrimSpace(annotations[v1alpha1.ImpersonateServiceAccountAnnotation])
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

// sorted is a list without repetitions.
func sorted(list string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(split(list)))), ",")
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
