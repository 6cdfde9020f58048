package resourcemanager

import (
	"context"
	"slices"
	"strings"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// GetIamPolicy returns the policy of a project.
func (s *Service) GetIamPolicy(_ context.Context, request *iampb.GetIamPolicyRequest) (*iampb.Policy, error) {
	project, err := s.accessible(request.GetResource(), "resourcemanager.projects.getIamPolicy")
	if err != nil {
		return nil, err
	}
	return s.policies.Get(project.ID, request)
}

// SetIamPolicy replaces the policy of a project.
func (s *Service) SetIamPolicy(_ context.Context, request *iampb.SetIamPolicyRequest) (*iampb.Policy, error) {
	project, err := s.accessible(request.GetResource(), "resourcemanager.projects.setIamPolicy")
	if err != nil {
		return nil, err
	}
	if project.Deleted { // "you cannot update the project"
		return nil, status.Error(codes.FailedPrecondition, "Precondition check failed.")
	}
	if project.Standalone {
		return s.policies.Set(project.ID, request, checkOwners)
	}
	return s.policies.Set(project.ID, request)
}

// checkOwners has the rules for projects outside of organizations. A user
// whose address is spelt in another letter case than before counts as another
// one, as reports show; what is wrong Google says in its details only, whose
// type is not public.
func checkOwners(current, sent *iampb.Policy) error {
	before, after := owners(current), owners(sent)
	invited := func(member string) bool {
		return strings.HasPrefix(member, "user:") && !slices.Contains(before, member)
	}
	if slices.ContainsFunc(after, invited) || len(before) > 0 && len(after) == 0 {
		return status.Error(codes.InvalidArgument, "Request contains an invalid argument.")
	}
	return nil
}

func owners(p *iampb.Policy) []string {
	var members []string
	for _, b := range p.GetBindings() {
		if b.GetRole() == "roles/owner" {
			members = append(members, b.GetMembers()...)
		}
	}
	return members
}

// TestIamPermissions returns those of the permissions that the caller has: all
// but the withheld ones on a project that the caller has access to, and none
// on any other.
func (s *Service) TestIamPermissions(
	_ context.Context, request *iampb.TestIamPermissionsRequest,
) (*iampb.TestIamPermissionsResponse, error) {
	project, ok := s.projects.Lookup(request.GetResource())
	if !ok {
		return &iampb.TestIamPermissionsResponse{}, nil // no access means no permissions, not an error
	}
	return &iampb.TestIamPermissionsResponse{Permissions: project.Held(request.GetPermissions())}, nil
}
