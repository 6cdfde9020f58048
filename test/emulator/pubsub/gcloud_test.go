package pubsub_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWhatGcloudSends sends what gcloud 528 was seen to send for the commands
// that name the steps. {first} and {second} stand for the IDs of the first
// two revisions of the schema.
func TestWhatGcloudSends(t *testing.T) {
	const (
		topic  = "/v1/" + topicName + "?alt=json"
		schema = "/v1/" + schemaName
	)
	steps := []struct {
		command, method, path, body string
		want                        string // fields that the answer must have, as JSON
	}{
		{
			"topics create", "PUT", topic,
			`{"labels": {"a": "b"}, "messageRetentionDuration": "86400s", "name": "` + topicName + `",
			  "messageStoragePolicy": {"allowedPersistenceRegions": ["us-central1"], "enforceInTransit": true}}`,
			`{"messageRetentionDuration": "86400s", "messageStoragePolicy": {"allowedPersistenceRegions": ["us-central1"], "enforceInTransit": true}}`,
		},
		{
			"topics update --update-labels", "PATCH", topic,
			`{"topic": {"labels": {"a": "b", "c": "d"}, "name": "` + topicName + `"}, "updateMask": "labels"}`,
			`{"labels": {"a": "b", "c": "d"}, "messageRetentionDuration": "86400s"}`,
		},
		{
			"topics update --clear-message-retention-duration --recompute-message-storage-policy", "PATCH", topic,
			`{"topic": {"name": "` + topicName + `"}, "updateMask": "messageRetentionDuration,messageStoragePolicy"}`,
			`{"messageRetentionDuration": null, "messageStoragePolicy": null}`,
		},
		{
			"topics update with an import from Cloud Storage", "PATCH", topic,
			`{"topic": {"name": "` + topicName + `", "ingestionDataSourceSettings": {
			   "cloudStorage": {"bucket": "my-bucket", "minimumObjectCreateTime": "2024-01-01T00:00:00Z", "textFormat": {"delimiter": ","}},
			   "platformLogsSettings": {"severity": "WARNING"}}}, "updateMask": "ingestionDataSourceSettings"}`,
			`{"state": "ACTIVE", "ingestionDataSourceSettings": {
			   "cloudStorage": {"state": "ACTIVE", "bucket": "my-bucket", "minimumObjectCreateTime": "2024-01-01T00:00:00Z", "textFormat": {"delimiter": ","}},
			   "platformLogsSettings": {"severity": "WARNING"}}}`,
		},
		{
			"topics update --message-transforms-file --clear-ingestion-data-source-settings", "PATCH", topic,
			`{"topic": {"name": "` + topicName + `", "messageTransforms": [{"javascriptUdf": {"functionName": "f", "code": "function f(m) { return m; }"}}]},
			  "updateMask": "ingestionDataSourceSettings,messageTransforms"}`,
			`{"state": null, "ingestionDataSourceSettings": null,
			  "messageTransforms": [{"javascriptUdf": {"functionName": "f", "code": "function f(m) { return m; }"}}]}`,
		},
		{
			"topics update --clear-message-transforms", "PATCH", topic,
			`{"topic": {"name": "` + topicName + `"}, "updateMask": "messageTransforms"}`, `{"messageTransforms": null}`,
		},
		{
			"schemas create", "POST", "/v1/" + project + "/schemas?alt=json&schemaId=my-schema",
			`{"definition": "syntax = \"proto3\"; message M { string a = 1; }", "name": "my-schema", "type": "PROTOCOL_BUFFER"}`,
			`{"name": "` + schemaName + `", "type": "PROTOCOL_BUFFER"}`,
		},
		{
			"schemas commit", "POST", schema + ":commit?alt=json",
			`{"schema": {"definition": "message M { string a = 1; string b = 2; }", "name": "` + schemaName + `", "type": "PROTOCOL_BUFFER"}}`,
			`{"definition": "message M { string a = 1; string b = 2; }"}`,
		},
		{"schemas list", "GET", "/v1/" + project + "/schemas?alt=json&view=BASIC", "", `{"nextPageToken": null}`},
		{"schemas describe", "GET", schema + "?alt=json&view=FULL", "", `{"revisionId": "{second}"}`},
		{"schemas describe, at a revision", "GET", schema + "@{first}?alt=json&view=FULL", "", `{"revisionId": "{first}"}`},
		{
			"schemas rollback", "POST", schema + ":rollback?alt=json", `{"revisionId": "{first}"}`,
			`{"definition": "syntax = \"proto3\"; message M { string a = 1; }"}`,
		},
		{"schemas delete-revision", "DELETE", schema + "@{first}:deleteRevision?alt=json", "", `{"revisionId": "{first}"}`},
		{
			"schemas validate-schema", "POST", "/v1/" + project + "/schemas:validate?alt=json",
			`{"schema": {"definition": "{ 'type': 'record', 'name': 'R', 'fields': [ { 'name': 'key', 'type': 'string' } ] }", "type": "AVRO"}}`, `{}`,
		},
		{
			"schemas validate-message", "POST", "/v1/" + project + "/schemas:validateMessage?alt=json",
			`{"encoding": "JSON", "message": "eyJhIjoieCJ9", "name": "` + schemaName + `"}`, `{}`,
		},
		{
			"subscriptions create", "PUT", "/v1/" + subscriptionName + "?alt=json",
			`{"ackDeadlineSeconds": 20, "name": "` + subscriptionName + `", "topic": "` + topicName + `"}`, `{"ackDeadlineSeconds": 20}`,
		},
		{
			"subscriptions update --expiration-period=never", "PATCH", "/v1/" + subscriptionName + "?alt=json",
			`{"subscription": {"expirationPolicy": {}, "name": "` + subscriptionName + `"}, "updateMask": "expirationPolicy"}`,
			`{"expirationPolicy": {}}`,
		},
		{
			"topics publish", "POST", "/v1/" + topicName + ":publish?alt=json",
			`{"messages": [{"attributes": {"k": "v"}, "data": "aGVsbG8="}]}`, `{}`,
		},
		{"subscriptions pull", "POST", "/v1/" + subscriptionName + ":pull?alt=json", `{"maxMessages": 1}`, `{}`},
		{"topics delete", "DELETE", topic, "", `{}`},
		{"subscriptions describe", "GET", "/v1/" + subscriptionName + "?alt=json", "", `{"topic": "_deleted-topic_"}`},
		{"subscriptions delete", "DELETE", "/v1/" + subscriptionName + "?alt=json", "", `{}`},
	}
	c := start(t)
	var revisions []string
	for _, step := range steps {
		fill := func(text string) string {
			for i, placeholder := range []string{"{first}", "{second}"} {
				if i < len(revisions) {
					text = strings.ReplaceAll(text, placeholder, revisions[i])
				}
			}
			return text
		}
		status, answer := c.Send(t, step.method, fill(step.path), fill(step.body))
		if status != http.StatusOK {
			t.Fatalf("%s: got %d %s", step.command, status, answer)
		}
		var got, want map[string]any
		if err := json.Unmarshal([]byte(answer), &got); err != nil {
			t.Fatalf("%s: %v", step.command, err)
		}
		if err := json.Unmarshal([]byte(fill(step.want)), &want); err != nil {
			t.Fatalf("%s: %v", step.command, err)
		}
		for field, value := range want {
			if diff := cmp.Diff(value, got[field]); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", step.command, field, diff)
			}
		}
		if id, ok := got["revisionId"].(string); ok && len(revisions) < 2 {
			revisions = append(revisions, id)
		}
	}
}
