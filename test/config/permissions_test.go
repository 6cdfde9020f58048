package config_test

import (
	"os"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// TestReviewersSeeEveryPermission holds the table of the operator's permissions, which is for people, against its roles.
func TestReviewersSeeEveryPermission(t *testing.T) {
	t.Parallel()
	_, table, _ := strings.Cut(readFile(t, "../../config/rbac/README.md"), "## Every permission of the operator\n")
	table, _, found := strings.Cut(table, "\n## ")
	if !found {
		t.Fatal("config/rbac/README.md has no table of the operator's permissions")
	}
	for _, file := range []string{"../../config/rbac/role.yaml", "../../config/rbac/metrics.yaml"} {
		for document := range strings.SplitSeq(readFile(t, file), "\n---\n") {
			var role rbacv1.ClusterRole // a Role has its rules in the same place
			if err := yaml.Unmarshal([]byte(document), &role); err != nil {
				t.Fatal(err)
			}
			for _, rule := range role.Rules {
				for _, resource := range rule.Resources {
					resource, subresource, _ := strings.Cut(resource, "/")
					for _, word := range append(rule.Verbs, resource, subresource) {
						if word != "" && !strings.Contains(table, "`"+word+"`") {
							t.Errorf("%s: the table of config/rbac/README.md has no %q, of %s %v", file, word, rule.Resources, rule.Verbs)
						}
					}
				}
			}
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
