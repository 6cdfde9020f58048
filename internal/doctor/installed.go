package doctor

import (
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Install is the command that installs all that this version comes with.
const Install = "kubectl apply --server-side -k config/default of this version (config/before-1.36 before Kubernetes 1.36)"

// mostDifferences is how many paths a finding names.
const mostDifferences = 3

// Definition judges a CustomResourceDefinition; installed is nil if there is none. version is the plugin's own.
func Definition(shipped, installed *unstructured.Unstructured, version string) Findings {
	var out Findings
	name := shipped.GetName()
	if installed == nil {
		out.Add(Fail, "CRDs", Install, "%s is not installed", name)
		return out
	}
	if installed.GetDeletionTimestamp() != nil {
		out.Add(Fail, "CRDs", "Find out who deletes it. Nothing is deleted in Google Cloud; install it again once it is gone", "%s is being deleted", name)
	}
	if condition := conditionOf(installed, string(apiextensionsv1.Established)); condition != "True" {
		out.Add(Fail, "CRDs", "kubectl describe crd "+name, "%s is not established, so that its kind is not served", name)
	}
	if !slices.Contains(versions(installed, "served"), v1alpha1.GroupVersion.Version) {
		out.Add(Fail, "CRDs", Install, "%s does not serve %s", name, v1alpha1.GroupVersion.Version)
	}
	stored, _, _ := unstructured.NestedStringSlice(installed.Object, "status", "storedVersions")
	current := versions(shipped, "storage")
	if old := slices.DeleteFunc(stored, func(v string) bool { return slices.Contains(current, v) }); len(old) > 0 {
		out.Add(Warn, "CRDs", "Have them stored anew: \"Versions of the API\" in the README of "+version,
			"%s may have objects that are not stored as %s, but as %s", name, strings.Join(current, ", "), strings.Join(old, ", "))
	}
	if different := differ(shipped, installed, "spec"); different != "" {
		out.Add(Warn, "CRDs", Install, "%s is not that of %s: it differs in %s", name, version, different)
	}
	if len(out) == 0 {
		out.Add(OK, "CRDs", "", "%s serves %s, as %s has it", name, strings.Join(versions(installed, "served"), " and "), version)
	}
	return out
}

// Policy judges an admission policy or a binding of one; installed is nil if there is none.
func Policy(shipped, installed *unstructured.Unstructured, version string) Findings {
	var out Findings
	name := shipped.GetKind() + " " + shipped.GetName()
	level := Fail
	if strings.HasPrefix(shipped.GetKind(), "Mutating") { // without it people set names themselves, and the operator its finalizer
		level = Warn
	}
	switch {
	case installed == nil:
		out.Add(level, "policies", Install, "%s is not installed", name)
	default:
		if different := differ(shipped, installed, "spec"); different != "" {
			if !strings.HasSuffix(shipped.GetKind(), "Binding") {
				level = Warn
			}
			out.Add(level, "policies", Install, "%s is not that of %s: it differs in %s", name, version, different)
		}
	}
	return out
}

// Role judges a ClusterRole; installed is nil if there is none.
func Role(shipped, installed *unstructured.Unstructured, version string) Findings {
	var out Findings
	name := shipped.GetKind() + " " + shipped.GetName()
	if installed == nil {
		out.Add(Warn, "roles", Install, "%s is not installed", name)
		return out
	}
	if different := differ(shipped, installed, "rules"); different != "" {
		out.Add(Warn, "roles", Install, "%s is not that of %s: it differs in %s", name, version, different)
	}
	for label, value := range shipped.GetLabels() {
		if installed.GetLabels()[label] != value {
			out.Add(Warn, "roles", Install, "%s has not the label %s=%s, so Kubernetes' own role does not include it", name, label, value)
		}
	}
	return out
}

// Aggregated judges one of Kubernetes' own roles, which ought to include ours.
func Aggregated(role *unstructured.Unstructured) Findings {
	var out Findings
	rules, _, _ := unstructured.NestedSlice(role.Object, "rules")
	for _, rule := range rules {
		rule, _ := rule.(map[string]any)
		if groups, _, _ := unstructured.NestedStringSlice(rule, "apiGroups"); slices.Contains(groups, v1alpha1.GroupVersion.Group) {
			return out
		}
	}
	out.Add(Warn, "roles", "kubectl get clusterrole "+role.GetName()+" -o yaml; kube-controller-manager aggregates roles",
		"Kubernetes' own role %s does not include Holdfast's kinds", role.GetName())
	return out
}

// differ names the fields in which a part of an object differs; empty if none.
func differ(shipped, installed *unstructured.Unstructured, part string) string {
	wrap := func(obj *unstructured.Unstructured) map[string]any { return map[string]any{part: obj.Object[part]} }
	paths := Differences(wrap(shipped), wrap(installed), mostDifferences+1)
	if len(paths) > mostDifferences {
		paths = append(paths[:mostDifferences], "more")
	}
	return strings.ReplaceAll(strings.Join(paths, ", "), ", .", ", ")
}

// versions are those of a definition that have a mark: served or storage.
func versions(definition *unstructured.Unstructured, mark string) []string {
	var out []string
	all, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	for _, version := range all {
		version, _ := version.(map[string]any)
		if marked, _, _ := unstructured.NestedBool(version, mark); marked {
			name, _, _ := unstructured.NestedString(version, "name")
			out = append(out, name)
		}
	}
	return out
}

// conditionOf is the status of a condition; empty if there is none such.
func conditionOf(obj *unstructured.Unstructured, kind string) string {
	all, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, condition := range all {
		condition, _ := condition.(map[string]any)
		if condition["type"] == kind {
			status, _ := condition["status"].(string)
			return status
		}
	}
	return ""
}
