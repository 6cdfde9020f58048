package asset

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	pb "cloud.google.com/go/asset/apiv1/assetpb"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/resourcemanager"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// parents are the forms of a scope.
var parents = regexp.MustCompile(`^(organizations/\d+|folders/\d+|projects/[^/]+)$`)

// Withhold sets the permissions that the caller lacks on a scope, such as
// "organizations/1".
func (s *Service) Withhold(scope string, permissions ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.withheld[scope] = permissions
}

// scope returns which projects a scope has. Google does not say whether one
// that the caller may not see exists.
func (s *Service) scope(ctx context.Context, parent, permission string) (func(projects.Project) bool, error) {
	if !parents.MatchString(parent) {
		return nil, invalidParent()
	}
	s.mu.Lock()
	lacks := slices.Contains(s.withheld[parent], permission)
	s.mu.Unlock()
	if strings.HasPrefix(parent, "projects/") {
		project, known := s.projects.Lookup(parent)
		if !known || lacks || project.Lacks(permission) || !traffic.PrincipalOf(ctx).Has(permission) {
			return nil, denied()
		}
		return func(p projects.Project) bool { return p.ID == project.ID }, nil
	}
	in := func(p projects.Project) bool { return slices.Contains(ancestors(p), parent) }
	exists := parent == resourcemanager.Organization || slices.ContainsFunc(s.projects.List(), in)
	if lacks || !exists {
		return nil, denied()
	}
	return in, nil
}

// ancestors are those of a project, itself included. What a folder is in is
// not known: all are in one organization.
func ancestors(p projects.Project) []string {
	all := []string{"projects/" + strconv.FormatInt(p.Number, 10)}
	parent := cmp.Or(p.Parent, resourcemanager.Organization)
	if p.Standalone {
		return all
	}
	if strings.HasPrefix(parent, "folders/") {
		all = append(all, parent)
		parent = resourcemanager.Organization
	}
	return append(all, parent)
}

// parentOf is the full name of what a resource is in.
func parentOf(r Resource, project projects.Project) string {
	above := ancestors(project)
	if r.Type == projectType {
		above = above[1:]
	}
	if len(above) == 0 {
		return ""
	}
	return "//cloudresourcemanager.googleapis.com/" + above[0]
}

// projectType is the type of projects themselves.
const projectType = "cloudresourcemanager.googleapis.com/Project"

// permissions are what each content type takes on the scope.
//
// https://cloud.google.com/asset-inventory/docs/roles-permissions
var permissions = map[pb.ContentType]string{
	pb.ContentType_CONTENT_TYPE_UNSPECIFIED: "cloudasset.assets.listResource",
	pb.ContentType_RESOURCE:                 "cloudasset.assets.listResource",
	pb.ContentType_IAM_POLICY:               "cloudasset.assets.listIamPolicy",
}

// denied is the refusal that Google documents, which names nothing.
func denied() error {
	return status.Error(codes.PermissionDenied, "The caller does not have permission")
}

func invalidParent() error {
	s := status.New(codes.InvalidArgument, "Invalid parent in request.")
	detailed, err := s.WithDetails(&errdetails.BadRequest{
		FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "parent", Description: "Invalid parent in request."}},
	})
	if err != nil {
		return s.Err()
	}
	return detailed.Err()
}

func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

// cutLast cuts at the last slash.
func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndex(s, "/")
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
