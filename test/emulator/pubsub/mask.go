package pubsub

import (
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// maskRules say which paths an update mask may hold.
type maskRules struct {
	// request and resource are the names that errors use.
	request, resource string
	mutable           []string
}

var topicMask = maskRules{
	request: "UpdateTopicRequest", resource: "Topic",
	mutable: []string{
		"labels", "message_storage_policy", "kms_key_name", "message_retention_duration",
		"ingestion_data_source_settings", "message_transforms", "schema_settings",
		"schema_settings.schema", "schema_settings.encoding",
		"schema_settings.first_revision_id", "schema_settings.last_revision_id",
	},
}

var subscriptionMask = maskRules{
	request: "UpdateSubscriptionRequest", resource: "Subscription",
	mutable: []string{
		"labels", "ack_deadline_seconds", "push_config", "bigquery_config", "cloud_storage_config",
		"bigtable_config", "retain_acked_messages", "message_retention_duration", "expiration_policy",
		"dead_letter_policy", "retry_policy", "enable_exactly_once_delivery", "message_transforms",
	},
}

// apply copies the masked fields of an update over a resource; a field that
// the update does not set is cleared. Nothing is copied if a path is wrong.
// Google knows nested paths only below schema_settings.
func (r maskRules) apply(resource, update proto.Message, mask *fieldmaskpb.FieldMask) error {
	if len(mask.GetPaths()) == 0 {
		return status.Errorf(codes.InvalidArgument,
			"The update_mask in the %s must be set, and must contain a non-empty paths list.", r.request)
	}
	for _, path := range mask.GetPaths() {
		if err := r.check(resource, path); err != nil {
			return err
		}
	}
	for _, path := range mask.GetPaths() {
		copyPath(resource.ProtoReflect(), update.ProtoReflect(), strings.Split(path, "."))
	}
	return nil
}

func (r maskRules) check(resource proto.Message, path string) error {
	known := resource.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(path)) != nil
	switch {
	case slices.Contains(r.mutable, path):
		return nil
	case known:
		return status.Errorf(codes.InvalidArgument,
			"Invalid update_mask provided in the %s: the '%s' field in the %s is not mutable.", r.request, path, r.resource)
	default:
		// The spelling at the end is Google's.
		return status.Errorf(codes.InvalidArgument,
			"Invalid update_mask provided in the %s: %s is not a known %s field. Note that field paths must be of the form 'schema_settings' rather than 'schemaSetings'.",
			r.request, path, r.resource)
	}
}

func copyPath(to, from protoreflect.Message, path []string) {
	field := to.Descriptor().Fields().ByName(protoreflect.Name(path[0]))
	if len(path) > 1 {
		copyPath(to.Mutable(field).Message(), from.Get(field).Message(), path[1:])
		return
	}
	if !from.Has(field) {
		to.Clear(field)
		return
	}
	to.Set(field, from.Get(field))
}
