package resourcemanager

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	pb "cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/holdfast-dev/holdfast/test/emulator/projects"
)

// GetProject returns a project, by its ID or its number.
func (s *Service) GetProject(_ context.Context, request *pb.GetProjectRequest) (*pb.Project, error) {
	project, err := s.accessible(request.GetName(), "resourcemanager.projects.get")
	if err != nil {
		return nil, err
	}
	return s.describe(project), nil
}

// SearchProjects returns a page of the projects that the caller may see. The
// query knows the terms "id:", "projectId:", "name:" and "displayName:" with a
// whole value or a prefix before "*", "state:", "parent:" and "labels.KEY:",
// and the spellings of these in version 1; all terms must fit.
func (s *Service) SearchProjects(_ context.Context, request *pb.SearchProjectsRequest) (*pb.SearchProjectsResponse, error) {
	var found []*pb.Project
	for _, project := range s.visible() {
		fits, err := fitsQuery(project, request.GetQuery())
		if err != nil {
			return nil, err
		}
		if fits {
			found = append(found, project)
		}
	}
	part, next, err := page(found, request.GetPageSize(), request.GetPageToken())
	if err != nil {
		return nil, err
	}
	return &pb.SearchProjectsResponse{Projects: part, NextPageToken: next}, nil
}

// ListProjects returns a page of the projects under a parent: an organization
// or folder that the caller may list.
func (s *Service) ListProjects(_ context.Context, request *pb.ListProjectsRequest) (*pb.ListProjectsResponse, error) {
	if !s.listable(request.GetParent()) {
		return nil, denied("resourcemanager.projects.list", request.GetParent())
	}
	children := slices.DeleteFunc(s.visible(), func(p *pb.Project) bool {
		return p.GetParent() != request.GetParent() || p.GetState() != pb.Project_ACTIVE && !request.GetShowDeleted()
	})
	part, next, err := page(children, request.GetPageSize(), request.GetPageToken())
	if err != nil {
		return nil, err
	}
	return &pb.ListProjectsResponse{Projects: part, NextPageToken: next}, nil
}

// Organization is the parent of all projects that have no other.
const Organization = "organizations/1"

// accessible finds a project. Google does not say whether one that the caller
// may not see exists.
func (s *Service) accessible(name, permission string) (projects.Project, error) {
	if !strings.HasPrefix(name, "projects/") {
		return projects.Project{}, status.Error(codes.InvalidArgument, "Request contains an invalid argument.")
	}
	project, ok := s.projects.Lookup(name)
	if !ok || project.Lacks(permission) {
		return project, denied(permission, name)
	}
	return project, nil
}

// denied is the refusal of Resource Manager, which names what is missing in
// its details only.
func denied(permission, resource string) error {
	s := status.New(codes.PermissionDenied, "The caller does not have permission")
	detailed, err := s.WithDetails(&errdetails.ErrorInfo{
		Reason:   "IAM_PERMISSION_DENIED",
		Domain:   "cloudresourcemanager.googleapis.com",
		Metadata: map[string]string{"permission": permission, "resource": resource},
	})
	if err != nil {
		return s.Err()
	}
	return detailed.Err()
}

// visible returns the projects that the caller may see, ordered by ID.
func (s *Service) visible() []*pb.Project {
	var visible []*pb.Project
	for _, project := range s.projects.List() {
		if !project.Foreign {
			visible = append(visible, s.describe(project))
		}
	}
	return visible
}

func (s *Service) describe(project projects.Project) *pb.Project {
	created := project.Created
	if created.IsZero() {
		created = s.created
	}
	state := pb.Project_ACTIVE
	if project.Deleted {
		state = pb.Project_DELETE_REQUESTED
	}
	parent := cmp.Or(project.Parent, Organization)
	if project.Standalone {
		parent = ""
	}
	return &pb.Project{
		Name:        fmt.Sprintf("projects/%d", project.Number),
		Parent:      parent,
		ProjectId:   project.ID,
		State:       state,
		DisplayName: cmp.Or(project.Name, project.ID),
		CreateTime:  timestamppb.New(created),
		UpdateTime:  timestamppb.New(created),
		Etag:        fmt.Sprintf(`W/"%x"`, project.Number),
		Labels:      project.Labels,
	}
}

func fitsQuery(project *pb.Project, query string) (bool, error) {
	values := map[string]string{
		"id": project.GetProjectId(), "projectid": project.GetProjectId(),
		"name": project.GetDisplayName(), "displayname": project.GetDisplayName(),
		"state": project.GetState().String(), "parent": project.GetParent(),
		"lifecyclestate": project.GetState().String(),
	}
	if kind, id, ok := strings.Cut(project.GetParent(), "/"); ok {
		values["parent.type"], values["parent.id"] = strings.TrimSuffix(kind, "s"), id
	}
	for key, value := range project.GetLabels() {
		values["labels."+key] = value
	}
	for term := range strings.FieldsSeq(query) {
		field, want, ok := strings.Cut(strings.Replace(term, "=", ":", 1), ":")
		value, known := values[strings.ToLower(field)]
		if strings.HasPrefix(field, "labels.") && !known {
			return false, nil
		}
		if !ok || !known {
			return false, status.Error(codes.InvalidArgument, "Request contains an invalid argument.")
		}
		prefix, wild := strings.CutSuffix(strings.Trim(want, `"`), "*")
		if !strings.EqualFold(value, prefix) && !(wild && strings.HasPrefix(strings.ToLower(value), strings.ToLower(prefix))) {
			return false, nil
		}
	}
	return true, nil
}

// page cuts a list of projects.
func page(all []*pb.Project, size int32, token string) (part []*pb.Project, next string, err error) {
	return cut(all, size, token, (*pb.Project).GetProjectId)
}

// cut cuts a list that is ordered by its keys; a token has the last key of its
// page.
func cut[T any](all []T, size int32, token string, key func(T) string) (part []T, next string, err error) {
	last, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || size < 0 {
		return nil, "", status.Error(codes.InvalidArgument, "Request contains an invalid argument.")
	}
	all = slices.DeleteFunc(all, func(item T) bool { return key(item) <= string(last) })
	if size == 0 || len(all) <= int(size) {
		return all, "", nil
	}
	part = all[:size]
	return part, base64.RawURLEncoding.EncodeToString([]byte(key(part[size-1]))), nil
}
