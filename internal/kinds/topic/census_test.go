package topic

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// census says of each field that a topic has in the client library where it is in our API: a path in spec or status, or
// why it is nowhere, in words. A path of ours ends in [] where a list's items are meant.
var census = map[string]string{
	"name":   "status.name",
	"labels": "spec.labels",
	"message_storage_policy.allowed_persistence_regions": "spec.messageStoragePolicy.allowedPersistenceRegions",
	"message_storage_policy.enforce_in_transit":          "spec.messageStoragePolicy.enforceInTransit",
	"kms_key_name":                      "spec.kmsKeyName",
	"schema_settings.schema":            "spec.schemaSettings.schema",
	"schema_settings.encoding":          "spec.schemaSettings.encoding",
	"schema_settings.first_revision_id": "spec.schemaSettings.firstRevisionID",
	"schema_settings.last_revision_id":  "spec.schemaSettings.lastRevisionID",
	"satisfies_pzs":                     "Google reserves it for future use and does not say what it means",
	"message_retention_duration":        "spec.messageRetentionSeconds",
	"state":                             "status.state",
	"tags":                              "input only: Google never shows them, so nobody could tell whether they are as asked for",

	"ingestion_data_source_settings.platform_logs_settings.severity":          "spec.ingestion.platformLogs.severity",
	"ingestion_data_source_settings.cloud_storage.state":                      "status.ingestionState",
	"ingestion_data_source_settings.cloud_storage.bucket":                     "spec.ingestion.source.cloudStorage.bucket",
	"ingestion_data_source_settings.cloud_storage.text_format.delimiter":      "spec.ingestion.source.cloudStorage.textFormat.delimiter",
	"ingestion_data_source_settings.cloud_storage.avro_format":                "spec.ingestion.source.cloudStorage.avroFormat",
	"ingestion_data_source_settings.cloud_storage.pubsub_avro_format":         "spec.ingestion.source.cloudStorage.pubsubAvroFormat",
	"ingestion_data_source_settings.cloud_storage.minimum_object_create_time": "spec.ingestion.source.cloudStorage.minimumObjectCreateTime",
	"ingestion_data_source_settings.cloud_storage.match_glob":                 "spec.ingestion.source.cloudStorage.matchGlob",
	"ingestion_data_source_settings.aws_kinesis.state":                        "status.ingestionState",
	"ingestion_data_source_settings.aws_kinesis.stream_arn":                   "spec.ingestion.source.awsKinesis.streamARN",
	"ingestion_data_source_settings.aws_kinesis.consumer_arn":                 "spec.ingestion.source.awsKinesis.consumerARN",
	"ingestion_data_source_settings.aws_kinesis.aws_role_arn":                 "spec.ingestion.source.awsKinesis.awsRoleARN",
	"ingestion_data_source_settings.aws_kinesis.gcp_service_account":          "spec.ingestion.source.awsKinesis.gcpServiceAccount",
	"ingestion_data_source_settings.azure_event_hubs.state":                   "status.ingestionState",
	"ingestion_data_source_settings.azure_event_hubs.resource_group":          "spec.ingestion.source.azureEventHubs.resourceGroup",
	"ingestion_data_source_settings.azure_event_hubs.namespace":               "spec.ingestion.source.azureEventHubs.namespace",
	"ingestion_data_source_settings.azure_event_hubs.event_hub":               "spec.ingestion.source.azureEventHubs.eventHub",
	"ingestion_data_source_settings.azure_event_hubs.client_id":               "spec.ingestion.source.azureEventHubs.clientID",
	"ingestion_data_source_settings.azure_event_hubs.tenant_id":               "spec.ingestion.source.azureEventHubs.tenantID",
	"ingestion_data_source_settings.azure_event_hubs.subscription_id":         "spec.ingestion.source.azureEventHubs.subscriptionID",
	"ingestion_data_source_settings.azure_event_hubs.gcp_service_account":     "spec.ingestion.source.azureEventHubs.gcpServiceAccount",
	"ingestion_data_source_settings.aws_msk.state":                            "status.ingestionState",
	"ingestion_data_source_settings.aws_msk.cluster_arn":                      "spec.ingestion.source.awsMSK.clusterARN",
	"ingestion_data_source_settings.aws_msk.topic":                            "spec.ingestion.source.awsMSK.topic",
	"ingestion_data_source_settings.aws_msk.aws_role_arn":                     "spec.ingestion.source.awsMSK.awsRoleARN",
	"ingestion_data_source_settings.aws_msk.gcp_service_account":              "spec.ingestion.source.awsMSK.gcpServiceAccount",
	"ingestion_data_source_settings.confluent_cloud.state":                    "status.ingestionState",
	"ingestion_data_source_settings.confluent_cloud.bootstrap_server":         "spec.ingestion.source.confluentCloud.bootstrapServer",
	"ingestion_data_source_settings.confluent_cloud.cluster_id":               "spec.ingestion.source.confluentCloud.clusterID",
	"ingestion_data_source_settings.confluent_cloud.topic":                    "spec.ingestion.source.confluentCloud.topic",
	"ingestion_data_source_settings.confluent_cloud.identity_pool_id":         "spec.ingestion.source.confluentCloud.identityPoolID",
	"ingestion_data_source_settings.confluent_cloud.gcp_service_account":      "spec.ingestion.source.confluentCloud.gcpServiceAccount",

	"message_transforms.javascript_udf.function_name":                   "spec.messageTransforms[].javaScriptUDF.functionName",
	"message_transforms.javascript_udf.code":                            "spec.messageTransforms[].javaScriptUDF.code",
	"message_transforms.compression.compression_algorithm":              "spec.messageTransforms[].compression.algorithm",
	"message_transforms.compression.compression_mode":                   "spec.messageTransforms[].compression.mode",
	"message_transforms.ai_inference.endpoint":                          "spec.messageTransforms[].aiInference.endpoint",
	"message_transforms.ai_inference.unstructured_inference.parameters": "spec.messageTransforms[].aiInference.unstructuredInference.parameters",
	"message_transforms.ai_inference.service_account_email":             "spec.messageTransforms[].aiInference.serviceAccountEmail",
	"message_transforms.enabled":                                        "deprecated in favour of disabled, which is its opposite",
	"message_transforms.disabled":                                       "spec.messageTransforms[].disabled",
}

// TestCensus sets each field of a topic, each value of an enumeration in turn, and looks for it where the census says.
// It fails where the client library has a field that the census lacks.
func TestCensus(t *testing.T) {
	schema := crdSchema(t)
	left := maps.Clone(census)
	walkLeaves((&pubsubpb.Topic{}).ProtoReflect().Descriptor(), nil, func(path []protoreflect.FieldDescriptor) {
		name := pathName(path)
		place, known := census[name]
		if !known {
			t.Errorf("a topic has %s: map it, or say in the census why not", name)
			return
		}
		delete(left, name)
		for _, value := range samples(path[len(path)-1]) {
			topic := &pubsubpb.Topic{}
			plant(topic.ProtoReflect(), path, value)
			without := &pubsubpb.Topic{}
			pave(without.ProtoReflect(), path)
			ours, before := inJSON(t, topic), inJSON(t, without)
			if strings.Contains(place, " ") {
				if ours != before {
					t.Errorf("%s is said to be left out, but shows", name)
				}
				continue
			}
			checkPlace(t, name, place, ours, before, value, path[len(path)-1], schema)
		}
	})
	for name := range left {
		t.Errorf("the census has %s, which no topic has", name)
	}
}

// checkPlace looks for a field that was set: it must show where the census says, the API must have such a field and
// allow such a value, and what is in the spec must lead back to what was set.
func checkPlace(t *testing.T, name, place, ours, before string, value protoreflect.Value, field protoreflect.FieldDescriptor, schema map[string]any) {
	t.Helper()
	property := at(schema, place, true)
	if property == nil {
		t.Errorf("%s: the API has no %s", name, place)
		return
	}
	shown := at(parse(t, ours), place, false)
	if shown == nil || jsonText(t, shown) == jsonText(t, at(parse(t, before), place, false)) {
		t.Errorf("%s: set to %v, %s is %v", name, value, place, shown)
	}
	if field.Enum() == nil || strings.HasPrefix(place, "status.") {
		return
	}
	allowed, _ := property.(map[string]any)["enum"].([]any)
	if !slices.Contains(allowed, shown) {
		t.Errorf("%s: the API's %s allows %v, not %v", name, place, allowed, shown)
	}
}

// Each field in the spec leads back to Pub/Sub, from the spec alone.
func TestCensusLeadsBack(t *testing.T) {
	walkLeaves((&pubsubpb.Topic{}).ProtoReflect().Descriptor(), nil, func(path []protoreflect.FieldDescriptor) {
		if place := census[pathName(path)]; !strings.HasPrefix(place, "spec.") || place == "spec.labels" {
			return
		}
		for _, value := range samples(path[len(path)-1]) {
			topic := &pubsubpb.Topic{}
			plant(topic.ProtoReflect(), path, value)
			completeFor(topic)
			built := mustBuild(t, (&Kind{}).Describe(topic).Spec)
			if got, want := dig(built.ProtoReflect(), path), dig(topic.ProtoReflect(), path); !got.IsValid() || !got.Equal(want) {
				t.Errorf("%s: set to %v, came back as %v", pathName(path), want, got)
			}
		}
	})
}

// completeFor gives a topic what it must have besides the field that is looked at.
func completeFor(topic *pubsubpb.Topic) {
	if settings := topic.GetSchemaSettings(); settings != nil && settings.GetSchema() == "" {
		settings.Schema = schemaA
	}
	if policy := topic.GetMessageStoragePolicy(); policy != nil && len(policy.GetAllowedPersistenceRegions()) == 0 {
		policy.AllowedPersistenceRegions = []string{"us-east1"}
	}
	settings := topic.GetIngestionDataSourceSettings()
	if settings != nil && settings.GetSource() == nil {
		settings.Source = &pubsubpb.IngestionDataSourceSettings_CloudStorage_{
			CloudStorage: &pubsubpb.IngestionDataSourceSettings_CloudStorage{Bucket: "b"},
		}
	}
}

// walkLeaves visits each field that is no message of Pub/Sub's with fields of its own.
func walkLeaves(message protoreflect.MessageDescriptor, path []protoreflect.FieldDescriptor, visit func([]protoreflect.FieldDescriptor)) {
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		here := append(slices.Clone(path), field)
		inside := field.Message()
		if inside == nil || field.IsMap() || inside.Fields().Len() == 0 || inside.ParentFile().Package() != message.ParentFile().Package() {
			visit(here)
			continue
		}
		walkLeaves(inside, here, visit)
	}
}

func pathName(path []protoreflect.FieldDescriptor) string {
	names := make([]string, len(path))
	for i, field := range path {
		names[i] = string(field.Name())
	}
	return strings.Join(names, ".")
}

// samples are values of a field that are not its default: each of an enumeration, one of anything else.
func samples(field protoreflect.FieldDescriptor) []protoreflect.Value {
	if enum := field.Enum(); enum != nil {
		var values []protoreflect.Value
		for i := range enum.Values().Len() {
			if number := enum.Values().Get(i).Number(); number != 0 {
				values = append(values, protoreflect.ValueOfEnum(number))
			}
		}
		return values
	}
	switch field.Kind() {
	case protoreflect.BoolKind:
		return []protoreflect.Value{protoreflect.ValueOfBool(true)}
	case protoreflect.StringKind:
		return []protoreflect.Value{protoreflect.ValueOfString("x")}
	default:
		return []protoreflect.Value{{}} // made in place: a message, or a map
	}
}

// pave makes the way to a field and returns the message that the field is in.
func pave(message protoreflect.Message, path []protoreflect.FieldDescriptor) protoreflect.Message {
	for _, field := range path[:len(path)-1] {
		if field.IsList() {
			message = message.Mutable(field).List().AppendMutable().Message()
		} else {
			message = message.Mutable(field).Message()
		}
	}
	return message
}

// plant sets a field.
func plant(topic protoreflect.Message, path []protoreflect.FieldDescriptor, value protoreflect.Value) {
	message, field := pave(topic, path), path[len(path)-1]
	switch {
	case field.IsMap():
		message.Mutable(field).Map().Set(protoreflect.ValueOfString("k").MapKey(), protoreflect.ValueOfString("v"))
	case field.IsList():
		message.Mutable(field).List().Append(value)
	case field.Message() != nil:
		fill(message.Mutable(field).Message())
	default:
		message.Set(field, value)
	}
}

// fill gives a well-known message a content.
func fill(message protoreflect.Message) {
	fields := message.Descriptor().Fields()
	if seconds := fields.ByName("seconds"); seconds != nil {
		message.Set(seconds, protoreflect.ValueOfInt64(1234))
	}
	if entries := fields.ByName("fields"); entries != nil {
		entry := message.Mutable(entries).Map().Mutable(protoreflect.ValueOfString("k").MapKey()).Message()
		entry.Set(entry.Descriptor().Fields().ByName("string_value"), protoreflect.ValueOfString("v"))
	}
}

// dig returns the value at a path, of a list's first item.
func dig(message protoreflect.Message, path []protoreflect.FieldDescriptor) protoreflect.Value {
	value := message.Get(path[0])
	if len(path) == 1 {
		if !message.Has(path[0]) {
			return protoreflect.Value{}
		}
		return value
	}
	if path[0].IsList() {
		if value.List().Len() == 0 {
			return protoreflect.Value{}
		}
		return dig(value.List().Get(0).Message(), path[1:])
	}
	return dig(value.Message(), path[1:])
}

// inJSON is all that we show of a topic.
func inJSON(t *testing.T, topic *pubsubpb.Topic) string {
	t.Helper()
	obj := (&Kind{}).Describe(proto.CloneOf(topic))
	(&Kind{}).Report(obj, topic)
	return jsonText(t, obj)
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// at follows a path of ours through an object, or through the schema of one.
func at(v any, path string, schema bool) any {
	for step := range strings.SplitSeq(path, ".") {
		step, list := strings.CutSuffix(step, "[]")
		object, _ := v.(map[string]any)
		if schema {
			object, _ = object["properties"].(map[string]any)
		}
		v = object[step]
		if list && schema {
			v = v.(map[string]any)["items"]
		} else if items, ok := v.([]any); list && ok {
			v = items[0]
		}
	}
	return v
}

func crdSchema(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "config", "crd", "bases", "gcp.holdfast.dev_topics.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Name   string
				Schema struct{ OpenAPIV3Schema map[string]any }
			}
		}
	}
	if err := yaml.Unmarshal(text, &crd); err != nil {
		t.Fatal(err)
	}
	for _, version := range crd.Spec.Versions {
		if version.Name == v1alpha1.GroupVersion.Version {
			return version.Schema.OpenAPIV3Schema
		}
	}
	t.Fatal("the CRD lacks this version")
	return nil
}
