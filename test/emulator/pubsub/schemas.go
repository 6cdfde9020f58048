package pubsub

import (
	"context"
	"strings"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

// maxRevisions is how many revisions a schema can have, see
// https://cloud.google.com/pubsub/docs/schemas.
const maxRevisions = 20

// schemaService is google.pubsub.v1.SchemaService.
type schemaService struct {
	pb.UnimplementedSchemaServiceServer
	*Service
}

// CreateSchema creates a schema with its first revision.
func (ss schemaService) CreateSchema(_ context.Context, request *pb.CreateSchemaRequest) (*pb.Schema, error) {
	n, err := ss.resolve(request.GetParent()+"/schemas/"+request.GetSchemaId(), schemaKind)
	if err != nil {
		return nil, err
	}
	if err := validateSchema(request.GetSchema()); err != nil {
		return nil, err
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if _, taken := ss.state.schemas[n.String()]; taken {
		return nil, alreadyExists(n.String())
	}
	return ss.addRevision(n, request.GetSchema()), nil
}

// GetSchema returns the newest revision of a schema, or the one that the name
// asks for (NAME@REVISION).
func (ss schemaService) GetSchema(_ context.Context, request *pb.GetSchemaRequest) (*pb.Schema, error) {
	n, revision, err := ss.resolveRevision(request.GetName())
	if err != nil {
		return nil, err
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	schema, err := ss.revision(n, revision)
	if err != nil {
		return nil, err
	}
	return viewed(schema, request.GetView(), pb.SchemaView_FULL), nil
}

// ListSchemas returns a page of a project's schemas, ordered by name.
func (ss schemaService) ListSchemas(_ context.Context, request *pb.ListSchemasRequest) (*pb.ListSchemasResponse, error) {
	project, err := ss.parent(request.GetParent())
	if err != nil {
		return nil, err
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	names, next, err := page(under(ss.state.schemas, project.ID, schemaKind), request.GetPageSize(), request.GetPageToken())
	if err != nil {
		return nil, err
	}
	response := &pb.ListSchemasResponse{NextPageToken: next}
	for _, name := range names {
		newest := ss.state.schemas[name][len(ss.state.schemas[name])-1]
		response.Schemas = append(response.Schemas, viewed(newest, request.GetView(), pb.SchemaView_BASIC))
	}
	return response, nil
}

// DeleteSchema deletes a schema with all revisions. Topics that use it say so.
func (ss schemaService) DeleteSchema(_ context.Context, request *pb.DeleteSchemaRequest) (*emptypb.Empty, error) {
	n, err := ss.resolve(request.GetName(), schemaKind)
	if err != nil {
		return nil, err
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if _, err := ss.revision(n, ""); err != nil {
		return nil, err
	}
	ss.removeSchema(n)
	return &emptypb.Empty{}, nil
}

// ValidateSchema checks a definition.
func (ss schemaService) ValidateSchema(_ context.Context, request *pb.ValidateSchemaRequest) (*pb.ValidateSchemaResponse, error) {
	if _, err := ss.parent(request.GetParent()); err != nil {
		return nil, err
	}
	if err := validateSchema(request.GetSchema()); err != nil {
		return nil, err
	}
	return &pb.ValidateSchemaResponse{}, nil
}

// resolveRevision reads NAME or NAME@REVISION.
func (s *Service) resolveRevision(full string) (n name, revision string, err error) {
	base, revision, _ := strings.Cut(full, "@")
	n, err = s.resolve(base, schemaKind)
	return n, revision, err
}

// revision finds a revision of a schema, the newest one if it is empty; the
// caller holds s.mu and does not change it.
func (s *Service) revision(n name, revision string) (*pb.Schema, error) {
	revisions := s.state.schemas[n.String()]
	if len(revisions) == 0 {
		return nil, notFound(n.String())
	}
	if revision == "" {
		return revisions[len(revisions)-1], nil
	}
	for _, candidate := range revisions {
		if candidate.GetRevisionId() == revision {
			return candidate, nil
		}
	}
	return nil, notFound(n.String() + "@" + revision)
}

// removeSchema deletes a schema; the caller holds s.mu.
func (s *Service) removeSchema(n name) {
	for _, topic := range s.state.topics {
		if settings := topic.GetSchemaSettings(); settings.GetSchema() == n.String() {
			settings.Schema = deletedSchema
		}
	}
	delete(s.state.schemas, n.String())
	s.policies.Drop(n.String())
}

// viewed returns a copy of a schema with as much as a view shows.
func viewed(schema *pb.Schema, view, otherwise pb.SchemaView) *pb.Schema {
	if view == pb.SchemaView_SCHEMA_VIEW_UNSPECIFIED {
		view = otherwise
	}
	seen := proto.CloneOf(schema)
	if view == pb.SchemaView_BASIC {
		seen.Definition = ""
		seen.Configuration = nil
	}
	return seen
}
