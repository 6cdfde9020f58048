package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/holdfast-dev/holdfast/test/rig"
)

// prerequisite is something in Google Cloud that the samples require.
type prerequisite struct {
	told   string
	method string
	path   string
	body   document
}

// prerequisites of config/samples. KMS keys need not exist: the emulator accepts any.
var prerequisites = []prerequisite{
	{
		told:   "somebody created the Pub/Sub schema order in " + shopProject,
		method: http.MethodPost, path: "/v1/projects/" + shopProject + "/schemas?schemaId=order",
		body: document{
			"type":       "AVRO",
			"definition": `{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"cents","type":"long"}]}`,
		},
	},
	{
		told:   "somebody created the bucket demo-project-order-imports, which a sample imports from",
		method: http.MethodPost, path: "/emulator/storage/b?project=" + shopProject,
		body: document{"name": "demo-project-order-imports", "location": "EUROPE-WEST1"},
	},
}

// prepareSamples creates what the samples require, and says so.
func (s *stage) prepareSamples(ctx context.Context, tell func(format string, args ...any)) error {
	for _, p := range prerequisites {
		if err := s.cloud.Call(ctx, p.method, p.path, p.body, nil); err != nil {
			return fmt.Errorf("preparing for the samples (%s): %w", p.told, err)
		}
		tell("%s", p.told)
	}
	return nil
}

// playSamples: samples become Ready, and exist in Google Cloud.
func (s *stage) playSamples(ctx context.Context) error {
	if err := s.prepareSamples(ctx, s.show.sayf); err != nil {
		return err
	}
	if _, err := s.kubectl.run(ctx, "apply", "-n", shop, "-k", "config/samples"); err != nil {
		return err
	}
	if err := s.untilAllReady(ctx, shop); err != nil {
		return err
	}
	if _, err := s.kubectl.run(ctx, "get", "gcp", "-n", shop, "-o", "wide"); err != nil {
		return err
	}
	all, err := s.objects(ctx, shop)
	if err != nil {
		return err
	}
	s.show.sawf("all %d objects are Ready", len(all))
	for _, obj := range all {
		name := obj.GetCommonStatus().ExternalName
		path, err := pathOf(name)
		if err != nil {
			return err
		}
		live, err := s.cloud.get(ctx, path)
		if err != nil {
			return err
		}
		labels, labelled := live["labels"].(document)
		if !labelled { // accounts and policies carry no labels
			if err := s.expect(live != nil, "%s exists", name); err != nil {
				return err
			}
			continue
		}
		if err := s.expect(labels["holdfast-name"] == obj.GetName() && labels["holdfast-namespace"] == shop,
			"%s exists, labelled as owned by %s/%s", name, shop, obj.GetName()); err != nil {
			return err
		}
	}
	return s.checkRights(ctx)
}

// checkRights shows that the operator did all that as a service account with few permissions.
func (s *stage) checkRights(ctx context.Context) error {
	account := "system:serviceaccount:" + rig.OperatorNamespace + ":" + rig.OperatorAccount
	out, err := s.kubectl.run(ctx, "auth", "can-i", "delete", "buckets.gcp.holdfast.dev", "-n", shop, "--as", account)
	if err == nil {
		return fmt.Errorf("the operator can delete manifests: %s", out)
	}
	return s.expect(strings.Contains(out, "no"), "the operator has only the permissions of config/rbac, and cannot even delete a manifest")
}
