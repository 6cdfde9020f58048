package pubsub

import (
	"regexp"
	"strings"

	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// The collections of resource names.
const (
	topicKind        = "topics"
	subscriptionKind = "subscriptions"
	schemaKind       = "schemas"
)

// What stands in the place of the name of something that was deleted.
const (
	deletedTopic  = "_deleted-topic_"
	deletedSchema = "_deleted-schema_"
)

// name is a resource name, projects/PROJECT/KIND/ID.
type name struct{ project, kind, id string }

func (n name) String() string { return "projects/" + n.project + "/" + n.kind + "/" + n.id }

// idPattern is the rule for IDs, see
// https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names.
var idPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._~+%-]{2,254}$`)

// parseName reads a resource name of one kind.
func parseName(full, kind string) (name, error) {
	parts := strings.Split(full, "/")
	if len(parts) != 4 || parts[0] != "projects" || parts[1] == "" || parts[2] != kind {
		return name{}, invalidName(full)
	}
	if !idPattern.MatchString(parts[3]) || strings.HasPrefix(parts[3], "goog") {
		return name{}, invalidName(full)
	}
	return name{project: parts[1], kind: kind, id: parts[3]}, nil
}

// resolve reads a resource name and finds its project, which may be given by
// its number; the name that is returned has the ID.
func (s *Service) resolve(full, kind string) (name, error) {
	n, err := parseName(full, kind)
	if err != nil {
		return name{}, err
	}
	project, err := s.project(n.project)
	if err != nil {
		return name{}, err
	}
	n.project = project.ID
	return n, nil
}

// parent reads "projects/PROJECT" and finds the project.
func (s *Service) parent(full string) (projects.Project, error) {
	id, ok := strings.CutPrefix(full, "projects/")
	if !ok || id == "" || strings.Contains(id, "/") {
		return projects.Project{}, invalidName(full)
	}
	return s.project(id)
}

func (s *Service) project(id string) (projects.Project, error) {
	project, ok := s.projects.Lookup(id)
	switch {
	case !ok:
		return project, projectNotFound(id)
	case project.Foreign:
		return project, notAuthorized()
	case project.Deleted:
		return project, traffic.ProjectDeleted(s.Name(), project.Number)
	default:
		return project, nil
	}
}
