package pubsub_test

import (
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

func TestClassifyRPC(t *testing.T) {
	c := start(t)
	call := func(method, resource string) traffic.Call {
		return traffic.Call{Service: "pubsub", Method: method, Project: "my-project", Resource: resource}
	}
	cases := map[string]struct {
		method  string
		request proto.Message
		want    traffic.Call
	}{
		"get":            {"google.pubsub.v1.Publisher/GetTopic", &pb.GetTopicRequest{Topic: topicName}, call("Publisher.GetTopic", "my-topic")},
		"create":         {"google.pubsub.v1.Publisher/CreateTopic", &pb.Topic{Name: topicName}, call("Publisher.CreateTopic", "my-topic")},
		"update":         {"google.pubsub.v1.Publisher/UpdateTopic", &pb.UpdateTopicRequest{Topic: &pb.Topic{Name: topicName}}, call("Publisher.UpdateTopic", "my-topic")},
		"list":           {"google.pubsub.v1.Publisher/ListTopics", &pb.ListTopicsRequest{Project: project}, call("Publisher.ListTopics", "")},
		"subscribe":      {"google.pubsub.v1.Subscriber/CreateSubscription", &pb.Subscription{Name: subscriptionName, Topic: topicName}, call("Subscriber.CreateSubscription", "my-sub")},
		"create schema":  {"google.pubsub.v1.SchemaService/CreateSchema", &pb.CreateSchemaRequest{Parent: project, SchemaId: "my-schema"}, call("SchemaService.CreateSchema", "")},
		"revision":       {"google.pubsub.v1.SchemaService/GetSchema", &pb.GetSchemaRequest{Name: schemaName + "@12345678"}, call("SchemaService.GetSchema", "my-schema@12345678")},
		"policy":         {"google.iam.v1.IAMPolicy/GetIamPolicy", &iampb.GetIamPolicyRequest{Resource: topicName}, call("IAMPolicy.GetIamPolicy", "my-topic")},
		"by number":      {"google.pubsub.v1.Publisher/GetTopic", &pb.GetTopicRequest{Topic: "projects/" + c.registry.NumberText("my-project") + "/topics/my-topic"}, call("Publisher.GetTopic", "my-topic")},
		"nothing named":  {"google.pubsub.v1.Publisher/GetTopic", &pb.GetTopicRequest{}, traffic.Call{Service: "pubsub", Method: "Publisher.GetTopic"}},
		"somebody elses": {"google.storage.v2.Storage/GetBucket", &pb.GetTopicRequest{}, traffic.Call{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, own := c.service.ClassifyRPC("/"+tc.method, tc.request)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("call (-want +got):\n%s", diff)
			}
			if own != (tc.want.Service != "") {
				t.Errorf("own call: %v", own)
			}
		})
	}
}
