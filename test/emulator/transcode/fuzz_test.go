package transcode_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// FuzzBody looks for bodies that panic, are answered with anything but 200 or
// 400, or are taken although protobuf's own reader finds a field that it does
// not know.
func FuzzBody(f *testing.F) {
	for _, body := range []string{
		`{"labels": {"a": "b"}, "messageRetentionDuration": "600s"}`, `{"schemaSettings": {"encoding": 1}}`,
		`{"messageTransforms": [{"javascriptUdf": null}]}`, `{"x": 1}`, `[]`, `{"labels": [1]}`,
		`{"ingestionDataSourceSettings": {"awsMsk": {}, "cloudStorage": {}}}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := &recorder{reply: &pb.Topic{}}
		code, _, answer := r.serve(t, "PUT", "/v1/projects/p/topics/t", body)
		if code != http.StatusOK && code != http.StatusBadRequest {
			t.Fatalf("got %d %s", code, answer)
		}
		if code == http.StatusBadRequest && protojson.Unmarshal([]byte(body), &pb.Topic{}) == nil {
			t.Fatalf("refused %q: %s", body, answer)
		}
	})
}

// FuzzQuery looks for parameters that panic.
func FuzzQuery(f *testing.F) {
	f.Add("pageSize", "5")
	f.Add("page_token", "x")
	f.Add("topic.labels.a", "b")
	f.Fuzz(func(t *testing.T, name, value string) {
		query := url.Values{name: {value}}
		(&recorder{reply: &pb.Topic{}}).serve(t, "PATCH", "/v1/projects/p/topics/t?"+query.Encode(), "")
	})
}

func timestamp(t *testing.T, text string) *timestamppb.Timestamp {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return timestamppb.New(parsed)
}

// messageOf returns the message of an error's body.
func messageOf(t *testing.T, body string) string {
	t.Helper()
	var envelope struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal([]byte(body), &envelope); err != nil {
		t.Fatalf("reading %q: %v", body, err)
	}
	return envelope.Error.Message
}
