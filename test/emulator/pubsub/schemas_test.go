package pubsub_test

import (
	"context"
	"strings"
	"testing"

	apiv1 "cloud.google.com/go/pubsub/v2/apiv1"
	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
)

const (
	schemaName = project + "/schemas/my-schema"
	first      = `syntax = "proto3"; message M { string a = 1; }`
	second     = `syntax = "proto3"; message M { string a = 1; string b = 2; }`
)

func createSchema(ctx context.Context, t *testing.T, schemas *apiv1.SchemaClient) *pb.Schema {
	t.Helper()
	schema, err := schemas.CreateSchema(ctx, &pb.CreateSchemaRequest{
		Parent: project, SchemaId: "my-schema",
		Schema: &pb.Schema{Name: "ignored", Type: pb.Schema_PROTOCOL_BUFFER, Definition: first},
	})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestSchemaLifecycle(t *testing.T) {
	grpctest.EachTransport(t, start, apiv1.NewSchemaClient, apiv1.NewSchemaRESTClient, func(t *testing.T, _ *cloud, schemas *apiv1.SchemaClient) {
		t.Helper()
		ctx := t.Context()
		_, err := schemas.GetSchema(ctx, &pb.GetSchemaRequest{Name: schemaName})
		grpctest.WantRefusal(t, err, codes.NotFound, "Resource not found (resource="+schemaName+").")

		created := createSchema(ctx, t, schemas)
		want := &pb.Schema{
			Name: schemaName, Type: pb.Schema_PROTOCOL_BUFFER, Definition: first,
			RevisionId: created.GetRevisionId(), RevisionCreateTime: timestamppb.New(epoch),
		}
		if diff := cmp.Diff(want, created, protocmp.Transform()); diff != "" {
			t.Errorf("created schema (-want +got):\n%s", diff)
		}
		if len(created.GetRevisionId()) != 8 {
			t.Errorf("revision ID %q, want eight digits", created.GetRevisionId())
		}

		committed, err := schemas.CommitSchema(ctx, &pb.CommitSchemaRequest{
			Name: schemaName, Schema: &pb.Schema{Name: schemaName, Type: pb.Schema_PROTOCOL_BUFFER, Definition: second},
		})
		if err != nil {
			t.Fatal(err)
		}
		back, err := schemas.RollbackSchema(ctx, &pb.RollbackSchemaRequest{Name: schemaName, RevisionId: created.GetRevisionId()})
		if err != nil {
			t.Fatal(err)
		}
		if back.GetDefinition() != first || back.GetRevisionId() == created.GetRevisionId() {
			t.Errorf("rolled back to %v, want a new revision with the first definition", back)
		}
		wantRevisions(ctx, t, schemas, back.GetRevisionId(), committed.GetRevisionId(), created.GetRevisionId())

		if _, err := schemas.DeleteSchemaRevision(ctx, &pb.DeleteSchemaRevisionRequest{Name: schemaName + "@" + created.GetRevisionId()}); err != nil {
			t.Fatal(err)
		}
		wantRevisions(ctx, t, schemas, back.GetRevisionId(), committed.GetRevisionId())
		old, err := schemas.GetSchema(ctx, &pb.GetSchemaRequest{Name: schemaName + "@" + committed.GetRevisionId(), View: pb.SchemaView_BASIC})
		if err != nil {
			t.Fatal(err)
		}
		if old.GetRevisionId() != committed.GetRevisionId() || old.GetDefinition() != "" {
			t.Errorf("got %v, want the committed revision without its definition", old)
		}

		if err := schemas.DeleteSchema(ctx, &pb.DeleteSchemaRequest{Name: schemaName}); err != nil {
			t.Fatal(err)
		}
		err = schemas.DeleteSchema(ctx, &pb.DeleteSchemaRequest{Name: schemaName})
		grpctest.WantRefusal(t, err, codes.NotFound, "Resource not found (resource="+schemaName+").")
	})
}

// wantRevisions checks the revisions of a schema, the newest first, in pages
// of one.
func wantRevisions(ctx context.Context, t *testing.T, schemas *apiv1.SchemaClient, want ...string) {
	t.Helper()
	var got []string
	list := schemas.ListSchemaRevisions(ctx, &pb.ListSchemaRevisionsRequest{Name: schemaName, PageSize: 1})
	for range want {
		revision, err := list.Next()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, revision.GetRevisionId())
	}
	if more, err := list.Next(); err == nil {
		got = append(got, more.GetRevisionId())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("revisions (-want +got):\n%s", diff)
	}
}

func TestSchemasThatAreRefused(t *testing.T) {
	cases := map[string]struct {
		schema  *pb.Schema
		message string
	}{
		"no type":           {&pb.Schema{Definition: first}, invalidArgument("Schema::type")},
		"no definition":     {&pb.Schema{Type: pb.Schema_AVRO}, invalidArgument("Schema::definition")},
		"Avro that is not":  {&pb.Schema{Type: pb.Schema_AVRO, Definition: first}, invalidArgument("Schema::definition")},
		"unbalanced braces": {&pb.Schema{Type: pb.Schema_PROTOCOL_BUFFER, Definition: "message M {"}, invalidArgument("Schema::definition")},
		"too long": {
			&pb.Schema{Type: pb.Schema_PROTOCOL_BUFFER, Definition: first + strings.Repeat(" ", 300<<10)}, invalidArgument("Schema::definition"),
		},
	}
	c := start(t)
	schemas := c.schemas(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := schemas.CreateSchema(t.Context(), &pb.CreateSchemaRequest{Parent: project, SchemaId: "my-schema", Schema: tc.schema})
			grpctest.WantRefusal(t, err, codes.InvalidArgument, tc.message)
		})
	}
	_, err := schemas.CreateSchema(t.Context(), &pb.CreateSchemaRequest{Parent: project, Schema: &pb.Schema{Type: pb.Schema_AVRO}})
	grpctest.WantRefusal(t, err, codes.InvalidArgument, invalidName(project+"/schemas/"))

	created := createSchema(t.Context(), t, schemas)
	_, err = schemas.CreateSchema(t.Context(), &pb.CreateSchemaRequest{Parent: project, SchemaId: "my-schema", Schema: created})
	grpctest.WantRefusal(t, err, codes.AlreadyExists, "Resource already exists in the project (resource="+schemaName+").")
	_, err = schemas.DeleteSchemaRevision(t.Context(), &pb.DeleteSchemaRevisionRequest{Name: schemaName + "@" + created.GetRevisionId()})
	grpctest.WantRefusal(t, err, codes.FailedPrecondition, "Cannot delete the only revision of the schema (resource="+schemaName+"@"+created.GetRevisionId()+").")
}

func TestSchemaOfATopic(t *testing.T) {
	c := start(t)
	ctx, topics, schemas := t.Context(), c.topics(t), c.schemas(t)
	created := createSchema(ctx, t, schemas)
	committed, err := schemas.CommitSchema(ctx, &pb.CommitSchemaRequest{
		Name: schemaName, Schema: &pb.Schema{Type: pb.Schema_PROTOCOL_BUFFER, Definition: second},
	})
	if err != nil {
		t.Fatal(err)
	}
	settings := &pb.SchemaSettings{Schema: schemaName, Encoding: pb.Encoding_JSON}
	if _, err := topics.CreateTopic(ctx, &pb.Topic{Name: topicName, SchemaSettings: settings}); err != nil {
		t.Fatal(err)
	}
	narrow := func(first, last string) error {
		_, err := topics.UpdateTopic(ctx, &pb.UpdateTopicRequest{
			Topic:      &pb.Topic{Name: topicName, SchemaSettings: &pb.SchemaSettings{FirstRevisionId: first, LastRevisionId: last}},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"schema_settings.first_revision_id", "schema_settings.last_revision_id"}},
		})
		return err
	}
	grpctest.WantRefusal(t, narrow("deadbeef", ""), codes.NotFound, "Resource not found (resource="+schemaName+"@deadbeef).")
	grpctest.WantRefusal(t, narrow(committed.GetRevisionId(), created.GetRevisionId()), codes.InvalidArgument, invalidArgument("SchemaSettings::first_revision_id"))
	if err := narrow(created.GetRevisionId(), committed.GetRevisionId()); err != nil {
		t.Fatal(err)
	}
	if err := schemas.DeleteSchema(ctx, &pb.DeleteSchemaRequest{Name: schemaName}); err != nil {
		t.Fatal(err)
	}
	// The rest of the topic can still be changed.
	got, err := topics.UpdateTopic(ctx, &pb.UpdateTopicRequest{
		Topic:      &pb.Topic{Name: topicName, Labels: map[string]string{"a": "b"}},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"labels"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := &pb.Topic{Name: topicName, Labels: map[string]string{"a": "b"}, SchemaSettings: &pb.SchemaSettings{
		Schema: "_deleted-schema_", Encoding: pb.Encoding_JSON,
		FirstRevisionId: created.GetRevisionId(), LastRevisionId: committed.GetRevisionId(),
	}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("topic whose schema was deleted (-want +got):\n%s", diff)
	}
}
