// Package iam emulates the service accounts of the IAM API
// (google.iam.admin.v1.IAM) and the policies on them. Keys and roles are not
// supported.
package iam

import (
	"net/http"
	"strings"
	"time"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"google.golang.org/grpc"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/emulator/transcode"
)

// Options are what a Service needs.
type Options struct {
	// Projects, Traffic and Directory are shared with the other services.
	Projects  *projects.Registry
	Traffic   *traffic.Control
	Directory *policy.Directory
	// Now is the clock; nil means the real one.
	Now func() time.Time
}

// Service is the emulated IAM. All methods may be called at any time.
type Service struct {
	adminpb.UnimplementedIAMServer
	control  *traffic.Control
	projects *projects.Registry
	accounts *accounts
	policies *policy.Book
}

// New returns an IAM without accounts, and makes it the one that the
// directory asks.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{
		control: o.Traffic, projects: o.Projects, accounts: newAccounts(o.Now),
		policies: policy.NewBook(policy.Rules{Directory: o.Directory, Roles: grantable}),
	}
	o.Directory.UseAccounts(s.accounts)
	return s
}

// grantable are the services whose roles can be granted on an account.
var grantable = []string{"iam"}

// Name returns "iam".
func (s *Service) Name() string { return "iam" }

// RegisterGRPC adds the IAM service to a server.
func (s *Service) RegisterGRPC(server *grpc.Server) { adminpb.RegisterIAMServer(server, s) }

// RegisterHTTP adds the REST form of it.
func (s *Service) RegisterHTTP(mux *http.ServeMux) {
	front := transcode.New(s.control.UnaryInterceptor(func(fullMethod string, req any) traffic.Call {
		call, _ := s.ClassifyRPC(fullMethod, req)
		return call
	}), transcode.WithErrors(traffic.WriteListedError))
	front.RegisterByName("google.iam.admin.v1.IAM", s)
	front.Mount(mux)
}

// ClassifyRPC names the calls of the IAM service, such as
// {"iam", "IAM.GetServiceAccount", "my-project", "reader"}: the project is the
// account's, the resource the account's ID, or whatever else the request has
// in the place of an e-mail address.
func (s *Service) ClassifyRPC(fullMethod string, req any) (traffic.Call, bool) {
	method, ok := strings.CutPrefix(fullMethod, "/google.iam.admin.v1.")
	if !ok {
		return traffic.Call{}, false
	}
	call := traffic.Call{Service: s.Name(), Method: strings.ReplaceAll(method, "/", ".")}
	call.Project, call.Resource = s.subject(subjectName(req))
	if create, is := req.(*adminpb.CreateServiceAccountRequest); is {
		call.Resource = create.GetAccountId()
	}
	return call, true
}

// subjectName returns the resource name of what a request is about.
func subjectName(req any) string {
	switch request := req.(type) {
	case interface {
		GetServiceAccount() *adminpb.ServiceAccount
		GetName() string
	}:
		return request.GetName()
	case interface {
		GetServiceAccount() *adminpb.ServiceAccount
	}:
		return request.GetServiceAccount().GetName()
	case interface{ GetName() string }:
		return request.GetName()
	case interface{ GetResource() string }:
		return request.GetResource()
	default:
		return ""
	}
}

// subject returns the project and the account's ID that a resource name is
// about.
func (s *Service) subject(name string) (project, id string) {
	project, account, _ := strings.Cut(strings.TrimPrefix(name, "projects/"), "/serviceAccounts/")
	if found, ok := s.accounts.any(account); ok {
		return found.Project, found.ID
	}
	if known, ok := s.projects.Lookup(project); ok {
		project = known.ID
	}
	id, _, _ = strings.Cut(account, "@")
	return project, id
}
