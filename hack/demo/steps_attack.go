package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const (
	attackFile = "hack/demo/story/attack.yaml"
	// operations is bound to the project that the operator's own account is in, which it should not be.
	operations        = "operations"
	operationsProject = "demo-operations"
	// identityPath is where the console has that account.
	identityPath = "/emulator/iam/projects/" + operationsProject + "/serviceAccounts/" + identity
	// trudy is an editor of the namespace, and then its admin.
	trudy       = "trudy"
	trudyMember = "user:trudy@example.com"
)

// playAttack: somebody who has all rights in a namespace, which somebody else bound to the operator's project, does not become the operator.
func (s *stage) playAttack(ctx context.Context) error {
	accounts := "/emulator/iam/projects/" + operationsProject + "/serviceAccounts"
	if err := s.cloud.Call(ctx, http.MethodPost, accounts, document{"accountId": "holdfast"}, nil); err != nil {
		return fmt.Errorf("creating the operator's account: %w", err)
	}
	for _, command := range [][]string{
		{"create", "namespace", operations},
		{"annotate", "namespace", operations, v1alpha1.ProjectIDAnnotation + "=" + operationsProject},
		{"create", "rolebinding", "-n", operations, trudy, "--clusterrole=holdfast-edit", "--user=" + trudy},
	} {
		if _, err := s.kubectl.run(ctx, command...); err != nil {
			return err
		}
	}
	mark, err := s.cloud.mark(ctx)
	if err != nil {
		return err
	}
	out, err := s.applyAs(ctx, trudy, attackFile)
	if err == nil {
		return errors.New("trudy granted without having the verb grant")
	}
	if err := s.expect(strings.Contains(out, "the RBAC verb grant"), "whoever may edit accounts may not let anybody act as them"); err != nil {
		return err
	}
	return s.attackAsAdmin(ctx, mark)
}

// attackAsAdmin: the admin of a namespace has the verb, and still does not reach an account that Holdfast acts as.
func (s *stage) attackAsAdmin(ctx context.Context, mark int64) error {
	promotion := []string{"create", "rolebinding", "-n", operations, trudy + "-admin", "--clusterrole=holdfast-admin", "--user=" + trudy}
	if _, err := s.kubectl.run(ctx, promotion...); err != nil {
		return err
	}
	if _, err := s.applyAs(ctx, trudy, attackFile); err != nil {
		return err
	}
	innocent := &v1alpha1.ServiceAccount{}
	innocent.Namespace, innocent.Name = operations, "innocent"
	if err := s.untilStands(ctx, innocent, v1alpha1.ReasonNotAllowed); err != nil {
		return err
	}
	if _, err := s.kubectl.run(ctx, "get", "gsa", "-n", operations, innocent.Name, "-o", "jsonpath-as-json={.status.conditions}"); err != nil {
		return err
	}
	if err := s.noWrites(ctx, mark, operationsProject); err != nil {
		return err
	}
	policy, err := s.grants(ctx, identityPath+"/policy")
	if err != nil {
		return err
	}
	if err := s.expect(!policy.has("roles/iam.serviceAccountTokenCreator", trudyMember),
		"not granted, and nothing written: no manifest changes the policy of an account that Holdfast acts as"); err != nil {
		return err
	}
	_, err = s.kubectl.run(ctx, "delete", "-n", operations, "gsa", innocent.Name, "--timeout=60s")
	return err
}

// applyAs applies a manifest of the story as a person, having shown it.
func (s *stage) applyAs(ctx context.Context, person, file string) (string, error) {
	if err := s.showFile(file); err != nil {
		return "", err
	}
	return s.kubectl.run(ctx, "apply", "--as", person, "-f", file)
}
