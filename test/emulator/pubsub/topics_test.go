package pubsub_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	apiv1 "cloud.google.com/go/pubsub/v2/apiv1"
	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
)

const topicName = project + "/topics/my-topic"

func TestTopicLifecycle(t *testing.T) {
	eachTransport(t, func(t *testing.T, c *cloud, topics *apiv1.TopicAdminClient) {
		t.Helper()
		ctx := t.Context()
		_, err := topics.GetTopic(ctx, &pb.GetTopicRequest{Topic: topicName})
		grpctest.WantRefusal(t, err, codes.NotFound, "Resource not found (resource=my-topic).")

		asked := &pb.Topic{
			Name:                     topicName,
			Labels:                   map[string]string{"env": "test"},
			KmsKeyName:               "projects/keys/locations/us/keyRings/ring/cryptoKeys/key",
			MessageRetentionDuration: durationpb.New(time.Hour),
			MessageStoragePolicy:     &pb.MessageStoragePolicy{AllowedPersistenceRegions: []string{"us-central1"}, EnforceInTransit: true},
		}
		created, err := topics.CreateTopic(ctx, proto.CloneOf(asked))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(asked, created, protocmp.Transform()); diff != "" {
			t.Errorf("created topic (-asked +got):\n%s", diff)
		}
		_, err = topics.CreateTopic(ctx, asked)
		grpctest.WantRefusal(t, err, codes.AlreadyExists, "Resource already exists in the project (resource=my-topic).")

		updated, err := topics.UpdateTopic(ctx, &pb.UpdateTopicRequest{
			Topic:      &pb.Topic{Name: topicName, Labels: map[string]string{"team": "a"}},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"labels", "message_retention_duration", "message_storage_policy"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := &pb.Topic{Name: topicName, Labels: map[string]string{"team": "a"}, KmsKeyName: asked.GetKmsKeyName()}
		if diff := cmp.Diff(want, updated, protocmp.Transform()); diff != "" {
			t.Errorf("updated topic (-want +got):\n%s", diff)
		}
		got, err := topics.GetTopic(ctx, &pb.GetTopicRequest{Topic: topicName})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("topic read again (-want +got):\n%s", diff)
		}

		if err := topics.DeleteTopic(ctx, &pb.DeleteTopicRequest{Topic: topicName}); err != nil {
			t.Fatal(err)
		}
		err = topics.DeleteTopic(ctx, &pb.DeleteTopicRequest{Topic: topicName})
		grpctest.WantRefusal(t, err, codes.NotFound, "Resource not found (resource=my-topic).")

		wantCounts := map[string]int{
			"pubsub Publisher.GetTopic": 2, "pubsub Publisher.CreateTopic": 2,
			"pubsub Publisher.UpdateTopic": 1, "pubsub Publisher.DeleteTopic": 2,
		}
		if diff := cmp.Diff(wantCounts, c.control.Counts()); diff != "" {
			t.Errorf("counted calls (-want +got):\n%s", diff)
		}
	})
}

func TestListTopicsPagesThroughOneProject(t *testing.T) {
	eachTransport(t, func(t *testing.T, _ *cloud, topics *apiv1.TopicAdminClient) {
		t.Helper()
		ctx := t.Context()
		var want []string
		for i := range 5 {
			want = append(want, fmt.Sprintf("%s/topics/topic-%d", project, i))
		}
		for _, name := range append([]string{"projects/other/topics/theirs"}, want...) {
			if _, err := topics.CreateTopic(ctx, &pb.Topic{Name: name}); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		list := topics.ListTopics(ctx, &pb.ListTopicsRequest{Project: project, PageSize: 2})
		for {
			topic, err := list.Next()
			if errors.Is(err, iterator.Done) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, topic.GetName())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("listed topics (-want +got):\n%s", diff)
		}
		_, err := topics.ListTopics(ctx, &pb.ListTopicsRequest{Project: project, PageSize: -1}).Next()
		grpctest.WantRefusal(t, err, codes.InvalidArgument,
			"The value for page_size is out of bounds. You passed -1 in the request, but the value must be between 0 and 1000.")
		_, err = topics.ListTopics(ctx, &pb.ListTopicsRequest{Project: project, PageToken: "!"}).Next()
		grpctest.WantRefusal(t, err, codes.InvalidArgument, "Invalid page token given (token=!).")
	})
}

func TestTheServiceSetsWhatRequestsCannot(t *testing.T) {
	eachTransport(t, func(t *testing.T, _ *cloud, topics *apiv1.TopicAdminClient) {
		t.Helper()
		source := &pb.IngestionDataSourceSettings_CloudStorage{
			Bucket:                  "my-bucket",
			InputFormat:             &pb.IngestionDataSourceSettings_CloudStorage_AvroFormat_{AvroFormat: &pb.IngestionDataSourceSettings_CloudStorage_AvroFormat{}},
			MinimumObjectCreateTime: timestamppb.New(epoch),
			MatchGlob:               "**.avro",
		}
		settings := &pb.IngestionDataSourceSettings{
			Source:               &pb.IngestionDataSourceSettings_CloudStorage_{CloudStorage: source},
			PlatformLogsSettings: &pb.PlatformLogsSettings{Severity: pb.PlatformLogsSettings_WARNING},
		}
		want := &pb.Topic{Name: topicName, IngestionDataSourceSettings: proto.CloneOf(settings), State: pb.Topic_ACTIVE}
		want.GetIngestionDataSourceSettings().GetCloudStorage().State = pb.IngestionDataSourceSettings_CloudStorage_ACTIVE

		source.State = pb.IngestionDataSourceSettings_CloudStorage_BUCKET_NOT_FOUND
		got, err := topics.CreateTopic(t.Context(), &pb.Topic{
			Name: topicName, IngestionDataSourceSettings: settings, State: pb.Topic_INGESTION_RESOURCE_ERROR,
			SatisfiesPzs: true, Tags: map[string]string{"123/env": "test"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("created topic (-want +got):\n%s", diff)
		}
		got, err = topics.UpdateTopic(t.Context(), &pb.UpdateTopicRequest{
			Topic:      &pb.Topic{Name: topicName},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"ingestion_data_source_settings"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&pb.Topic{Name: topicName}, got, protocmp.Transform()); diff != "" {
			t.Errorf("topic without ingestion (-want +got):\n%s", diff)
		}
	})
}

func TestProjectsAreKnownByNumberToo(t *testing.T) {
	c := start(t)
	topics := c.topics(t)
	if _, err := topics.CreateTopic(t.Context(), &pb.Topic{Name: topicName}); err != nil {
		t.Fatal(err)
	}
	number := c.registry.NumberText("my-project")
	got, err := topics.GetTopic(t.Context(), &pb.GetTopicRequest{Topic: "projects/" + number + "/topics/my-topic"})
	if err != nil {
		t.Fatal(err)
	}
	if got.GetName() != topicName {
		t.Errorf("got topic %q, want %q", got.GetName(), topicName)
	}
}

func TestOrganizationPolicyDecidesAboutRegions(t *testing.T) {
	c := start(t)
	topics := c.topics(t)
	c.service.RestrictRegions("my-project", "europe-west1", "europe-west4")
	created, err := topics.CreateTopic(t.Context(), &pb.Topic{Name: topicName})
	if err != nil {
		t.Fatal(err)
	}
	byPolicy := []string{"europe-west1", "europe-west4"}
	if diff := cmp.Diff(byPolicy, created.GetMessageStoragePolicy().GetAllowedPersistenceRegions()); diff != "" {
		t.Errorf("regions of a topic that asked for none (-want +got):\n%s", diff)
	}
	set := func(policy *pb.MessageStoragePolicy) (*pb.Topic, error) {
		return topics.UpdateTopic(t.Context(), &pb.UpdateTopicRequest{
			Topic:      &pb.Topic{Name: topicName, MessageStoragePolicy: policy},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"message_storage_policy"}},
		})
	}
	if _, err := set(&pb.MessageStoragePolicy{AllowedPersistenceRegions: byPolicy[:1]}); err != nil {
		t.Fatal(err)
	}
	_, err = set(&pb.MessageStoragePolicy{AllowedPersistenceRegions: []string{"us-east1", "europe-west1"}})
	grpctest.WantRefusal(t, err, codes.FailedPrecondition,
		"The requested message storage policy contains the following GCP regions that are not allowed by the project's organization policy: us-east1. "+
			"The organization policy may be updated by your project or organization administrator. "+
			"See https://console.cloud.google.com/iam-admin/orgpolicies/gcp-resourceLocations?project="+c.registry.NumberText("my-project")+".")
	cleared, err := set(nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(byPolicy, cleared.GetMessageStoragePolicy().GetAllowedPersistenceRegions()); diff != "" {
		t.Errorf("regions after the policy was cleared (-want +got):\n%s", diff)
	}
}
