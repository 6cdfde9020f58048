package iam

import (
	"regexp"
	"strings"

	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// anyProject stands for the project in the name of an account.
const anyProject = "-"

func resourceName(a account) string { return "projects/" + a.Project + "/serviceAccounts/" + a.Email() }

// idPattern is the rule for account IDs besides their length.
var idPattern = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])$`)

func checkID(id string) error {
	switch {
	case len(id) < 6 || len(id) > 30:
		return invalid("The account ID %q does not have a length between 6 and 30.", id)
	case !idPattern.MatchString(id):
		return invalid("The account ID %q must match the regular expression [a-z]([-a-z0-9]*[a-z0-9]).", id)
	default:
		return nil
	}
}

// project finds the project that "projects/P" names.
func (s *Service) project(name, permission string) (projects.Project, error) {
	id, ok := strings.CutPrefix(name, "projects/")
	if !ok || id == "" || strings.Contains(id, "/") {
		return projects.Project{}, invalid("Invalid project name %q: want projects/PROJECT_ID.", name)
	}
	project, ok := s.projects.Lookup(id)
	if !ok || project.Lacks(permission) {
		return project, denied(permission, name)
	}
	if project.Deleted {
		return project, traffic.ProjectDeleted(s.Name(), project.Number)
	}
	return project, nil
}

// key returns the e-mail address or unique ID of a resource name after it has
// found the project. Any account may be named without its project; that it
// does not exist is not said then.
func (s *Service) key(name, permission string) (string, error) {
	project, key, ok := strings.Cut(strings.TrimPrefix(name, "projects/"), "/serviceAccounts/")
	if !ok || !strings.HasPrefix(name, "projects/") || key == "" || strings.Contains(key, "/") {
		return "", invalid("Invalid service account name %q: want projects/PROJECT_ID/serviceAccounts/ACCOUNT.", name)
	}
	found, exists := s.accounts.any(key)
	if project == anyProject {
		if !exists {
			return "", denied(permission, name)
		}
		project = found.Project
	}
	known, err := s.project("projects/"+project, permission)
	if err != nil {
		return "", err
	}
	if exists && found.Project != known.ID {
		return "", unknown()
	}
	return key, nil
}
