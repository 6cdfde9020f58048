// Package asset emulates the listing of Cloud Asset Inventory, version 1: what
// the other services have, as of now or of an earlier time, over whole
// organizations and folders.
package asset

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	pb "cloud.google.com/go/asset/apiv1/assetpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"

	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/emulator/transcode"
)

// Resource is a resource as its own service has it.
type Resource struct {
	// Type is the asset type, such as "storage.googleapis.com/Bucket".
	Type string
	// Name is the name of the asset, such as "//storage.googleapis.com/logs".
	Name string
	// Project is the ID of the project that it is in.
	Project string
	// Data is what it looks like in its service's REST API; nil if it is gone.
	Data func() map[string]any
	// Policy is its IAM policy; nil if it has none, or is gone.
	Policy func() *iampb.Policy
}

// Cloud has the resources.
type Cloud interface {
	// Resources are those of all projects, in no order.
	Resources() []Resource
}

// Options are what a Service needs.
type Options struct {
	// Projects and Traffic are shared with the other services.
	Projects *projects.Registry
	Traffic  *traffic.Control
	Cloud    Cloud
	// Now is the clock; nil means the real one.
	Now func() time.Time
	// Staleness is how old an answer may be, see SetStaleness.
	Staleness time.Duration
}

// Service is the emulated Cloud Asset Inventory. All methods may be called at
// any time.
type Service struct {
	pb.UnimplementedAssetServiceServer
	projects *projects.Registry
	control  *traffic.Control
	cloud    Cloud
	now      func() time.Time

	mu        sync.Mutex
	staleness time.Duration
	frozen    bool
	// kept is the view that is shown again; nil while each call sees what is
	// there.
	kept *view
	// withheld are the permissions that the caller lacks, by scope.
	withheld map[string][]string
}

// New returns an inventory that knows everything at once, unless it is told
// otherwise.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{
		projects: o.Projects, control: o.Traffic, cloud: o.Cloud, now: o.Now, staleness: o.Staleness, withheld: map[string][]string{},
	}
}

// Name returns "asset".
func (s *Service) Name() string { return "asset" }

// RegisterGRPC adds the AssetService to a server.
func (s *Service) RegisterGRPC(server *grpc.Server) { pb.RegisterAssetServiceServer(server, s) }

// RegisterHTTP adds the REST form of the one call that there is.
func (s *Service) RegisterHTTP(mux *http.ServeMux) {
	front := transcode.New(s.control.UnaryInterceptor(func(fullMethod string, req any) traffic.Call {
		call, _ := s.ClassifyRPC(fullMethod, req)
		return call
	}), transcode.WithRules(listOnly()))
	pb.RegisterAssetServiceServer(front, s)
	front.Mount(mux)
}

// listOnly leaves the paths of all calls out but the one that there is.
func listOnly() map[string]*annotations.HttpRule {
	rules := map[string]*annotations.HttpRule{}
	for _, method := range pb.AssetService_ServiceDesc.Methods {
		rules[pb.AssetService_ServiceDesc.ServiceName+"."+method.MethodName] = &annotations.HttpRule{}
	}
	rules[pb.AssetService_ServiceDesc.ServiceName+".ListAssets"] = &annotations.HttpRule{
		Pattern: &annotations.HttpRule_Get{Get: "/v1/{parent=*/*}/assets"},
	}
	return rules
}

// ClassifyRPC names the calls, such as {"asset", "AssetService.ListAssets",
// "", "organizations/1"}: the resource is the scope, and the project its ID if
// it is one.
func (s *Service) ClassifyRPC(fullMethod string, req any) (traffic.Call, bool) {
	method, ok := strings.CutPrefix(fullMethod, "/google.cloud.asset.v1.")
	if !ok {
		return traffic.Call{}, false
	}
	call := traffic.Call{Service: s.Name(), Method: strings.ReplaceAll(method, "/", ".")}
	if list, is := req.(*pb.ListAssetsRequest); is {
		call.Resource = list.GetParent()
		if project, known := s.projects.Lookup(list.GetParent()); known {
			call.Project = project.ID
		}
	}
	return call, true
}

// Dump returns nothing: all that is listed belongs to the other services.
func (s *Service) Dump() any { return struct{}{} }

// Load forgets what was kept of the state before.
func (s *Service) Load(json.RawMessage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = nil
	return nil
}
