package config

import (
	"os"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/config/rbac"
)

// TestReviewersSeeEveryPermission holds the table of the operator's permissions, which is for people, against its roles.
func TestReviewersSeeEveryPermission(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../config/rbac/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## Every permission of the operator\n")
	table, _, found := strings.Cut(table, "\n## ")
	if !found {
		t.Fatal("config/rbac/README.md has no table of the operator's permissions")
	}
	for file, roles := range map[string][]byte{"role.yaml": rbac.Manager, "metrics.yaml": rbac.Metrics} {
		for document := range strings.SplitSeq(string(roles), "\n---\n") {
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
