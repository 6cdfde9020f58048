package transcode_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/holdfast-dev/holdfast/test/emulator/transcode"
)

// recorder keeps the request that reached a service; every method answers with
// the same reply or error.
type recorder struct {
	full    string
	request proto.Message
	agent   []string
	reply   proto.Message
	err     error
}

func (r *recorder) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
	r.full = info.FullMethod
	r.request, _ = req.(proto.Message)
	md, _ := metadata.FromIncomingContext(ctx)
	r.agent = md.Get("user-agent")
	return r.reply, r.err
}

// serve puts a front before Pub/Sub's services and sends it one request.
func (r *recorder) serve(t *testing.T, method, target, body string) (int, http.Header, string) {
	t.Helper()
	front := transcode.New(r.intercept, transcode.WithRules(map[string]*annotations.HttpRule{
		"google.pubsub.v1.Subscriber.Seek": {Pattern: &annotations.HttpRule_Get{Get: "/seek/{subscription=**}"}},
	}))
	pb.RegisterPublisherServer(front, pb.UnimplementedPublisherServer{})
	pb.RegisterSubscriberServer(front, pb.UnimplementedSubscriberServer{})
	pb.RegisterSchemaServiceServer(front, pb.UnimplementedSchemaServiceServer{})
	mux := http.NewServeMux()
	front.Mount(mux)
	answer := httptest.NewRecorder()
	request := httptest.NewRequest(method, target, strings.NewReader(body))
	request.Header.Set("User-Agent", "test")
	mux.ServeHTTP(answer, request)
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Code, answer.Header(), string(text)
}

func TestRequestsAreBound(t *testing.T) {
	const topic = "projects/p/topics/t"
	cases := map[string]struct {
		method, target, body string
		full                 string
		want                 proto.Message
	}{
		"path": {
			"GET", "/v1/" + topic, "",
			"Publisher/GetTopic", &pb.GetTopicRequest{Topic: topic},
		},
		"query, in either spelling": {
			"GET", "/v1/projects/p/topics?pageSize=5&page_token=next&alt=json&key=secret", "",
			"Publisher/ListTopics", &pb.ListTopicsRequest{Project: "projects/p", PageSize: 5, PageToken: "next"},
		},
		"query enumeration": {
			"GET", "/v1/projects/p/schemas?view=2", "",
			"SchemaService/ListSchemas", &pb.ListSchemasRequest{Parent: "projects/p", View: pb.SchemaView_FULL},
		},
		"whole body; the path decides": {
			"PUT", "/v1/" + topic, `{"name": "other", "labels": {"a": "b"}, "message_retention_duration": "600.5s", "kmsKeyName": null}`,
			"Publisher/CreateTopic", &pb.Topic{Name: topic, Labels: map[string]string{"a": "b"}, MessageRetentionDuration: &durationpb.Duration{Seconds: 600, Nanos: 5e8}},
		},
		"no body at all": {
			"PUT", "/v1/" + topic, "",
			"Publisher/CreateTopic", &pb.Topic{Name: topic},
		},
		"nested name and mask in camel case": {
			"PATCH", "/v1/" + topic, `{"topic": {"schemaSettings": {"encoding": "JSON"}}, "updateMask": "schemaSettings.encoding,messageRetentionDuration"}`,
			"Publisher/UpdateTopic", &pb.UpdateTopicRequest{
				Topic:      &pb.Topic{Name: topic, SchemaSettings: &pb.SchemaSettings{Encoding: pb.Encoding_JSON}},
				UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"schema_settings.encoding", "message_retention_duration"}},
			},
		},
		"mask in snake case": {
			"PATCH", "/v1/" + topic, `{"updateMask": "message_retention_duration"}`,
			"Publisher/UpdateTopic", &pb.UpdateTopicRequest{
				Topic: &pb.Topic{Name: topic}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"message_retention_duration"}},
			},
		},
		"mask in the query": {
			"PATCH", "/v1/" + topic + "?updateMask=labels%2CmessageRetentionDuration", `{"topic": {"labels": {}}}`,
			"Publisher/UpdateTopic", &pb.UpdateTopicRequest{
				Topic: &pb.Topic{Name: topic}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"labels", "message_retention_duration"}},
			},
		},
		"one field as the body": {
			"POST", "/v1/projects/p/schemas?schemaId=s", `{"type": 1, "definition": "x"}`,
			"SchemaService/CreateSchema", &pb.CreateSchemaRequest{
				Parent: "projects/p", SchemaId: "s", Schema: &pb.Schema{Type: pb.Schema_PROTOCOL_BUFFER, Definition: "x"},
			},
		},
		"list of messages, bytes": {
			"POST", "/v1/" + topic + ":publish", `{"messages": [{"data": "aGk="}, {"attributes": {"a": "b"}}]}`,
			"Publisher/Publish", &pb.PublishRequest{Topic: topic, Messages: []*pb.PubsubMessage{{Data: []byte("hi")}, {Attributes: map[string]string{"a": "b"}}}},
		},
		"one value for a list": {
			"POST", "/v1/projects/p/subscriptions/s:acknowledge", `{"ackIds": "a"}`,
			"Subscriber/Acknowledge", &pb.AcknowledgeRequest{Subscription: "projects/p/subscriptions/s", AckIds: []string{"a"}},
		},
		"any JSON for a struct": {
			"PUT", "/v1/" + topic, `{"messageTransforms": [{"aiInference": {"unstructuredInference": {"parameters": {"x": [1]}}}}]}`,
			"Publisher/CreateTopic", &pb.Topic{Name: topic, MessageTransforms: []*pb.MessageTransform{{
				Transform: &pb.MessageTransform_AiInference{AiInference: &pb.AIInference{
					InferenceMode: &pb.AIInference_UnstructuredInference_{UnstructuredInference: &pb.AIInference_UnstructuredInference{
						Parameters: &structpb.Struct{Fields: map[string]*structpb.Value{
							"x": structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{structpb.NewNumberValue(1)}}),
						}},
					}},
				}},
			}}},
		},
		"rule in the place of the annotation, nested query": {
			"GET", "/seek/projects/p/subscriptions/s?time=2026-01-02T03:04:05Z", "",
			"Subscriber/Seek", &pb.SeekRequest{Subscription: "projects/p/subscriptions/s", Target: &pb.SeekRequest_Time{Time: timestamp(t, "2026-01-02T03:04:05Z")}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := &recorder{reply: &pb.Topic{}}
			if code, _, body := r.serve(t, tc.method, tc.target, tc.body); code != http.StatusOK {
				t.Fatalf("got %d %s", code, body)
			}
			if want := "/google.pubsub.v1." + tc.full; r.full != want {
				t.Errorf("called %s, want %s", r.full, want)
			}
			if diff := cmp.Diff(tc.want, r.request, protocmp.Transform()); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"test"}, r.agent); diff != "" {
				t.Errorf("user agent in the metadata (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	const topic = "/v1/projects/p/topics/t"
	cases := map[string]struct {
		method, target, body string
		want                 string // the message, or all of the body if it begins with a brace
	}{
		"unknown name": {
			"PUT", topic, `{"noSuchField": true}`, `{
  "error": {
    "code": 400,
    "details": [
      {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [
          {
            "description": "Invalid JSON payload received. Unknown name \"noSuchField\": Cannot find field."
          }
        ]
      }
    ],
    "message": "Invalid JSON payload received. Unknown name \"noSuchField\": Cannot find field.",
    "status": "INVALID_ARGUMENT"
  }
}
`,
		},
		"two unknown names, nested": {
			"PATCH", topic, `{"topic": {"b": 1, "a": 1}}`,
			`Invalid JSON payload received. Unknown name "a" at 'topic': Cannot find field.` + "\n" +
				`Invalid JSON payload received. Unknown name "b" at 'topic': Cannot find field.`,
		},
		"unknown name in a list": {
			"POST", topic + ":publish", `{"messages": [{}, {"x": 1}]}`,
			`Invalid JSON payload received. Unknown name "x" at 'messages[1]': Cannot find field.`,
		},
		"unknown parameter": {
			"GET", "/v1/projects/p/topics?colour=red", "",
			`Invalid JSON payload received. Unknown name "colour": Cannot bind query parameter. Field 'colour' could not be found in request message.`,
		},
		"unknown nested parameter": {
			"PATCH", topic + "?topic.colour=red", "{}",
			`Invalid JSON payload received. Unknown name "topic.colour": Cannot bind query parameter. Field 'colour' could not be found in request message.`,
		},
		"parameter of the wrong type": {
			"GET", "/v1/projects/p/topics?pageSize=many", "", `Invalid value at 'page_size' (TYPE_INT32), "many"`,
		},
		"number for a text": {"PUT", topic, `{"kmsKeyName": 1}`, `Invalid value at 'kms_key_name' (TYPE_STRING), 1`},
		"text for a bool":   {"PUT", topic, `{"satisfiesPzs": "yes"}`, `Invalid value at 'satisfies_pzs' (TYPE_BOOL), "yes"`},
		"text for a message": {
			"PUT", topic, `{"schemaSettings": "s"}`, `Invalid value at 'schema_settings' (type.googleapis.com/google.pubsub.v1.SchemaSettings), "s"`,
		},
		"label that is no text": {"PUT", topic, `{"labels": {"a": 1}}`, `Invalid value at 'labels[a].value' (TYPE_STRING), 1`},
		"unknown enumeration": {
			"PUT", topic, `{"schemaSettings": {"encoding": "XML"}}`, `Invalid value at 'schema_settings.encoding' (type.googleapis.com/google.pubsub.v1.Encoding), "XML"`,
		},
		"list for a text": {
			"PATCH", topic, `{"topic": {"name": []}}`, `Invalid JSON payload received. Unknown name "name" at 'topic': Proto field is not repeating, cannot start list.`,
		},
		"duration without a unit": {
			"PATCH", topic, `{"topic": {"messageRetentionDuration": "10d"}}`,
			`Invalid value at 'topic.message_retention_duration' (type.googleapis.com/google.protobuf.Duration), Field 'messageRetentionDuration', Illegal duration format; duration must end with 's'`,
		},
		"two of a union": {
			"PUT", topic, `{"ingestionDataSourceSettings": {"awsMsk": {}, "cloudStorage": {}}}`,
			`Invalid value at 'ingestion_data_source_settings' (oneof), oneof field 'source' is already set. Cannot set 'cloudStorage'`,
		},
		"no object":  {"PUT", topic, `[]`, "Invalid JSON payload received. Root element must be a message."},
		"no JSON":    {"PUT", topic, `{`, "Invalid JSON payload received. unexpected EOF."},
		"two values": {"PUT", topic, `{} {}`, "Invalid JSON payload received. Unexpected data after the end of the value."},
		"not JSON":   {"GET", topic + "?alt=media", "", "Unsupported Output Format: media"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := &recorder{reply: &pb.Topic{}}
			code, _, body := r.serve(t, tc.method, tc.target, tc.body)
			if code != http.StatusBadRequest {
				t.Fatalf("got %d %s", code, body)
			}
			got := body
			if !strings.HasPrefix(tc.want, "{") {
				got = messageOf(t, body)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if r.request != nil {
				t.Errorf("the request reached the service: %v", r.request)
			}
		})
	}
}

func TestReplies(t *testing.T) {
	topic := &pb.Topic{Name: "<t>", SchemaSettings: &pb.SchemaSettings{Encoding: pb.Encoding_JSON}}
	cases := map[string]struct{ query, want string }{
		"indented":                       {"", "{\n  \"name\": \"\\u003ct\\u003e\",\n  \"schemaSettings\": {\n    \"encoding\": \"JSON\"\n  }\n}\n"},
		"compact, as gcloud asks for it": {"?prettyPrint=False", `{"name":"\u003ct\u003e","schemaSettings":{"encoding":"JSON"}}` + "\n"},
		"compact":                        {"?prettyPrint=false", `{"name":"\u003ct\u003e","schemaSettings":{"encoding":"JSON"}}` + "\n"},
		"numbers for enumerations": {
			"?%24alt=json%3Benum-encoding%3Dint&%24prettyPrint=false", `{"name":"\u003ct\u003e","schemaSettings":{"encoding":1}}` + "\n",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			code, header, body := (&recorder{reply: topic}).serve(t, "GET", "/v1/projects/p/topics/t"+tc.query, "")
			if code != http.StatusOK || body != tc.want {
				t.Errorf("got %d %s\nwant 200 %s", code, body, tc.want)
			}
			if got := header.Get("Content-Type"); got != "application/json; charset=UTF-8" {
				t.Errorf("content type %q", got)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	code, _, body := (&recorder{err: status.Error(codes.FailedPrecondition, "no")}).serve(t, "GET", "/v1/projects/p/topics/t", "")
	if code != http.StatusBadRequest || !strings.Contains(body, `"status": "FAILED_PRECONDITION"`) {
		t.Errorf("got %d %s", code, body)
	}
	code, header, _ := (&recorder{}).serve(t, "POST", "/v1/projects/p/topics/t", "")
	if code != http.StatusNotFound || header.Get("Content-Type") != "text/html; charset=UTF-8" {
		t.Errorf("a method that is not there: got %d %s", code, header.Get("Content-Type"))
	}
}
