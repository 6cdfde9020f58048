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

// TestIamPermissions returns all permissions that it is asked for.
func (s *Service) TestIamPermissions(
	_ context.Context, request *iampb.TestIamPermissionsRequest,
) (*iampb.TestIamPermissionsResponse, error) {
	if _, err := s.find(request.GetResource(), "iam.serviceAccounts.get"); err != nil {
		return nil, err
	}
	return &iampb.TestIamPermissionsResponse{Permissions: request.GetPermissions()}, nil
}
