package topic

import (
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// build writes a spec as a topic, for creating and for updating alike; name and labels depend on more than the spec and
// are left to the caller. It fails, with class Invalid, if the parameters of an inference are no JSON that Google could
// take.
func build(spec v1alpha1.TopicSpec) (*pubsubpb.Topic, error) {
	transforms, err := buildTransforms(spec.MessageTransforms)
	if err != nil {
		return nil, &gcp.Error{Class: kind.Invalid, Message: err.Error(), Err: err}
	}
	return &pubsubpb.Topic{
		KmsKeyName:                  spec.KMSKeyName,
		MessageStoragePolicy:        buildStoragePolicy(spec.MessageStoragePolicy),
		MessageRetentionDuration:    buildSeconds(spec.MessageRetentionSeconds),
		SchemaSettings:              buildSchema(spec.SchemaSettings),
		IngestionDataSourceSettings: buildIngestion(spec.Ingestion),
		MessageTransforms:           transforms,
	}, nil
}

// buildStoragePolicy gives no policy without regions: an empty list is none that Google accepts.
func buildStoragePolicy(policy *v1alpha1.TopicMessageStoragePolicy) *pubsubpb.MessageStoragePolicy {
	if policy == nil || len(policy.AllowedPersistenceRegions) == 0 {
		return nil
	}
	return &pubsubpb.MessageStoragePolicy{
		AllowedPersistenceRegions: policy.AllowedPersistenceRegions,
		EnforceInTransit:          policy.EnforceInTransit != nil && *policy.EnforceInTransit,
	}
}

func buildSeconds(seconds *int64) *durationpb.Duration {
	if seconds == nil {
		return nil
	}
	return durationpb.New(time.Duration(*seconds) * time.Second)
}

// buildSchema gives no settings without a schema, which the rest would belong to.
func buildSchema(settings *v1alpha1.TopicSchemaSettings) *pubsubpb.SchemaSettings {
	if settings == nil || settings.Schema == "" {
		return nil
	}
	return &pubsubpb.SchemaSettings{
		Schema:          settings.Schema,
		Encoding:        enumValue[pubsubpb.Encoding](pubsubpb.Encoding_value, settings.Encoding),
		FirstRevisionId: string(settings.FirstRevisionID),
		LastRevisionId:  string(settings.LastRevisionID),
	}
}
