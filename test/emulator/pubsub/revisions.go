package pubsub

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// CommitSchema adds a revision to a schema. Google also compares it with the
// revisions that exist; here only the type must be the same.
func (ss schemaService) CommitSchema(_ context.Context, request *pb.CommitSchemaRequest) (*pb.Schema, error) {
	n, err := ss.resolve(request.GetName(), schemaKind)
	if err != nil {
		return nil, err
	}
	if err := validateSchema(request.GetSchema()); err != nil {
		return nil, err
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	newest, err := ss.revision(n, "")
	if err != nil {
		return nil, err
	}
	if newest.GetType() != request.GetSchema().GetType() {
		return nil, invalidArgument("Schema::type")
	}
	return ss.appendRevision(n, request.GetSchema())
}

// RollbackSchema adds a revision that is a copy of an earlier one.
func (ss schemaService) RollbackSchema(_ context.Context, request *pb.RollbackSchemaRequest) (*pb.Schema, error) {
	n, err := ss.resolve(request.GetName(), schemaKind)
	if err != nil {
		return nil, err
	}
	if request.GetRevisionId() == "" {
		return nil, invalidArgument("revision_id")
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	earlier, err := ss.revision(n, request.GetRevisionId())
	if err != nil {
		return nil, err
	}
	return ss.appendRevision(n, earlier)
}

// ListSchemaRevisions returns a page of a schema's revisions, the newest
// first.
func (ss schemaService) ListSchemaRevisions(
	_ context.Context, request *pb.ListSchemaRevisionsRequest,
) (*pb.ListSchemaRevisionsResponse, error) {
	n, err := ss.resolve(request.GetName(), schemaKind)
	if err != nil {
		return nil, err
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if _, err := ss.revision(n, ""); err != nil {
		return nil, err
	}
	places := map[string]*pb.Schema{} // by a text that sorts the newest first
	for i, revision := range ss.state.schemas[n.String()] {
		places[fmt.Sprintf("%02d", maxRevisions-i)] = revision
	}
	part, next, err := page(slices.Sorted(maps.Keys(places)), request.GetPageSize(), request.GetPageToken())
	if err != nil {
		return nil, err
	}
	response := &pb.ListSchemaRevisionsResponse{NextPageToken: next}
	for _, place := range part {
		response.Schemas = append(response.Schemas, viewed(places[place], request.GetView(), pb.SchemaView_BASIC))
	}
	return response, nil
}

// DeleteSchemaRevision deletes one revision, which must not be the only one.
func (ss schemaService) DeleteSchemaRevision(_ context.Context, request *pb.DeleteSchemaRevisionRequest) (*pb.Schema, error) {
	n, revision, err := ss.resolveRevision(request.GetName())
	if err != nil {
		return nil, err
	}
	if revision == "" {
		return nil, invalidName(request.GetName())
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	schema, err := ss.revision(n, revision)
	if err != nil {
		return nil, err
	}
	if len(ss.state.schemas[n.String()]) == 1 {
		return nil, failedPrecondition("Cannot delete the only revision of the schema (resource=%s).", request.GetName())
	}
	ss.state.schemas[n.String()] = slices.DeleteFunc(ss.state.schemas[n.String()],
		func(other *pb.Schema) bool { return other.GetRevisionId() == revision })
	return proto.CloneOf(schema), nil
}

// appendRevision adds a revision unless there are too many; the caller holds
// s.mu.
func (s *Service) appendRevision(n name, schema *pb.Schema) (*pb.Schema, error) {
	if len(s.state.schemas[n.String()]) >= maxRevisions {
		return nil, failedPrecondition("A schema can have at most %d revisions (resource=%s).", maxRevisions, n)
	}
	return s.addRevision(n, schema), nil
}

// addRevision adds a revision with the type and definition of a schema and
// returns a copy of it; the caller holds s.mu.
func (s *Service) addRevision(n name, schema *pb.Schema) *pb.Schema {
	revision := proto.CloneOf(schema)
	revision.Name = n.String()
	revision.RevisionId = newRevisionID()
	revision.RevisionCreateTime = timestamppb.New(s.now().Truncate(time.Microsecond))
	s.state.schemas[n.String()] = append(s.state.schemas[n.String()], revision)
	return proto.CloneOf(revision)
}

// newRevisionID returns eight hexadecimal digits, as Google's are.
func newRevisionID() string {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// mayAttach refuses a topic with a schema that the caller may not attach to
// one; a name that is none is left to checkSchema. The caller does not hold
// s.mu.
func (s *Service) mayAttach(ctx context.Context, settings *pb.SchemaSettings) error {
	n, err := s.resolve(settings.GetSchema(), schemaKind)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	on := traffic.Call{Service: s.Name(), Project: n.project, Resource: n.id}
	if !traffic.PrincipalOf(ctx).HasOn(on, "pubsub.schemas.attach") {
		return notAuthorized()
	}
	return nil
}

// checkSchema checks that the schema of a topic exists and that its revisions
// do, the first not after the last; the caller holds s.mu. A topic whose
// schema was deleted may be updated all the same; current is what it has.
func (s *Service) checkSchema(settings, current *pb.SchemaSettings, topic name) error {
	deleted := settings.GetSchema() == deletedSchema && current.GetSchema() == deletedSchema
	if settings == nil || deleted {
		return nil
	}
	n, err := s.resolve(settings.GetSchema(), schemaKind)
	if err != nil {
		return err
	}
	settings.Schema = n.String()
	if settings.GetEncoding() == pb.Encoding_ENCODING_UNSPECIFIED {
		return noEncoding(topic)
	}
	first, err := s.revision(n, settings.GetFirstRevisionId())
	if err != nil {
		return err
	}
	last, err := s.revision(n, settings.GetLastRevisionId())
	if err != nil {
		return err
	}
	revisions := s.state.schemas[n.String()]
	if settings.GetFirstRevisionId() != "" && slices.Index(revisions, first) > slices.Index(revisions, last) {
		return invalidArgument("SchemaSettings::first_revision_id")
	}
	return nil
}
