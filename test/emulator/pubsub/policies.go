package pubsub

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// policyServer is google.iam.v1.IAMPolicy for the resources of Pub/Sub.
// Policies are kept, with etags; nothing is granted or refused by them.
type policyServer struct {
	iampb.UnimplementedIAMPolicyServer
	*Service
}

// noPolicyEtag is the etag of a policy that was never set: "ACAB".
var noPolicyEtag = []byte{0x00, 0x20, 0x01}

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
	return proto.CloneOf(ps.policy(full)), nil
}

// SetIamPolicy replaces the policy of a resource, if its etag is current.
func (ps policyServer) SetIamPolicy(_ context.Context, request *iampb.SetIamPolicyRequest) (*iampb.Policy, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	full, err := ps.policyHolder(request.GetResource())
	if err != nil {
		return nil, err
	}
	current := ps.policy(full)
	etag := request.GetPolicy().GetEtag()
	if len(etag) > 0 && !slices.Equal(etag, current.GetEtag()) {
		return nil, status.Error(codes.Aborted,
			"There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.")
	}
	policy := proto.CloneOf(request.GetPolicy())
	if policy == nil {
		policy = &iampb.Policy{}
	}
	policy.Version = max(policy.GetVersion(), 1)
	policy.Etag = nextEtag(current.GetEtag())
	ps.state.policies[full] = policy
	return proto.CloneOf(policy), nil
}

// TestIamPermissions returns all permissions that it is asked for, since the
// caller has all of them here.
func (ps policyServer) TestIamPermissions(
	_ context.Context, request *iampb.TestIamPermissionsRequest,
) (*iampb.TestIamPermissionsResponse, error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if _, err := ps.policyHolder(request.GetResource()); err != nil {
		return nil, err
	}
	return &iampb.TestIamPermissionsResponse{Permissions: request.GetPermissions()}, nil
}

// policy returns the policy of a resource; the caller holds s.mu.
func (s *Service) policy(full string) *iampb.Policy {
	if policy, ok := s.state.policies[full]; ok {
		return policy
	}
	return &iampb.Policy{Etag: noPolicyEtag}
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

// nextEtag returns an etag that differs from all before it, in the form of
// Google's: eight bytes, which JSON shows as "BwW…=".
func nextEtag(current []byte) []byte {
	number := uint64(0x0705_0000_0000_0000)
	if len(current) == 8 {
		number = binary.BigEndian.Uint64(current)
	}
	return binary.BigEndian.AppendUint64(nil, number+1)
}
