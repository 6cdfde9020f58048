package topic

import (
	"context"
	"maps"

	pubsub "cloud.google.com/go/pubsub/v2/apiv1"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// maskPaths are the fields of a topic that an update can change, each with the part of the spec that it is built from.
// Labels are not among them, because they also change with the owner.
var maskPaths = []struct{ mask, spec string }{
	{"message_storage_policy", "spec.messageStoragePolicy"},
	{"kms_key_name", "spec.kmsKeyName"},
	{"schema_settings", "spec.schemaSettings"},
	{"message_retention_duration", "spec.messageRetentionSeconds"},
	{"ingestion_data_source_settings", "spec.ingestion"},
	{"message_transforms", "spec.messageTransforms"},
}

// Update returns the one UpdateTopic that carries out the changes. Its mask names only what changes, each field whole.
//
// Topics have no etag, so nothing keeps a change that somebody else makes to the same field between our reading and our
// writing; the next look would show it gone. All labels are one field.
func (k *Kind) Update(ref kind.Ref, want *v1alpha1.Topic, changes diff.Changes) []kind.Call[*pubsubpb.Topic] {
	return []kind.Call[*pubsubpb.Topic]{{
		Name: "updating the topic",
		Do: func(ctx context.Context, live *pubsubpb.Topic) (*pubsubpb.Topic, error) {
			return call(ctx, k, "updating", ref, func(client *pubsub.TopicAdminClient) (*pubsubpb.Topic, error) {
				request, err := updateRequest(ref, want, changes, live)
				if err != nil {
					return nil, err
				}
				if len(request.GetUpdateMask().GetPaths()) == 0 {
					return live, nil // Google refuses an empty mask
				}
				return client.UpdateTopic(ctx, request, once)
			})
		},
	}}
}

func updateRequest(ref kind.Ref, want *v1alpha1.Topic, changes diff.Changes, live *pubsubpb.Topic) (*pubsubpb.UpdateTopicRequest, error) {
	topic, err := build(forgetRevisions(want.Spec, changes))
	if err != nil {
		return nil, err
	}
	topic.Name = fullName(ref)
	topic.Labels = ref.Labels(want.Spec.Labels, live.GetLabels())
	mask := &fieldmaskpb.FieldMask{}
	if !maps.Equal(topic.GetLabels(), live.GetLabels()) {
		mask.Paths = append(mask.Paths, "labels")
	}
	for _, field := range maskPaths {
		if changes.Has(field.spec) {
			mask.Paths = append(mask.Paths, field.mask)
		}
	}
	return &pubsubpb.UpdateTopicRequest{Topic: topic, UpdateMask: mask}, nil
}

// forgetRevisions drops revisions that are merely what is live where the schema changes: they are revisions of the old one.
func forgetRevisions(spec v1alpha1.TopicSpec, changes diff.Changes) v1alpha1.TopicSpec {
	if spec.SchemaSettings == nil || !changes.Has("spec.schemaSettings.schema") {
		return spec
	}
	settings := *spec.SchemaSettings
	if !changes.Has("spec.schemaSettings.firstRevisionID") {
		settings.FirstRevisionID = ""
	}
	if !changes.Has("spec.schemaSettings.lastRevisionID") {
		settings.LastRevisionID = ""
	}
	spec.SchemaSettings = &settings
	return spec
}
