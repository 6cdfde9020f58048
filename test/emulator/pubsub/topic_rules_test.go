package pubsub_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	apiv1 "cloud.google.com/go/pubsub/v2/apiv1"
	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
)

func invalidName(name string) string {
	return "Invalid resource name given (name=" + name + "). Refer to https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information."
}

func invalidArgument(argument string) string {
	return "You have passed an invalid argument to the service (argument=" + argument + ")."
}

func udf(function, code string) *pb.MessageTransform {
	return &pb.MessageTransform{Transform: &pb.MessageTransform_JavascriptUdf{
		JavascriptUdf: &pb.JavaScriptUDF{FunctionName: function, Code: code},
	}}
}

func TestTopicsThatAreRefused(t *testing.T) {
	kinesis := func(arn, account string) *pb.IngestionDataSourceSettings {
		return &pb.IngestionDataSourceSettings{Source: &pb.IngestionDataSourceSettings_AwsKinesis_{
			AwsKinesis: &pb.IngestionDataSourceSettings_AwsKinesis{
				StreamArn: arn, ConsumerArn: "arn:aws:kinesis:c", AwsRoleArn: "arn:aws:iam:r", GcpServiceAccount: account,
			},
		}}
	}
	keep := udf("keep", "function keep(message, metadata) { return message; }")
	cases := map[string]struct {
		topic   *pb.Topic
		code    codes.Code
		message string
	}{
		"label key with a capital": {
			&pb.Topic{Labels: map[string]string{"Upper": "x"}}, codes.InvalidArgument,
			invalidArgument(`Invalid labels: Invalid field "labels"; key "Upper" does not conform to regular expression "[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}"; first character "U" is not a non-uppercased letter (Unicode character class Ll or Lo)`),
		},
		"label value of 64": {
			&pb.Topic{Labels: map[string]string{"a": strings.Repeat("b", 64)}}, codes.InvalidArgument,
			invalidArgument(`Invalid labels: Invalid field "labels.a"; value "` + strings.Repeat("b", 64) + `" exceeds maximum value length 63 with a length of 64`),
		},
		"retention too short": {
			&pb.Topic{MessageRetentionDuration: durationpb.New(599 * time.Second)}, codes.InvalidArgument,
			"The value for message retention duration is out of bounds. You passed 9m59s in the request, but the value must be between 10m and 744h.",
		},
		"retention too long": {
			&pb.Topic{MessageRetentionDuration: durationpb.New(32 * 24 * time.Hour)}, codes.InvalidArgument,
			"The value for message retention duration is out of bounds. You passed 768h in the request, but the value must be between 10m and 744h.",
		},
		"key that is no key": {
			&pb.Topic{KmsKeyName: "my-key"}, codes.InvalidArgument, invalidArgument("Topic::kms_key_name"),
		},
		"no region": {
			&pb.Topic{MessageStoragePolicy: &pb.MessageStoragePolicy{}}, codes.InvalidArgument,
			invalidArgument("MessageStoragePolicy::allowed_persistence_regions"),
		},
		"schema that is not there": {
			&pb.Topic{SchemaSettings: &pb.SchemaSettings{Schema: project + "/schemas/missing", Encoding: pb.Encoding_JSON}}, codes.NotFound,
			"Resource not found (resource=" + project + "/schemas/missing).",
		},
		"schema without an encoding": {
			&pb.Topic{SchemaSettings: &pb.SchemaSettings{Schema: project + "/schemas/missing"}}, codes.InvalidArgument,
			"Schema settings for the topic " + topicName + " must specify an encoding.",
		},
		"schema with the name of a deleted one": {
			&pb.Topic{SchemaSettings: &pb.SchemaSettings{Schema: "_deleted-schema_"}}, codes.InvalidArgument,
			invalidName("_deleted-schema_"),
		},
		"ingestion without a source": {
			&pb.Topic{IngestionDataSourceSettings: &pb.IngestionDataSourceSettings{}}, codes.InvalidArgument,
			invalidArgument("Topic::ingestion_data_source_settings"),
		},
		"ingestion from something that is no ARN": {
			&pb.Topic{IngestionDataSourceSettings: kinesis("stream", "a@b.iam.gserviceaccount.com")}, codes.InvalidArgument,
			invalidArgument("IngestionDataSourceSettings::aws_kinesis::stream_arn"),
		},
		"ingestion without a service account": {
			&pb.Topic{IngestionDataSourceSettings: kinesis("arn:aws:kinesis:s", "")}, codes.InvalidArgument,
			invalidArgument("IngestionDataSourceSettings::aws_kinesis::gcp_service_account"),
		},
		"transform without anything": {
			&pb.Topic{MessageTransforms: []*pb.MessageTransform{{Disabled: true}}}, codes.InvalidArgument,
			invalidArgument("MessageTransform::transform"),
		},
		"function name that is none": {
			&pb.Topic{MessageTransforms: []*pb.MessageTransform{udf("1st", "function 1st(m) {}")}}, codes.InvalidArgument,
			invalidArgument("MessageTransform::javascript_udf::function_name"),
		},
		"code without the function": {
			&pb.Topic{MessageTransforms: []*pb.MessageTransform{udf("keep", "function other(m) {}")}}, codes.InvalidArgument,
			invalidArgument("MessageTransform::javascript_udf::code"),
		},
		"code of more than 20 KiB": {
			&pb.Topic{MessageTransforms: []*pb.MessageTransform{udf("f", "function f(m) {}"+strings.Repeat(" ", 20<<10))}}, codes.InvalidArgument,
			invalidArgument("MessageTransform::javascript_udf::code"),
		},
		"function twice": {
			&pb.Topic{MessageTransforms: []*pb.MessageTransform{keep, keep}}, codes.InvalidArgument,
			invalidArgument("MessageTransform::javascript_udf::function_name"),
		},
		"compression without a mode": {
			&pb.Topic{MessageTransforms: []*pb.MessageTransform{{Transform: &pb.MessageTransform_Compression{
				Compression: &pb.Compression{CompressionAlgorithm: pb.Compression_ZLIB},
			}}}}, codes.InvalidArgument, invalidArgument("MessageTransform::compression::compression_mode"),
		},
		"inference without an endpoint": {
			&pb.Topic{MessageTransforms: []*pb.MessageTransform{{Transform: &pb.MessageTransform_AiInference{
				AiInference: &pb.AIInference{Endpoint: "gemini"},
			}}}}, codes.InvalidArgument, invalidArgument("MessageTransform::ai_inference::endpoint"),
		},
	}
	eachTransport(t, func(t *testing.T, c *cloud, topics *apiv1.TopicAdminClient) {
		t.Helper()
		for name, tc := range cases {
			t.Run(name, func(t *testing.T) {
				tc.topic.Name = topicName
				_, err := topics.CreateTopic(t.Context(), tc.topic)
				grpctest.WantRefusal(t, err, tc.code, tc.message)
				if _, created := c.service.Topic(topicName); created {
					t.Error("the topic was created all the same")
				}
			})
		}
	})
}

func TestNamesThatAreRefused(t *testing.T) {
	c := start(t)
	topics := c.topics(t)
	for _, name := range []string{
		"my-topic", "projects/my-project/topics/", "projects//topics/abc", "projects/my-project/queues/abc",
		project + "/topics/ab", project + "/topics/goog-probe", project + "/topics/1-digit",
		project + "/topics/bad$character", project + "/topics/" + strings.Repeat("a", 256),
	} {
		_, err := topics.CreateTopic(t.Context(), &pb.Topic{Name: name})
		grpctest.WantRefusal(t, err, codes.InvalidArgument, invalidName(name))
	}
	for _, name := range []string{project + "/topics/abc", project + "/topics/A._~+%-9", project + "/topics/" + strings.Repeat("a", 255)} {
		if _, err := topics.CreateTopic(t.Context(), &pb.Topic{Name: name}); err != nil {
			t.Errorf("creating %s: %v", name, err)
		}
	}
}

func TestUpdateMasksThatAreRefused(t *testing.T) {
	unknown := func(path string) string {
		return fmt.Sprintf("Invalid update_mask provided in the UpdateTopicRequest: %s is not a known Topic field. Note that field paths must be of the form 'schema_settings' rather than 'schemaSetings'.", path)
	}
	immutable := func(path string) string {
		return fmt.Sprintf("Invalid update_mask provided in the UpdateTopicRequest: the '%s' field in the Topic is not mutable.", path)
	}
	cases := map[string]struct {
		paths   []string
		message string
	}{
		"none":       {nil, "The update_mask in the UpdateTopicRequest must be set, and must contain a non-empty paths list."},
		"camel case": {[]string{"messageRetentionDuration"}, unknown("messageRetentionDuration")},
		"unknown":    {[]string{"colour"}, unknown("colour")},
		"nested, other than of the schema": {
			[]string{"ingestion_data_source_settings.aws_kinesis.gcp_service_account"},
			unknown("ingestion_data_source_settings.aws_kinesis.gcp_service_account"),
		},
		"name":                        {[]string{"name"}, immutable("name")},
		"state":                       {[]string{"state"}, immutable("state")},
		"tags":                        {[]string{"tags"}, immutable("tags")},
		"a good one before a bad one": {[]string{"labels", "name"}, immutable("name")},
	}
	c := start(t)
	topics := c.topics(t)
	if _, err := topics.CreateTopic(t.Context(), &pb.Topic{Name: topicName}); err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := topics.UpdateTopic(t.Context(), &pb.UpdateTopicRequest{
				Topic:      &pb.Topic{Name: topicName, Labels: map[string]string{"a": "b"}},
				UpdateMask: &fieldmaskpb.FieldMask{Paths: tc.paths},
			})
			grpctest.WantRefusal(t, err, codes.InvalidArgument, tc.message)
			if topic, _ := c.service.Topic(topicName); len(topic.GetLabels()) > 0 {
				t.Error("part of the update was carried out")
			}
		})
	}
}

func TestTheDeprecatedEnabledIsForgotten(t *testing.T) {
	c := start(t)
	status, body := c.Send(t, "PUT", "/v1/"+topicName+"?prettyPrint=false",
		`{"messageTransforms": [{"enabled": true, "javascriptUdf": {"functionName": "f", "code": "function f(m) { return m; }"}}]}`)
	want := `{"name":"` + topicName + `","messageTransforms":[{"javascriptUdf":{"functionName":"f","code":"function f(m) { return m; }"}}]}` + "\n"
	if status != 200 || body != want {
		t.Errorf("got %d %s\nwant 200 %s", status, body, want)
	}
}
