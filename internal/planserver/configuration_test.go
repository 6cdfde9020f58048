package planserver

import (
	"os"
	"strings"
	"testing"
)

// configured is a configuration with something in the place of something else.
func configured(t *testing.T, replace ...string) string {
	t.Helper()
	text := `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer:
    url: https://token.actions.githubusercontent.com
    audiences: [holdfast-plan]
  claimValidationRules:
  - claim: repository_id
    requiredValue: "123"
  claimMappings:
    username:
      expression: '"github:" + claims.repository_id'
`
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			t.Fatalf("there is no %q to replace", replace[i])
		}
		text = strings.Replace(text, replace[i], replace[i+1], 1)
	}
	return text
}

func TestConfigurationsOfIssuers(t *testing.T) {
	cases := map[string]struct {
		text string
		want string // in the refusal; empty for none
	}{
		"by the id":           {configured(t), ""},
		"of an older version": {configured(t, "k8s.io/v1", "k8s.io/v1beta1"), ""},
		"a name whose id is checked": {
			configured(t, `expression: '"github:" + claims.repository_id'`, `expression: '"github:" + claims.repository'`), "",
		},
		"a subject that is no name": {
			configured(t, "https://token.actions.githubusercontent.com", "https://accounts.google.com", "repository_id\n", "hd\n",
				`expression: '"github:" + claims.repository_id'`, "{claim: sub, prefix: 'google:'}"), "",
		},
		"a name": {
			configured(t, "claim: repository_id", "claim: ref_protected", `claims.repository_id`, "claims.repository"), "which somebody else may have tomorrow",
		},
		"a group that is a name": {
			configured(t, "claim: repository_id", "claim: ref_protected", "  claimMappings:",
				"  claimMappings:\n    groups: {expression: '[\"github:\" + claims.repository_owner]'}"),
			"groups: Invalid value: \"repository_owner\": is the name of a repository, which somebody else may have tomorrow",
		},
		"a group that is a name whose id is checked": {
			configured(t, "  claimMappings:", "  claimMappings:\n    groups: {expression: '[\"github:\" + claims.repository_owner]'}"), "",
		},
		"a name as a part of another": {
			configured(t, "claim: repository_id", "claim: ref_protected", `claims.repository_id`, "claims.job_workflow_ref"),
			"which somebody else may have tomorrow",
		},
		"a subject that is a name": {
			configured(t, "claim: repository_id", "claim: ref_protected", `expression: '"github:" + claims.repository_id'`, "{claim: sub, prefix: 'github:'}"),
			"which somebody else may have tomorrow",
		},
		"no audience":               {configured(t, "[holdfast-plan]", "[]"), "audiences"},
		"the API server's audience": {configured(t, "[holdfast-plan]", "[https://kubernetes.default.svc.cluster.local]"), "the Kubernetes API server's own"},
		"no https":                  {configured(t, "https://token", "http://token"), "https"},
		"a reserved name": {
			configured(t, `expression: '"github:" + claims.repository_id'`, "{claim: repository_id, prefix: 'system:'}"), "Kubernetes' own",
		},
		"groups wherever a token says": {
			configured(t, "  claimMappings:", "  claimMappings:\n    groups: {claim: groups, prefix: ''}"), "use an expression",
		},
		"no issuer":                  {"apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n", "names no issuer"},
		"somebody without a token":   {configured(t) + "anonymous: {enabled: true}\n", "nobody gets a plan without a token"},
		"an unknown field":           {configured(t, "claimMappings:", "claimMapping:"), "claimMapping"},
		"an expression that is none": {configured(t, `'"github:" + claims.repository_id'`, `'claims.'`), "expression"},
		"another kind":               {"apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\n", "want an AuthenticationConfiguration"},
		"the API server's way out":   {configured(t, "    audiences:", "    egressSelectorType: cluster\n    audiences:"), "egressSelectorType"},
		"no YAML":                    {"{", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := parseIssuers([]byte(tc.text))
			switch {
			case name == "no YAML" && err == nil:
				t.Error("it was read")
			case name == "no YAML":
			case tc.want == "" && err != nil:
				t.Error(err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// TestTheConfigurationThatIsInstalledIsAllowed: the example of config/plan-server.
func TestTheConfigurationThatIsInstalledIsAllowed(t *testing.T) {
	if _, err := ReadIssuers("../../config/plan-server/authentication.yaml"); err != nil {
		t.Error(err)
	}
	if _, err := ReadIssuers("nowhere.yaml"); !os.IsNotExist(err) {
		t.Errorf("a file that is not there: %v", err)
	}
}
