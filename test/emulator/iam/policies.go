package iam

import (
	"context"

	"cloud.google.com/go/iam/apiv1/iampb"
)

// GetIamPolicy returns the policy of an account: who may use it.
func (s *Service) GetIamPolicy(_ context.Context, request *iampb.GetIamPolicyRequest) (*iampb.Policy, error) {
	a, err := s.find(request.GetResource(), "iam.serviceAccounts.getIamPolicy")
	if err != nil {
		return nil, err
	}
	return s.policies.Get(a.UniqueID, request)
}

// SetIamPolicy replaces the policy of an account.
func (s *Service) SetIamPolicy(_ context.Context, request *iampb.SetIamPolicyRequest) (*iampb.Policy, error) {
	a, err := s.find(request.GetResource(), "iam.serviceAccounts.setIamPolicy")
	if err != nil {
		return nil, err
	}
	return s.policies.Set(a.UniqueID, request)
}

// TestIamPermissions returns all permissions that it is asked for, but those
// that the caller lacks in the project.
func (s *Service) TestIamPermissions(
	_ context.Context, request *iampb.TestIamPermissionsRequest,
) (*iampb.TestIamPermissionsResponse, error) {
	a, err := s.find(request.GetResource(), "")
	if err != nil {
		return nil, err
	}
	project, _ := s.projects.Lookup(a.Project)
	return &iampb.TestIamPermissionsResponse{Permissions: project.Held(request.GetPermissions())}, nil
}
