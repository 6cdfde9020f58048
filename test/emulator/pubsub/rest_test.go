package pubsub_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// TestConversationsOverREST says what Google's REST API answers to the
// requests that the Go client, Terraform and gcloud send: statuses and bodies
// to the letter.
func TestConversationsOverREST(t *testing.T) {
	const number = "?%24alt=json%3Benum-encoding%3Dint&prettyPrint=false"
	type exchange struct {
		method, path, body string
		status             int
		answer             string
	}
	notFound := func(resource string) string {
		return `{
  "error": {
    "code": 404,
    "message": "Resource not found (resource=` + resource + `).",
    "status": "NOT_FOUND"
  }
}
`
	}
	conversations := map[string][]exchange{
		"a topic with a schema, enumerations by number": {
			{"GET", "/v1/" + topicName + "?%24alt=json%3Benum-encoding%3Dint", "", 404, notFound("my-topic")},
			{"GET", "/v1/" + schemaName + "?alt=json", "", 404, notFound(schemaName)},
			{"PUT", "/v1/" + topicName + number, `{"schemaSettings": {"schema": "` + schemaName + `", "encoding": 1}}`, 404, notFound(schemaName)},
			{"POST", "/v1/" + project + "/schemas?alt=json&schemaId=my-schema&fields=name,type", `{"name": "my-schema", "type": "AVRO", "definition": "{\"type\": \"record\", \"name\": \"R\", \"fields\": []}"}`, 200, "*"},
			{
				"PUT", "/v1/" + topicName + number,
				`{"name": "` + topicName + `", "labels": {"a": "<b>"}}`, 400, "*",
			},
			{
				"PUT", "/v1/" + topicName + number,
				`{"name": "` + topicName + `", "labels": {"b": "c", "a": "b"}, "schemaSettings": {"schema": "` + schemaName + `", "encoding": 1}}`,
				200, `{"name":"` + topicName + `","labels":{"a":"b","b":"c"},"schemaSettings":{"schema":"` + schemaName + `","encoding":1}}` + "\n",
			},
			{
				"GET", "/v1/" + topicName + "?alt=json&prettyPrint=false", "",
				200, `{"name":"` + topicName + `","labels":{"a":"b","b":"c"},"schemaSettings":{"schema":"` + schemaName + `","encoding":"JSON"}}` + "\n",
			},
			{
				"PATCH", "/v1/" + topicName + number,
				`{"topic": {"name": "` + topicName + `", "messageRetentionDuration": "3600s"}, "updateMask": "labels,messageRetentionDuration"}`,
				200, `{"name":"` + topicName + `","schemaSettings":{"schema":"` + schemaName + `","encoding":1},"messageRetentionDuration":"3600s"}` + "\n",
			},
			{
				"PATCH", "/v1/" + topicName + "?alt=json&prettyPrint=false&updateMask=schemaSettings%2CmessageRetentionDuration",
				`{"topic": {"messageRetentionDuration": "600.500s"}}`,
				200, `{"name":"` + topicName + `","messageRetentionDuration":"600.500s"}` + "\n",
			},
			{
				"PATCH", "/v1/" + topicName + "?prettyPrint=false", `{"topic": {}, "updateMask": "message_retention_duration"}`,
				200, `{"name":"` + topicName + `"}` + "\n",
			},
			{"DELETE", "/v1/" + topicName + "?%24alt=json%3Benum-encoding%3Dint", "", 200, "{}\n"},
			{"DELETE", "/v1/" + schemaName + "?alt=json", "", 200, "{}\n"},
		},
		"lists leave out what is empty": {
			{"GET", "/v1/" + project + "/topics?alt=json&pageSize=100", "", 200, "{}\n"},
			{"PUT", "/v1/" + topicName, `{}`, 200, "{\n  \"name\": \"" + topicName + "\"\n}\n"},
			{
				"GET", "/v1/" + project + "/topics", "", 200,
				"{\n  \"topics\": [\n    {\n      \"name\": \"" + topicName + "\"\n    }\n  ]\n}\n",
			},
		},
		"a subscription has its defaults": {
			{"PUT", "/v1/" + topicName, "", 200, "*"},
			{
				"PUT", "/v1/" + subscriptionName, `{"topic": "` + topicName + `"}`, 200, `{
  "name": "` + subscriptionName + `",
  "topic": "` + topicName + `",
  "pushConfig": {},
  "ackDeadlineSeconds": 10,
  "messageRetentionDuration": "604800s",
  "expirationPolicy": {
    "ttl": "2678400s"
  },
  "state": "ACTIVE"
}
`,
			},
			{"GET", "/v1/" + topicName + "/subscriptions?prettyPrint=false", "", 200, `{"subscriptions":["` + subscriptionName + `"]}` + "\n"},
			{"POST", "/v1/" + topicName + ":publish", `{"messages": [{"data": "aGVsbG8="}]}`, 200, "*"},
			{"POST", "/v1/" + subscriptionName + ":pull", `{"maxMessages": 1}`, 200, "*"},
			{"POST", "/v1/" + subscriptionName + ":detach", `{}`, 200, "{}\n"},
		},
		"policies": {
			{"PUT", "/v1/" + topicName, "{}", 200, "*"},
			{"GET", "/v1/" + topicName + ":getIamPolicy?alt=json&options.requestedPolicyVersion=3", "", 200, "{\n  \"etag\": \"ACAB\"\n}\n"},
			{
				"POST", "/v1/" + topicName + ":setIamPolicy?prettyPrint=false",
				`{"policy": {"etag": "ACAB", "bindings": [{"role": "roles/pubsub.publisher", "members": ["user:a@example.com"]}]}}`,
				200, `{"version":1,"bindings":[{"role":"roles/pubsub.publisher","members":["user:a@example.com"]}],"etag":"BwUAAAAAAAE="}` + "\n",
			},
			{
				"POST", "/v1/" + topicName + ":setIamPolicy", `{"policy": {"etag": "ACAB"}}`, 409, `{
  "error": {
    "code": 409,
    "message": "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
    "status": "ABORTED"
  }
}
`,
			},
			{
				"POST", "/v1/" + topicName + ":testIamPermissions?prettyPrint=false", `{"permissions": ["pubsub.topics.get"]}`,
				200, `{"permissions":["pubsub.topics.get"]}` + "\n",
			},
			{"GET", "/v1/" + project + "/topics/missing:getIamPolicy", "", 404, notFound("missing")},
		},
	}
	for name, conversation := range conversations {
		t.Run(name, func(t *testing.T) {
			c := start(t)
			for _, e := range conversation {
				status, answer := c.Send(t, e.method, e.path, e.body)
				if status != e.status {
					t.Fatalf("%s %s: got %d %s\nwant %d", e.method, e.path, status, answer, e.status)
				}
				if diff := cmp.Diff(e.answer, answer); e.answer != "*" && diff != "" {
					t.Errorf("%s %s (-want +got):\n%s", e.method, e.path, diff)
				}
			}
		})
	}
}

func TestFaultsReachRESTClients(t *testing.T) {
	c := start(t)
	call := traffic.Call{Service: "pubsub", Method: "Publisher.CreateTopic", Project: "my-project", Resource: "my-topic"}
	c.control.Inject(traffic.Fault{Match: call, Times: 1, Status: http.StatusTooManyRequests, RetryAfter: 1500 * time.Millisecond})
	c.control.Inject(traffic.Fault{Match: call, Times: 1, LoseReply: true})

	put := func() (*http.Response, error) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, c.URL+"/v1/"+topicName, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		return http.DefaultClient.Do(request)
	}
	refused, err := put()
	if err != nil {
		t.Fatal(err)
	}
	_ = refused.Body.Close()
	if refused.StatusCode != http.StatusTooManyRequests || refused.Header.Get("Retry-After") != "2" {
		t.Errorf("got %d with Retry-After %q, want 429 with 2", refused.StatusCode, refused.Header.Get("Retry-After"))
	}
	answered, err := put()
	if err == nil {
		_ = answered.Body.Close()
	}
	if !errors.Is(err, io.EOF) {
		t.Errorf("got %v, %v, want the connection to be cut", answered, err)
	}
	if _, created := c.service.Topic(topicName); !created {
		t.Error("the call whose reply was lost was not carried out")
	}
	if n := c.control.Count(call); n != 2 {
		t.Errorf("%d calls were counted, want 2", n)
	}
}
