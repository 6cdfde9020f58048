package resourcemanager

import (
	"net/http"

	"cloud.google.com/go/iam/apiv1/iampb"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
)

// Policy returns the policy of a project with all that it has, without a call
// being counted.
func (s *Service) Policy(projectID string) *iampb.Policy { return s.policies.Read(projectID) }

// EditPolicy changes the policy of a project, as somebody in the console
// would: without a call being counted or faulted, but with the same rules.
func (s *Service) EditPolicy(projectID string, edit func(*iampb.Policy)) error {
	project, ok := s.projects.Lookup(projectID)
	if !ok {
		return denied("resourcemanager.projects.setIamPolicy", "projects/"+projectID)
	}
	return s.policies.Edit(project.ID, edit)
}

// Console answers the policies of projects at /v3/projects/PROJECT/policy,
// see [policy.Mount]; the projects themselves are edited through the registry.
func (s *Service) Console() http.Handler {
	mux := http.NewServeMux()
	policy.Mount(mux, "/v3/projects/{project}", func(r *http.Request) (policy.Resource, error) {
		project, ok := s.projects.Lookup(r.PathValue("project"))
		if !ok {
			return policy.Resource{}, denied("resourcemanager.projects.getIamPolicy", "projects/"+r.PathValue("project"))
		}
		return s.policies.Resource(project.ID), nil
	})
	return mux
}
