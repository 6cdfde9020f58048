// Package resourcemanager emulates the projects of the Resource Manager API,
// version 3, and version 1 over REST: reading them from the registry that all
// services share, creating and deleting them, and their IAM policies.
package resourcemanager

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	pb "cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"
	"google.golang.org/genproto/googleapis/api/annotations"
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
	now      func() time.Time
	created  time.Time
	policies *policy.Book
	// interceptor is what calls over REST go through.
	interceptor grpc.UnaryServerInterceptor
	operations  *operations
}

// Options are what a Service needs.
type Options struct {
	// Projects, Traffic and Directory are shared with the other services.
	Projects  *projects.Registry
	Traffic   *traffic.Control
	Directory *policy.Directory
	// Now is the clock; nil means the real one.
	Now func() time.Time
}

// New returns a Resource Manager for the projects of a registry.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{
		control: o.Traffic, projects: o.Projects, now: o.Now, created: o.Now().Truncate(time.Microsecond),
		policies:   policy.NewBook(policy.Rules{Directory: o.Directory, NoPublic: true, AuditConfigs: true}),
		operations: &operations{done: map[string]*longrunningpb.Operation{}},
	}
	s.interceptor = o.Traffic.UnaryInterceptor(func(fullMethod string, req any) traffic.Call {
		call, _ := s.ClassifyRPC(fullMethod, req)
		return call
	})
	return s
}

// Name returns "resourcemanager".
func (s *Service) Name() string { return "resourcemanager" }

// RegisterGRPC adds the Projects service to a server, and the one that says
// what became of its operations.
func (s *Service) RegisterGRPC(server *grpc.Server) { s.register(server) }

// RegisterHTTP adds the REST form of them, and version 1.
func (s *Service) RegisterHTTP(mux *http.ServeMux) {
	front := transcode.New(s.interceptor, transcode.WithRules(rules))
	s.register(front)
	front.Mount(mux)
	s.registerV1(mux, front)
}

func (s *Service) register(registrar grpc.ServiceRegistrar) {
	pb.RegisterProjectsServer(registrar, s)
	pb.RegisterFoldersServer(registrar, &folders{service: s})
	longrunningpb.RegisterOperationsServer(registrar, s.operations)
}

// rules are the paths of calls that are in version 1 as they are in version 3.
var rules = map[string]*annotations.HttpRule{
	"google.cloud.resourcemanager.v3.Projects.GetIamPolicy":       policyRule("getIamPolicy"),
	"google.cloud.resourcemanager.v3.Projects.SetIamPolicy":       policyRule("setIamPolicy"),
	"google.cloud.resourcemanager.v3.Projects.TestIamPermissions": policyRule("testIamPermissions"),
	"google.longrunning.Operations.GetOperation":                  inBoth(getRule, "/{name=operations/*}"),
	"google.longrunning.Operations.ListOperations":                {},
	"google.longrunning.Operations.DeleteOperation":               {},
	"google.longrunning.Operations.CancelOperation":               {},
	"google.longrunning.Operations.WaitOperation":                 {},
}

func policyRule(verb string) *annotations.HttpRule {
	return inBoth(postRule, "/{resource=projects/*}:"+verb)
}

func inBoth(rule func(path string) *annotations.HttpRule, path string) *annotations.HttpRule {
	both := rule("/v3" + path)
	both.AdditionalBindings = []*annotations.HttpRule{rule("/v1" + path)}
	return both
}

func getRule(path string) *annotations.HttpRule {
	return &annotations.HttpRule{Pattern: &annotations.HttpRule_Get{Get: path}}
}

func postRule(path string) *annotations.HttpRule {
	return &annotations.HttpRule{Pattern: &annotations.HttpRule_Post{Post: path}, Body: "*"}
}

// ClassifyRPC names the calls of the Projects service, such as
// {"resourcemanager", "Projects.GetProject", "my-project", "my-project"}.
func (s *Service) ClassifyRPC(fullMethod string, req any) (traffic.Call, bool) {
	method, ok := strings.CutPrefix(fullMethod, "/google.cloud.resourcemanager.v3.")
	if !ok {
		method, ok = strings.CutPrefix(fullMethod, "/google.longrunning.")
	}
	if !ok {
		return traffic.Call{}, false
	}
	id := s.idOf(subject(req))
	if create, is := req.(*pb.CreateProjectRequest); is {
		id = create.GetProject().GetProjectId()
	}
	return traffic.Call{
		Service: s.Name(), Method: strings.ReplaceAll(method, "/", "."), Project: id, Resource: id,
	}, true
}

// subject returns the resource name of what a request is about, empty for
// lists.
func subject(req any) string {
	switch request := req.(type) {
	case *longrunningpb.GetOperationRequest:
		return ""
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
