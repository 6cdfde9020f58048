package pubsub

import (
	"context"
	"strings"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/genproto/googleapis/api/annotations"
)

// policyServer is google.iam.v1.IAMPolicy for the resources of Pub/Sub.
// Policies are kept, with etags; nothing is granted or refused by them.
type policyServer struct {
	iampb.UnimplementedIAMPolicyServer
	*Service
}

// policyRules are the paths that Pub/Sub's service configuration gives to the
// shared interface.
var policyRules = map[string]*annotations.HttpRule{
	"google.iam.v1.IAMPolicy.GetIamPolicy": policyRule("getIamPolicy", func(path string) *annotations.HttpRule {
		return &annotations.HttpRule{Pattern: &annotations.HttpRule_Get{Get: path}}
	}),
	"google.iam.v1.IAMPolicy.SetIamPolicy":       policyRule("setIamPolicy", postRule),
	"google.iam.v1.IAMPolicy.TestIamPermissions": policyRule("testIamPermissions", postRule),
}

func postRule(path string) *annotations.HttpRule {
	return &annotations.HttpRule{Pattern: &annotations.HttpRule_Post{Post: path}, Body: "*"}
}

func policyRule(verb string, rule func(path string) *annotations.HttpRule) *annotations.HttpRule {
	all := rule("/v1/{resource=projects/*/topics/*}:" + verb)
	for _, kind := range []string{subscriptionKind, schemaKind} {
		all.AdditionalBindings = append(all.AdditionalBindings, rule("/v1/{resource=projects/*/"+kind+"/*}:"+verb))
	}
	return all
}

// GetIamPolicy returns the policy of a resource.
func (ps policyServer) GetIamPolicy(_ context.Context, request *iampb.GetIamPolicyRequest) (*iampb.Policy, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	full, err := ps.policyHolder(request.GetResource())
	if err != nil {
		return nil, err
	}
	return ps.policies.Get(full, request)
}

// SetIamPolicy replaces the policy of a resource, if its etag is current.
func (ps policyServer) SetIamPolicy(_ context.Context, request *iampb.SetIamPolicyRequest) (*iampb.Policy, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	full, err := ps.policyHolder(request.GetResource())
	if err != nil {
		return nil, err
	}
	return ps.policies.Set(full, request)
}

// TestIamPermissions returns all permissions that it is asked for, but those
// that the caller lacks in the project.
func (ps policyServer) TestIamPermissions(
	_ context.Context, request *iampb.TestIamPermissionsRequest,
) (*iampb.TestIamPermissionsResponse, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	full, err := ps.policyHolder(request.GetResource())
	if err != nil {
		return nil, err
	}
	project, _ := ps.projects.Lookup(strings.Split(full, "/")[1])
	return &iampb.TestIamPermissionsResponse{Permissions: project.Held(request.GetPermissions())}, nil
}

// policyHolder finds the resource of a policy; the caller holds s.mu.
func (s *Service) policyHolder(full string) (string, error) {
	kind := ""
	if parts := strings.Split(full, "/"); len(parts) == 4 {
		kind = parts[2]
	}
	n, err := s.resolve(full, kind)
	if err != nil {
		return "", err
	}
	switch kind {
	case topicKind:
		_, err = s.topic(n)
	case subscriptionKind:
		_, err = s.subscription(n)
	case schemaKind:
		_, err = s.revision(n, "")
	default:
		err = invalidName(full)
	}
	return n.String(), err
}

// Policy returns the policy of a topic, subscription or schema with all that
// it has, without a call being counted.
func (s *Service) Policy(full string) (*iampb.Policy, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	full, err := s.policyHolder(full)
	if err != nil {
		return nil, err
	}
	return s.policies.Read(full), nil
}

// EditPolicy changes the policy of a topic, subscription or schema, as
// somebody in the console would: without a call being counted or faulted, but
// with the same rules.
func (s *Service) EditPolicy(full string, edit func(*iampb.Policy)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	full, err := s.policyHolder(full)
	if err != nil {
		return err
	}
	return s.policies.Edit(full, edit)
}
