package fleet

import (
	"fmt"
	"regexp"
	"strings"
)

// Refusal says a refusal of the API server in the words of the admission policy that refused, and how to get what is missing. message is the API
// server's, user whom it refused, and namespace that of the object; a Namespace's own is refused with its name and onNamespace.
func Refusal(message, user, namespace string, onNamespace bool) string {
	_, own, byPolicy := strings.Cut(message, "denied request: ")
	if !byPolicy {
		own = message
	}
	verb := missingVerb.FindStringSubmatch(own)
	if verb == nil {
		return own
	}
	role := "holdfast-" + verb[1]
	if onNamespace {
		if verb[1] == "break-glass" {
			role += "-namespaces"
		}
		return fmt.Sprintf("%s. Who administers the cluster can grant it: kubectl create clusterrolebinding %s --clusterrole=%s --user=%s",
			strings.TrimSuffix(withoutRole(own), "."), bindingName(user, role), role, user)
	}
	return fmt.Sprintf("%s. Who administers the namespace can grant it: kubectl create rolebinding -n %s %s --clusterrole=%s --user=%s",
		strings.TrimSuffix(withoutRole(own), "."), namespace, bindingName(user, role), role, user)
}

// missingVerb is how a policy names the verb that is missing.
var missingVerb = regexp.MustCompile(`the RBAC verb (break-glass|approve|bind|grant) on `)

// roleHasIt is how a policy names the role that has a verb: it knows one for all.
var roleHasIt = regexp.MustCompile(`\. The ClusterRole \S+ has it$`)

func withoutRole(message string) string { return roleHasIt.ReplaceAllString(message, "") }

// bindingName is a name for the binding of a role to a user.
func bindingName(user, role string) string {
	return strings.Trim(notInNames.ReplaceAllString(strings.ToLower(user), "-"), "-") + "-" + role
}

var notInNames = regexp.MustCompile(`[^a-z0-9.-]+`)
