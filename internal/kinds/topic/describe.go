package topic

import (
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Describe writes the topic as the spec that a person would have written for it.
func (*Kind) Describe(live *pubsubpb.Topic) *v1alpha1.Topic {
	return &v1alpha1.Topic{Spec: v1alpha1.TopicSpec{
		Labels:                  kind.DescribeLabels(live.GetLabels()),
		KMSKeyName:              live.GetKmsKeyName(),
		MessageStoragePolicy:    describeStoragePolicy(live.GetMessageStoragePolicy()),
		MessageRetentionSeconds: describeSeconds(live.GetMessageRetentionDuration()),
		SchemaSettings:          describeSchema(live.GetSchemaSettings()),
		Ingestion:               describeIngestion(live.GetIngestionDataSourceSettings()),
		MessageTransforms:       describeTransforms(live.GetMessageTransforms()),
	}}
}

func describeStoragePolicy(policy *pubsubpb.MessageStoragePolicy) *v1alpha1.TopicMessageStoragePolicy {
	if policy == nil {
		return nil
	}
	return &v1alpha1.TopicMessageStoragePolicy{
		AllowedPersistenceRegions: policy.GetAllowedPersistenceRegions(),
		EnforceInTransit:          new(policy.GetEnforceInTransit()),
	}
}

// describeSeconds rounds down to what a manifest can say. Google keeps whole seconds.
func describeSeconds(duration *durationpb.Duration) *int64 {
	if duration == nil {
		return nil
	}
	return new(duration.GetSeconds())
}

func describeSchema(settings *pubsubpb.SchemaSettings) *v1alpha1.TopicSchemaSettings {
	if settings == nil {
		return nil
	}
	return &v1alpha1.TopicSchemaSettings{
		Schema:          settings.GetSchema(),
		Encoding:        enumName[v1alpha1.TopicSchemaEncoding](settings.GetEncoding()),
		FirstRevisionID: v1alpha1.SchemaRevisionID(settings.GetFirstRevisionId()),
		LastRevisionID:  v1alpha1.SchemaRevisionID(settings.GetLastRevisionId()),
	}
}
