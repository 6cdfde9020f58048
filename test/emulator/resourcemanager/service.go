// Package resourcemanager emulates the projects of the Resource Manager API,
// version 3: looking them up, over the registry that all services share.
// Projects are made by the registry; changing them over the API, and their IAM
// policies, are not there yet.
package resourcemanager

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	pb "cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"
	"google.golang.org/grpc"

	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/emulator/transcode"
)

// Service is the emulated Resource Manager. It has no state of its own.
type Service struct {
	pb.UnimplementedProjectsServer
	control  *traffic.Control
	projects *projects.Registry
	created  time.Time
}

// New returns a Resource Manager for the projects of a registry.
func New(control *traffic.Control, registry *projects.Registry) *Service {
	return &Service{control: control, projects: registry, created: time.Now().Truncate(time.Microsecond)}
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

// Dump returns nothing, since the projects are dumped by their registry.
func (s *Service) Dump() any { return nil }

// Load has nothing to replace.
func (s *Service) Load(json.RawMessage) error { return nil }
