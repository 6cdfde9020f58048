package topic

import (
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/holdfast-dev/holdfast/internal/diff"
)

// A field that the client library does not know shows where the spec would have it: every message inside a topic has a place there.
func TestUnmanaged(t *testing.T) {
	places := map[string]string{
		"":                               "spec.#90",
		"message_storage_policy":         "spec.messageStoragePolicy.#90",
		"schema_settings":                "spec.schemaSettings.#90",
		"ingestion_data_source_settings": "spec.ingestion.#90",
		"ingestion_data_source_settings.platform_logs_settings":    "spec.ingestion.platformLogs.#90",
		"ingestion_data_source_settings.cloud_storage":             "spec.ingestion.source.cloudStorage.#90",
		"ingestion_data_source_settings.cloud_storage.text_format": "spec.ingestion.source.cloudStorage.textFormat.#90",
		"ingestion_data_source_settings.aws_kinesis":               "spec.ingestion.source.awsKinesis.#90",
		"ingestion_data_source_settings.azure_event_hubs":          "spec.ingestion.source.azureEventHubs.#90",
		"ingestion_data_source_settings.aws_msk":                   "spec.ingestion.source.awsMSK.#90",
		"ingestion_data_source_settings.confluent_cloud":           "spec.ingestion.source.confluentCloud.#90",
		"message_transforms":                                       "spec.messageTransforms[0].#90",
		"message_transforms.javascript_udf":                        "spec.messageTransforms[0].javaScriptUDF.#90",
		"message_transforms.compression":                           "spec.messageTransforms[0].compression.#90",
		"message_transforms.ai_inference":                          "spec.messageTransforms[0].aiInference.#90",
		"message_transforms.ai_inference.unstructured_inference":   "spec.messageTransforms[0].aiInference.unstructuredInference.#90",
	}
	unknown := protowire.AppendVarint(protowire.AppendTag(nil, 90, protowire.VarintType), 1)
	seen := map[string]bool{}
	walkLeaves((&pubsubpb.Topic{}).ProtoReflect().Descriptor(), nil, func(path []protoreflect.FieldDescriptor) {
		name := pathName(path[:len(path)-1])
		if seen[name] {
			return
		}
		seen[name] = true
		topic := &pubsubpb.Topic{}
		pave(topic.ProtoReflect(), path).SetUnknown(unknown)
		want := []diff.Unmanaged{{Path: places[name], Value: "1"}}
		if d := cmp.Diff(want, (&Kind{}).Unmanaged(topic)); d != "" {
			t.Errorf("in %q (-want +got):\n%s", name, d)
		}
	})
}

// An update of the schema settings sends them whole: a value of an enumeration that is not known goes back as it came.
func TestUnknownEnumerationValueGoesBack(t *testing.T) {
	live := &pubsubpb.Topic{SchemaSettings: &pubsubpb.SchemaSettings{Schema: schemaA, Encoding: 7}}
	if built := mustBuild(t, (&Kind{}).Describe(live).Spec); !proto.Equal(live, built) {
		t.Errorf("built %v, want %v", built, live)
	}
}
