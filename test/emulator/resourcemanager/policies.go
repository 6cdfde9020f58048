package resourcemanager

import (
	"context"
	"slices"
	"strings"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
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
func (s *Service) SetIamPolicy(ctx context.Context, request *iampb.SetIamPolicyRequest) (*iampb.Policy, error) {
	project, err := s.accessible(request.GetResource(), "resourcemanager.projects.setIamPolicy")
	if err != nil {
		return nil, err
	}
	if project.Deleted { // "you cannot update the project"
		return nil, status.Error(codes.FailedPrecondition, "Precondition check failed.")
	}
	checks := []policy.Check{checkGrants(traffic.PrincipalOf(ctx))}
	if project.Standalone {
		checks = append(checks, checkOwners)
	}
	return s.policies.Set(project.ID, request, checks...)
}

// checkGrants refuses a write that grants or revokes a role which a condition
// keeps the caller from. As reports show, Google names nothing then.
func checkGrants(caller traffic.Principal) policy.Check {
	return func(current, sent *iampb.Policy) error {
		if !caller.Has("resourcemanager.projects.setIamPolicy", modified(current, sent)...) {
			return status.Error(codes.PermissionDenied, "Policy update access denied.")
		}
		return nil
	}
}

// modified are the roles of which two policies have other grants, as in the
// attribute iam.googleapis.com/modifiedGrantsByRole.
func modified(current, sent *iampb.Policy) []string {
	before, after := grants(current), grants(sent)
	var roles []string
	for g := range before {
		if !after[g] {
			roles = append(roles, g.role)
		}
	}
	for g := range after {
		if !before[g] {
			roles = append(roles, g.role)
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// grant is one member of a binding.
type grant struct{ role, condition, member string }

func grants(p *iampb.Policy) map[grant]bool {
	all := map[grant]bool{}
	for _, b := range p.GetBindings() {
		for _, member := range b.GetMembers() {
			all[grant{b.GetRole(), b.GetCondition().String(), member}] = true
		}
	}
	return all
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
