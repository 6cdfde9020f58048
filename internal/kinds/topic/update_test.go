package topic

import (
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

// liveTopic is the full topic, held by us, with labels of Google's and of somebody else.
func liveTopic() *pubsubpb.Topic {
	live := fullTopic()
	live.Name = fullName(ref)
	live.Labels = ref.Labels(v1alpha1.Labels{"team": "shop", "env": "prod"}, map[string]string{"goog-x": "y"})
	return live
}

// TestUpdate starts from a manifest that was applied in full, edits it, and checks the request: the mask, and the topic
// in it, which is the live one but for what the edit changes.
func TestUpdate(t *testing.T) {
	for name, tc := range map[string]struct {
		edit func(*v1alpha1.TopicSpec)
		mask string
		want func(*pubsubpb.Topic)
	}{
		"a label": {
			edit: func(s *v1alpha1.TopicSpec) { s.Labels["team"] = "ops" },
			mask: "labels",
			want: func(t *pubsubpb.Topic) { t.Labels["team"] = "ops" },
		},
		"a label is reset": {
			edit: func(s *v1alpha1.TopicSpec) { s.Labels = nil },
			mask: "labels",
			want: func(t *pubsubpb.Topic) { delete(t.GetLabels(), "team") },
		},
		"the key": {
			edit: func(s *v1alpha1.TopicSpec) { s.KMSKeyName = keyB },
			mask: "kms_key_name",
			want: func(t *pubsubpb.Topic) { t.KmsKeyName = keyB },
		},
		"the key is reset": {
			edit: func(s *v1alpha1.TopicSpec) { s.KMSKeyName = "" },
			mask: "kms_key_name",
			want: func(t *pubsubpb.Topic) { t.KmsKeyName = "" },
		},
		"a region": {
			edit: func(s *v1alpha1.TopicSpec) { s.MessageStoragePolicy.AllowedPersistenceRegions = []string{"us-east1"} },
			mask: "message_storage_policy",
			want: func(t *pubsubpb.Topic) { t.MessageStoragePolicy.AllowedPersistenceRegions = []string{"us-east1"} },
		},
		"enforcement is reset": {
			edit: func(s *v1alpha1.TopicSpec) { s.MessageStoragePolicy.EnforceInTransit = nil },
			mask: "message_storage_policy",
			want: func(t *pubsubpb.Topic) { t.MessageStoragePolicy.EnforceInTransit = false },
		},
		"the storage policy is reset": {
			edit: func(s *v1alpha1.TopicSpec) { s.MessageStoragePolicy = nil },
			mask: "message_storage_policy",
			want: func(t *pubsubpb.Topic) { t.MessageStoragePolicy = nil },
		},
		"retention": {
			edit: func(s *v1alpha1.TopicSpec) { s.MessageRetentionSeconds = new(int64(600)) },
			mask: "message_retention_duration",
			want: func(t *pubsubpb.Topic) { t.MessageRetentionDuration = durationpb.New(10 * time.Minute) },
		},
		"retention is reset": {
			edit: func(s *v1alpha1.TopicSpec) { s.MessageRetentionSeconds = nil },
			mask: "message_retention_duration",
			want: func(t *pubsubpb.Topic) { t.MessageRetentionDuration = nil },
		},
		"the encoding": {
			edit: func(s *v1alpha1.TopicSpec) { s.SchemaSettings.Encoding = "BINARY" },
			mask: "schema_settings",
			want: func(t *pubsubpb.Topic) { t.SchemaSettings.Encoding = pubsubpb.Encoding_BINARY },
		},
		"a revision is reset": {
			edit: func(s *v1alpha1.TopicSpec) { s.SchemaSettings.LastRevisionID = "" },
			mask: "schema_settings",
			want: func(t *pubsubpb.Topic) { t.SchemaSettings.LastRevisionId = "" },
		},
		"the schema and its revisions": {
			edit: func(s *v1alpha1.TopicSpec) {
				s.SchemaSettings = &v1alpha1.TopicSchemaSettings{Schema: schemaB, Encoding: "JSON", FirstRevisionID: "0000000c"}
			},
			mask: "schema_settings",
			want: func(t *pubsubpb.Topic) {
				t.SchemaSettings = &pubsubpb.SchemaSettings{
					Schema: schemaB, Encoding: pubsubpb.Encoding_JSON, FirstRevisionId: "0000000c",
				}
			},
		},
		"the schema is reset": {
			edit: func(s *v1alpha1.TopicSpec) { s.SchemaSettings = nil },
			mask: "schema_settings",
			want: func(t *pubsubpb.Topic) { t.SchemaSettings = nil },
		},
		"the schema is cleared": {
			edit: func(s *v1alpha1.TopicSpec) { s.SchemaSettings = &v1alpha1.TopicSchemaSettings{} },
			mask: "schema_settings",
			want: func(t *pubsubpb.Topic) { t.SchemaSettings = nil },
		},
		"the source": {
			edit: func(s *v1alpha1.TopicSpec) {
				s.Ingestion.Source = &v1alpha1.TopicIngestionSource{CloudStorage: &v1alpha1.TopicCloudStorageSource{
					Bucket: "imports", AvroFormat: &v1alpha1.TopicAvroFormat{},
				}}
			},
			mask: "ingestion_data_source_settings",
			want: func(t *pubsubpb.Topic) {
				t.IngestionDataSourceSettings.Source = &pubsubpb.IngestionDataSourceSettings_CloudStorage_{
					CloudStorage: &pubsubpb.IngestionDataSourceSettings_CloudStorage{
						Bucket: "imports",
						InputFormat: &pubsubpb.IngestionDataSourceSettings_CloudStorage_AvroFormat_{
							AvroFormat: &pubsubpb.IngestionDataSourceSettings_CloudStorage_AvroFormat{},
						},
					},
				}
			},
		},
		"the logs": {
			edit: func(s *v1alpha1.TopicSpec) { s.Ingestion.PlatformLogs.Severity = "ERROR" },
			mask: "ingestion_data_source_settings",
			want: func(t *pubsubpb.Topic) {
				t.IngestionDataSourceSettings.PlatformLogsSettings.Severity = pubsubpb.PlatformLogsSettings_ERROR
			},
		},
		"the logs are reset": {
			edit: func(s *v1alpha1.TopicSpec) { s.Ingestion.PlatformLogs = nil },
			mask: "ingestion_data_source_settings",
			want: func(t *pubsubpb.Topic) {
				t.IngestionDataSourceSettings.PlatformLogsSettings.Severity = pubsubpb.PlatformLogsSettings_DISABLED
			},
		},
		"ingestion is reset": {
			edit: func(s *v1alpha1.TopicSpec) { s.Ingestion = nil },
			mask: "ingestion_data_source_settings",
			want: func(t *pubsubpb.Topic) { t.IngestionDataSourceSettings = nil },
		},
		"ingestion is cleared": {
			edit: func(s *v1alpha1.TopicSpec) { s.Ingestion = &v1alpha1.TopicIngestion{} },
			mask: "ingestion_data_source_settings",
			want: func(t *pubsubpb.Topic) { t.IngestionDataSourceSettings = nil },
		},
		"a transform": {
			edit: func(s *v1alpha1.TopicSpec) { s.MessageTransforms[0].Disabled = new(true) },
			mask: "message_transforms",
			want: func(t *pubsubpb.Topic) { t.MessageTransforms[0].Disabled = true },
		},
		"the transforms are reset": {
			edit: func(s *v1alpha1.TopicSpec) { s.MessageTransforms = nil },
			mask: "message_transforms",
			want: func(t *pubsubpb.Topic) { t.MessageTransforms = nil },
		},
		"the transforms are cleared": {
			edit: func(s *v1alpha1.TopicSpec) { s.MessageTransforms = []v1alpha1.TopicMessageTransform{} },
			mask: "message_transforms",
			want: func(t *pubsubpb.Topic) { t.MessageTransforms = nil },
		},
		"several at once": {
			edit: func(s *v1alpha1.TopicSpec) { s.Labels["team"] = "ops"; s.KMSKeyName = keyB; s.MessageTransforms = nil },
			mask: "labels,kms_key_name,message_transforms",
			want: func(t *pubsubpb.Topic) { t.Labels["team"] = "ops"; t.KmsKeyName = keyB; t.MessageTransforms = nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			spec, live := fullSpec(), liveTopic()
			managed := diff.Managed(&v1alpha1.Topic{Spec: spec}, fields)
			tc.edit(&spec)
			compared := diff.Compare(&v1alpha1.Topic{Spec: spec}, (&Kind{}).Describe(live), managed, fields)
			s := &server{topic: &pubsubpb.Topic{Name: "as it is after"}}
			got := update(t, s, compared, live)
			if got.GetName() != "as it is after" {
				t.Errorf("returned %v, want Google's answer", got)
			}
			want := proto.CloneOf(live)
			tc.want(want)
			mask, err := fieldmaskpb.New(want, strings.Split(tc.mask, ",")...)
			if err != nil {
				t.Fatal(err)
			}
			expectRequest(t, s, &pubsubpb.UpdateTopicRequest{Topic: want, UpdateMask: mask})
		})
	}
}

// A new schema has revisions of its own: those of the old one, which nobody asked for, are not sent along.
func TestUpdateForgetsRevisionsOfTheOldSchema(t *testing.T) {
	live := liveTopic()
	desired := &v1alpha1.Topic{Spec: v1alpha1.TopicSpec{SchemaSettings: &v1alpha1.TopicSchemaSettings{Schema: schemaB}}}
	compared := diff.Compare(desired, (&Kind{}).Describe(live), nil, fields)
	s := &server{}
	update(t, s, compared, live)
	want := &pubsubpb.SchemaSettings{Schema: schemaB, Encoding: pubsubpb.Encoding_JSON}
	got := s.requests[0].(*pubsubpb.UpdateTopicRequest).GetTopic().GetSchemaSettings()
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("schema settings: -want +got\n%s", diff)
	}
}

func TestUpdateOwnership(t *testing.T) {
	adopted := liveTopic()
	adopted.Labels = map[string]string{"team": "shop", "goog-x": "y"}
	for name, tc := range map[string]struct {
		live    *pubsubpb.Topic
		owned   bool
		changes diff.Changes
		mask    []string
		labels  map[string]string
	}{
		"the first real update takes ownership along": {
			live: adopted, owned: true, changes: diff.Changes{{Path: "spec.kmsKeyName"}},
			mask: []string{"labels", "kms_key_name"},
			labels: map[string]string{
				"team": "shop", "goog-x": "y",
				"holdfast-owner": "cluster-1", "holdfast-namespace": "shop", "holdfast-name": "orders",
			},
		},
		"orphaning takes it away": {
			live: liveTopic(),
			mask: []string{"labels"}, labels: map[string]string{"team": "shop", "env": "prod", "goog-x": "y"},
		},
		"orphaning what carries none is no call": {live: adopted},
	} {
		t.Run(name, func(t *testing.T) {
			ref := ref
			if !tc.owned {
				ref.Ownership = nil
			}
			s := &server{topic: tc.live}
			calls := s.start(t).Update(ref, (&Kind{}).Describe(tc.live), tc.changes)
			if _, err := calls[0].Do(t.Context(), tc.live); err != nil {
				t.Fatal(err)
			}
			if tc.mask == nil {
				if len(s.requests) > 0 {
					t.Errorf("sent %v", s.requests)
				}
				return
			}
			request := s.requests[0].(*pubsubpb.UpdateTopicRequest)
			if diff := cmp.Diff(tc.mask, request.GetUpdateMask().GetPaths()); diff != "" {
				t.Errorf("mask: -want +got\n%s", diff)
			}
			if diff := cmp.Diff(tc.labels, request.GetTopic().GetLabels()); diff != "" {
				t.Errorf("labels: -want +got\n%s", diff)
			}
		})
	}
}

// update makes the one call that the comparison leads to.
func update(t *testing.T, s *server, compared diff.Result[*v1alpha1.Topic], live *pubsubpb.Topic) *pubsubpb.Topic {
	t.Helper()
	calls := s.start(t).Update(ref, compared.Want, compared.Changes)
	if len(calls) != 1 || calls[0].Name != "updating the topic" {
		t.Fatalf("calls: %+v", calls)
	}
	updated, err := calls[0].Do(t.Context(), live)
	if err != nil {
		t.Fatal(err)
	}
	return updated
}
