package pubsub_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
)

func TestConsole(t *testing.T) {
	c := start(t)
	console := c.service.Console()
	const path = "/v1/projects/my-project/topics/my-topic"
	steps := []struct {
		method, path, body string
		status             int
		answer             string
	}{
		{"GET", path, "", 404, ""},
		{"PATCH", path, `{}`, 404, ""},
		{"PUT", path, `{"labels": {"a": "b", "c": "d"}}`, 200, `{"name":"` + topicName + `","labels":{"a":"b","c":"d"}}`},
		{"PATCH", path, `{"labels": {"a": null}, "messageRetentionDuration": "600s"}`, 200, `{"name":"` + topicName + `","labels":{"c":"d"},"messageRetentionDuration":"600s"}`},
		{"PATCH", path, `{"messageRetentionDuration": "1s"}`, 400, ""},
		{"PATCH", path, `{"colour": "red"}`, 400, ""},
		{"GET", "/v1/projects/my-project/topics", "", 200, `{"topics":[{"name":"` + topicName + `","labels":{"c":"d"},"messageRetentionDuration":"600s"}]}`},
		{"PUT", "/v1/projects/my-project/allowedRegions", `{"regions": ["europe-west1"]}`, 204, ""},
		{"PATCH", path, `{"messageStoragePolicy": {"allowedPersistenceRegions": ["us-east1"]}}`, 400, ""},
		{"PATCH", path, `{"labels": null}`, 200, `{"name":"` + topicName + `","messageRetentionDuration":"600s","messageStoragePolicy":{"allowedPersistenceRegions":["europe-west1"]}}`},
		{"PUT", "/v1/projects/my-project/allowedRegions", `[]`, 400, ""},
		{"PUT", "/v1/projects/no_project/allowedRegions", `{}`, 404, ""},
		{"PUT", "/v1/projects/my-project/allowedRegions", `{}`, 204, ""},
		{"PATCH", path, `{"messageStoragePolicy": null}`, 200, `{"name":"` + topicName + `","messageRetentionDuration":"600s"}`},
		{"DELETE", path, "", 200, `{}`},
		{"GET", "/v1/projects/my-project/topics", "", 200, `{}`},
	}
	for _, step := range steps {
		recorder := httptest.NewRecorder()
		console.ServeHTTP(recorder, httptest.NewRequest(step.method, step.path, strings.NewReader(step.body)))
		if recorder.Code != step.status {
			t.Fatalf("%s %s: got %d %s, want %d", step.method, step.path, recorder.Code, recorder.Body, step.status)
		}
		if step.answer == "" {
			continue
		}
		var got, want any
		if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(step.answer), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %s %s (-want +got):\n%s", step.method, step.path, step.body, diff)
		}
	}
	if counts := c.control.Counts(); len(counts) > 0 {
		t.Errorf("the console's calls were counted: %v", counts)
	}
}

func TestEditsPastTheAPI(t *testing.T) {
	c := start(t)
	grpctest.WantRefusal(t, c.service.EditTopic(topicName, func(*pb.Topic) {}), codes.NotFound, "Resource not found (resource="+topicName+").")
	imported := &pb.Topic{Name: topicName, IngestionDataSourceSettings: &pb.IngestionDataSourceSettings{
		Source: &pb.IngestionDataSourceSettings_CloudStorage_{
			CloudStorage: &pb.IngestionDataSourceSettings_CloudStorage{Bucket: "my-bucket"},
		},
	}}
	if err := c.service.PutTopic(imported); err != nil {
		t.Fatal(err)
	}
	// What goes wrong at Google is set here as well.
	broken := pb.IngestionDataSourceSettings_CloudStorage_BUCKET_NOT_FOUND
	err := c.service.EditTopic(topicName, func(topic *pb.Topic) {
		topic.GetIngestionDataSourceSettings().GetCloudStorage().State = broken
	})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := c.service.Topic(topicName)
	if got.GetState() != pb.Topic_INGESTION_RESOURCE_ERROR || got.GetIngestionDataSourceSettings().GetCloudStorage().GetState() != broken {
		t.Errorf("after the source broke: %v", got)
	}
	if err := c.service.DeleteTopic(topicName); err != nil {
		t.Fatal(err)
	}
	if _, there := c.service.Topic(topicName); there {
		t.Error("the topic is still there")
	}
}

func TestDumpAndLoad(t *testing.T) {
	from := subscribed(t)
	createSchema(t.Context(), t, from.schemas(t))
	from.service.RestrictRegions("my-project", "us-east1")
	if status, body := from.Send(t, http.MethodPost, "/v1/"+topicName+":setIamPolicy", `{"policy": {}}`); status != http.StatusOK {
		t.Fatalf("setting a policy: %d %s", status, body)
	}
	dumped, err := json.Marshal(from.service.Dump())
	if err != nil {
		t.Fatal(err)
	}

	to := start(t)
	if err := to.service.PutTopic(&pb.Topic{Name: project + "/topics/gone"}); err != nil {
		t.Fatal(err)
	}
	if err := to.service.Load(dumped); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(to.service.Dump())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(dumped), string(again), protocmp.Transform()); diff != "" {
		t.Errorf("state after loading (-dumped +loaded):\n%s", diff)
	}
	// The subscription that was loaded works.
	published := &pb.PublishRequest{Topic: topicName, Messages: []*pb.PubsubMessage{{Data: []byte("hello")}}}
	if _, err := to.topics(t).Publish(t.Context(), published); err != nil {
		t.Fatal(err)
	}
	response, err := to.subscriptions(t).Pull(t.Context(), &pb.PullRequest{Subscription: subscriptionName, MaxMessages: 1})
	if err != nil || len(response.GetReceivedMessages()) != 1 {
		t.Errorf("pulled %v, %v, want one message", response, err)
	}
	if err := to.service.Load(json.RawMessage(`{"topics": [{"colour": "red"}]}`)); err == nil {
		t.Error("a dump that cannot be read was loaded")
	}
}
