package roles

import (
	"fmt"
	"strings"
)

// YAML is the role as `gcloud iam roles create --file` and Terraform's yamldecode read it.
func (r Role) YAML() string {
	var out strings.Builder
	fmt.Fprintf(&out, "# Written by `make manifests` from what the kinds declare.\ntitle: %q\ndescription: %q\nstage: GA\nincludedPermissions:\n", r.Title, r.Description)
	for _, permission := range r.Permissions {
		fmt.Fprintf(&out, "  - %s\n", permission)
	}
	return out.String()
}

// Table lists roles in Markdown.
func Table(roles []Role) string {
	var out strings.Builder
	out.WriteString("| role | what it is for | permissions |\n|---|---|---|\n")
	for _, r := range roles {
		fmt.Fprintf(&out, "| [%s](roles/%[1]s.yaml) | %s | `%s` |\n", r.ID, r.Description, strings.Join(r.Permissions, "`, `"))
	}
	return out.String()
}
