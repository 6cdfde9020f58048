package kinds_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// permissionRow is a row in the README's table of permissions.
var permissionRow = regexp.MustCompile("(?m)^\\| (every project|`[A-Z][A-Za-z]+`) \\| ((?:for .*)?`[a-z]+\\..*) \\|$")

// TestPermissionsInTheREADME compares the README's table of permissions with what is declared.
func TestPermissionsInTheREADME(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, match := range permissionRow.FindAllStringSubmatch(string(text), -1) {
		got[match[1]] = match[2]
	}
	want := map[string]string{"every project": permissions(gcp.Methods())}
	for _, k := range kinds.All(nil) {
		want["`"+k.Kind+"`"] = permissions(k.Methods)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the README differs from what is declared (-declared +README):\n%s", diff)
	}
}

// permissions writes down what methods need, as the README does: "`pubsub.topics.get`, `.create`; for `spec.schemaSettings`:
// `pubsub.schemas.attach`".
func permissions(methods []kind.Method) string {
	var cases []string
	byCase := map[string][]string{}
	for _, m := range methods {
		if len(m.Permissions) > 0 && !slices.Contains(cases, m.For) {
			cases = append(cases, m.For)
		}
		for _, permission := range m.Permissions {
			if !slices.Contains(byCase[m.For], permission) {
				byCase[m.For] = append(byCase[m.For], permission)
			}
		}
	}
	var parts []string
	for _, c := range cases {
		switch list := abbreviated(byCase[c]); c {
		case "":
			parts = append(parts, list)
		case kind.ForLists, kind.ForUndelete, gcp.ForProjects, gcp.ForQuotaProject, gcp.ForAssets:
			parts = append(parts, fmt.Sprintf("for %s: %s", c, list))
		default:
			parts = append(parts, fmt.Sprintf("for `%s`: %s", c, list))
		}
	}
	return strings.Join(parts, "; ")
}

// abbreviated leaves out what a permission has in common with the one before it.
func abbreviated(permissions []string) string {
	var out []string
	before := ""
	for _, permission := range permissions {
		i := strings.LastIndex(permission, ".")
		if resource := permission[:i]; resource != before {
			before, i = resource, 0
		}
		out = append(out, "`"+permission[i:]+"`")
	}
	return strings.Join(out, ", ")
}
