package resourcemanager

import (
	"context"

	"cloud.google.com/go/iam/apiv1/iampb"
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
	return s.policies.Set(project.ID, request)
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
