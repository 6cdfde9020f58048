// Package resourcemanager emulates the projects of the Resource Manager API,
// version 3: looking them up, over the registry that all services share, and
// their IAM policies.
package resourcemanager

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	pb "cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"
	"google.golang.org/grpc"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/emulator/transcode"
)

// Service is the emulated Resource Manager. Of its own it has the policies of
// the projects.
type Service struct {
	pb.UnimplementedProjectsServer
	control  *traffic.Control
	projects *projects.Registry
	created  time.Time
	policies *policy.Book
}

// New returns a Resource Manager for the projects of a registry.
func New(control *traffic.Control, registry *projects.Registry, directory *policy.Directory) *Service {
	return &Service{
		control: control, projects: registry, created: time.Now().Truncate(time.Microsecond),
		policies: policy.NewBook(policy.Rules{Directory: directory, NoPublic: true, AuditConfigs: true}),
	}
}

// Name returns "resourcemanager".
func (s *Service) Name() string { return "resourcemanager" }

// RegisterGRPC adds the Projects service to a server.
func (s *Service) RegisterGRPC(server *grpc.Server) { pb.RegisterProjectsServer(server, s) }

// RegisterHTTP adds the REST form of it.
func (s *Service) RegisterHTTP(mux *http.ServeMux) {
	front := transcode.New(s.control.UnaryInterceptor(func(fullMethod string, req any) traffic.Call {
		call, _ := s.ClassifyRPC(fullMethod, req)
		return call
	}))
	pb.RegisterProjectsServer(front, s)
	front.Mount(mux)
}

// ClassifyRPC names the calls of the Projects service, such as
// {"resourcemanager", "Projects.GetProject", "my-project", "my-project"}.
func (s *Service) ClassifyRPC(fullMethod string, req any) (traffic.Call, bool) {
	method, ok := strings.CutPrefix(fullMethod, "/google.cloud.resourcemanager.v3.")
	if !ok {
		return traffic.Call{}, false
	}
	id := s.idOf(subject(req))
	return traffic.Call{
		Service: s.Name(), Method: strings.ReplaceAll(method, "/", "."), Project: id, Resource: id,
	}, true
}

// subject returns the resource name of what a request is about, empty for
// lists.
func subject(req any) string {
	switch request := req.(type) {
	case interface{ GetName() string }:
		return request.GetName()
	case interface{ GetResource() string }:
		return request.GetResource()
	case interface{ GetProject() *pb.Project }:
		return request.GetProject().GetName()
	default:
		return ""
	}
}

// idOf returns the project ID for "projects/ID" or "projects/NUMBER".
func (s *Service) idOf(name string) string {
	if name == "" {
		return ""
	}
	if project, ok := s.projects.Lookup(name); ok {
		return project.ID
	}
	return strings.TrimPrefix(name, "projects/")
}

// Console answers nothing: projects are edited through the registry.
func (s *Service) Console() http.Handler { return http.NotFoundHandler() }

// dump is the state as JSON.
type dump struct {
	Policies map[string]json.RawMessage `json:"policies,omitempty"`
}

// Dump returns the policies of all projects; the projects are dumped by their
// registry.
func (s *Service) Dump() any { return dump{Policies: s.policies.Dump()} }

// Load replaces everything by what Dump returned.
func (s *Service) Load(encoded json.RawMessage) error {
	var d dump
	if err := json.Unmarshal(encoded, &d); err != nil {
		return fmt.Errorf("reading the state of Resource Manager: %w", err)
	}
	return s.policies.Load(d.Policies)
}
