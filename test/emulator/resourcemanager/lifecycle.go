package resourcemanager

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	pb "cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/holdfast-dev/holdfast/test/emulator/projects"
)

// CreateProject makes a project. The operation is done as soon as it is asked
// for again.
func (s *Service) CreateProject(_ context.Context, request *pb.CreateProjectRequest) (*longrunningpb.Operation, error) {
	sent := request.GetProject()
	if _, known := s.projects.Known(sent.GetProjectId()); known {
		return nil, status.Error(codes.AlreadyExists, "Requested entity already exists")
	}
	err := s.projects.Add(projects.Project{
		ID: sent.GetProjectId(), Name: sent.GetDisplayName(), Parent: sent.GetParent(), Labels: sent.GetLabels(),
		Created: s.now(),
	})
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	project, _ := s.projects.Known(sent.GetProjectId())
	made := s.describe(project)
	made.UpdateTime = nil // not in the operation's result, as recorded
	return s.operations.begin(&pb.CreateProjectMetadata{}, made)
}

// DeleteProject asks for the deletion of a project. Nothing deletes it then.
func (s *Service) DeleteProject(_ context.Context, request *pb.DeleteProjectRequest) (*longrunningpb.Operation, error) {
	return s.setDeleted(request.GetName(), "resourcemanager.projects.delete", true, &pb.DeleteProjectMetadata{})
}

// UndeleteProject takes back what DeleteProject asked for.
func (s *Service) UndeleteProject(_ context.Context, request *pb.UndeleteProjectRequest) (*longrunningpb.Operation, error) {
	return s.setDeleted(request.GetName(), "resourcemanager.projects.undelete", false, &pb.UndeleteProjectMetadata{})
}

func (s *Service) setDeleted(name, permission string, deleted bool, metadata proto.Message) (*longrunningpb.Operation, error) {
	project, err := s.accessible(name, permission)
	if err != nil {
		return nil, err
	}
	if project.Deleted == deleted {
		return nil, status.Error(codes.FailedPrecondition, "Precondition check failed.")
	}
	project.Deleted = deleted
	if err := s.projects.Edit(project.ID, func(p *projects.Project) { p.Deleted = deleted }); err != nil {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	return s.operations.begin(metadata, s.describe(project))
}

// operations are google.longrunning.Operations: those that were begun.
type operations struct {
	longrunningpb.UnimplementedOperationsServer

	mu   sync.Mutex
	done map[string]*longrunningpb.Operation
}

// begin returns an operation that is done with a result when it is looked at
// again.
func (o *operations) begin(metadata, result proto.Message) (*longrunningpb.Operation, error) {
	packed, err := anypb.New(result)
	if err != nil {
		return nil, fmt.Errorf("packing the result of an operation: %w", err)
	}
	about, err := anypb.New(metadata)
	if err != nil {
		return nil, fmt.Errorf("packing the metadata of an operation: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	name := fmt.Sprintf("operations/%s.%d", operationKind(metadata), len(o.done)+1)
	o.done[name] = &longrunningpb.Operation{
		Name: name, Metadata: about, Done: true, Result: &longrunningpb.Operation_Response{Response: packed},
	}
	return &longrunningpb.Operation{Name: name}, nil
}

// operationKind is what the name of an operation begins with: "cp" for
// CreateProjectMetadata.
func operationKind(metadata proto.Message) string {
	name := string(proto.MessageName(metadata).Name())
	return strings.ToLower(name[:1]) + "p"
}

// GetOperation returns an operation.
func (o *operations) GetOperation(
	_ context.Context, request *longrunningpb.GetOperationRequest,
) (*longrunningpb.Operation, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	found, ok := o.done[request.GetName()]
	if !ok {
		return nil, status.Error(codes.NotFound, "Requested entity was not found.")
	}
	return proto.CloneOf(found), nil
}
