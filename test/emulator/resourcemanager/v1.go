package resourcemanager

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	pb "cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"
	cloudresourcemanager "google.golang.org/api/cloudresourcemanager/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/emulator/transcode"
)

// Version 1 of the API, which gcloud uses, has another form for projects and
// nothing else of its own: its calls are counted, and faulted, as those of
// version 3 that do the same.

// registerV1 adds the calls of version 1 that are about projects themselves;
// those about policies differ in their paths only, see rules, and are left to
// the front.
func (s *Service) registerV1(mux *http.ServeMux, front http.Handler) {
	mux.HandleFunc("GET /v1/projects", s.v1List)
	mux.HandleFunc("POST /v1/projects", s.v1Create)
	mux.HandleFunc("GET /v1/projects/{project}", s.v1Get)
	mux.HandleFunc("DELETE /v1/projects/{project}", s.v1Delete)
	verbs := map[string]func(http.ResponseWriter, *http.Request, string){"undelete": s.v1Undelete, "getAncestry": s.v1GetAncestry}
	mux.HandleFunc("POST /v1/projects/{project}", func(w http.ResponseWriter, r *http.Request) {
		project, verb, _ := strings.Cut(r.PathValue("project"), ":")
		if call := verbs[verb]; call != nil {
			call(w, r, "projects/"+project)
			return
		}
		front.ServeHTTP(w, r)
	})
}

func (s *Service) v1Get(w http.ResponseWriter, r *http.Request) {
	request := &pb.GetProjectRequest{Name: "projects/" + r.PathValue("project")}
	project, err := through(s, r, pb.Projects_GetProject_FullMethodName, request, s.GetProject)
	if err != nil {
		writeV1Error(w, err)
		return
	}
	transcode.WriteJSON(w, r, v1Project(project))
}

func (s *Service) v1List(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	size, err := strconv.ParseInt("0"+query.Get("pageSize"), 10, 32)
	if err != nil {
		writeV1Error(w, status.Error(codes.InvalidArgument, "Request contains an invalid argument."))
		return
	}
	request := &pb.SearchProjectsRequest{Query: query.Get("filter"), PageSize: int32(size), PageToken: query.Get("pageToken")}
	found, err := through(s, r, pb.Projects_SearchProjects_FullMethodName, request, s.SearchProjects)
	if err != nil {
		writeV1Error(w, err)
		return
	}
	list := &cloudresourcemanager.ListProjectsResponse{NextPageToken: found.GetNextPageToken()}
	for _, project := range found.GetProjects() {
		list.Projects = append(list.Projects, v1Project(project))
	}
	transcode.WriteJSON(w, r, list)
}

// maxBody bounds the description of a new project, in bytes.
const maxBody = 1 << 20

func (s *Service) v1Create(w http.ResponseWriter, r *http.Request) {
	var sent cloudresourcemanager.Project
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&sent); err != nil {
		writeV1Error(w, status.Errorf(codes.InvalidArgument, "Invalid JSON payload received. %v", err))
		return
	}
	project := &pb.Project{ProjectId: sent.ProjectId, DisplayName: sent.Name, Labels: sent.Labels}
	if sent.Parent != nil {
		project.Parent = sent.Parent.Type + "s/" + sent.Parent.Id
	}
	begun, err := through(s, r, pb.Projects_CreateProject_FullMethodName, &pb.CreateProjectRequest{Project: project}, s.CreateProject)
	if err != nil {
		writeV1Error(w, err)
		return
	}
	transcode.WriteJSON(w, r, map[string]string{"name": begun.GetName()})
}

func (s *Service) v1Delete(w http.ResponseWriter, r *http.Request) {
	request := &pb.DeleteProjectRequest{Name: "projects/" + r.PathValue("project")}
	if _, err := through(s, r, pb.Projects_DeleteProject_FullMethodName, request, s.DeleteProject); err != nil {
		writeV1Error(w, err)
		return
	}
	transcode.WriteJSON(w, r, struct{}{})
}

func (s *Service) v1Undelete(w http.ResponseWriter, r *http.Request, name string) {
	request := &pb.UndeleteProjectRequest{Name: name}
	if _, err := through(s, r, pb.Projects_UndeleteProject_FullMethodName, request, s.UndeleteProject); err != nil {
		writeV1Error(w, err)
		return
	}
	transcode.WriteJSON(w, r, struct{}{})
}

// v1GetAncestry has no like in version 3, and counts as reading the project.
// What a folder is in is not known here.
func (s *Service) v1GetAncestry(w http.ResponseWriter, r *http.Request, name string) {
	project, err := through(s, r, pb.Projects_GetProject_FullMethodName, &pb.GetProjectRequest{Name: name}, s.GetProject)
	if err != nil {
		writeV1Error(w, err)
		return
	}
	shown := v1Project(project)
	ancestry := &cloudresourcemanager.GetAncestryResponse{Ancestor: []*cloudresourcemanager.Ancestor{
		{ResourceId: &cloudresourcemanager.ResourceId{Type: "project", Id: shown.ProjectId}},
	}}
	if shown.Parent != nil {
		ancestry.Ancestor = append(ancestry.Ancestor, &cloudresourcemanager.Ancestor{ResourceId: shown.Parent})
	}
	transcode.WriteJSON(w, r, ancestry)
}

// through carries a call of version 3 out under the traffic control.
func through[Request, Response any](
	s *Service, r *http.Request, fullMethod string, request Request, call func(context.Context, Request) (Response, error),
) (Response, error) {
	ctx := metadata.NewIncomingContext(r.Context(), transcode.MetadataOf(r.Header))
	out, err := s.interceptor(ctx, request, &grpc.UnaryServerInfo{FullMethod: fullMethod},
		func(ctx context.Context, request any) (any, error) { return call(ctx, request.(Request)) })
	response, _ := out.(Response)
	return response, err
}

func v1Project(p *pb.Project) *cloudresourcemanager.Project {
	number, err := strconv.ParseInt(strings.TrimPrefix(p.GetName(), "projects/"), 10, 64)
	if err != nil {
		number = 0 // the registry gives none but numbers
	}
	shown := &cloudresourcemanager.Project{
		CreateTime: p.GetCreateTime().AsTime().Format("2006-01-02T15:04:05.000000Z"), Labels: p.GetLabels(),
		LifecycleState: p.GetState().String(), Name: p.GetDisplayName(), ProjectId: p.GetProjectId(), ProjectNumber: number,
	}
	if kind, id, ok := strings.Cut(p.GetParent(), "/"); ok {
		shown.Parent = &cloudresourcemanager.ResourceId{Type: strings.TrimSuffix(kind, "s"), Id: id}
	}
	return shown
}

// writeV1Error leaves out the details, which version 1 does not have.
func writeV1Error(w http.ResponseWriter, err error) {
	if traffic.IsCut(err) {
		traffic.CutConnection()
	}
	s := status.Convert(err)
	if s.Code() == codes.PermissionDenied {
		err = status.Error(s.Code(), s.Message())
	}
	traffic.WriteRPCError(w, err)
}
