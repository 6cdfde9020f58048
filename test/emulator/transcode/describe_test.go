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

	"github.com/holdfast-dev/holdfast/test/emulator/transcode"
)

// topicServer answers with the topic that it was asked for.
type topicServer struct {
	pb.UnimplementedPublisherServer
}

func (topicServer) CreateTopic(_ context.Context, topic *pb.Topic) (*pb.Topic, error) {
	return topic, nil
}

func (topicServer) GetTopic(_ context.Context, request *pb.GetTopicRequest) (*pb.Topic, error) {
	return &pb.Topic{Name: request.GetTopic()}, nil
}

// TestRegisterByName: a service that is registered by its name answers like
// one that its generated code registers.
func TestRegisterByName(t *testing.T) {
	generated, named := transcode.New(nil), transcode.New(nil)
	pb.RegisterPublisherServer(generated, topicServer{})
	named.RegisterByName("google.pubsub.v1.Publisher", topicServer{})
	for _, request := range []struct{ method, target, body string }{
		{"PUT", "/v1/projects/p/topics/t", `{"labels": {"a": "b"}}`},
		{"PUT", "/v1/projects/p/topics/t", `{"lables": {}}`},
		{"GET", "/v1/projects/p/topics/t", ""},
		{"DELETE", "/v1/projects/p/topics/t", ""},
		{"GET", "/v1/nothing", ""},
	} {
		var answers []string
		for _, front := range []*transcode.Front{generated, named} {
			recorder := httptest.NewRecorder()
			front.ServeHTTP(recorder, httptest.NewRequest(request.method, request.target, strings.NewReader(request.body)))
			body, err := io.ReadAll(recorder.Body)
			if err != nil {
				t.Fatal(err)
			}
			answers = append(answers, http.StatusText(recorder.Code)+": "+string(body))
		}
		if diff := cmp.Diff(answers[0], answers[1]); diff != "" {
			t.Errorf("%s %s (-generated +named):\n%s", request.method, request.target, diff)
		}
	}
	defer func() {
		if reason := recover(); reason == nil {
			t.Error("registered a service that is not there")
		}
	}()
	named.RegisterByName("google.pubsub.v1.Nothing", topicServer{})
}
