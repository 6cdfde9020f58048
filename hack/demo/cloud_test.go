package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

func TestPathOf(t *testing.T) {
	for name, c := range map[string]struct{ externalName, want string }{
		"a bucket":           {"//storage.googleapis.com/logs", "/emulator/storage/b/logs"},
		"a topic":            {"//pubsub.googleapis.com/projects/p/topics/t", "/emulator/pubsub/projects/p/topics/t"},
		"an unknown service": {"//compute.googleapis.com/projects/p/zones/z", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := pathOf(c.externalName)
			if (err != nil) != (c.want == "") {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestDescribeCall(t *testing.T) {
	for name, c := range map[string]struct {
		entry traffic.Entry
		want  string
	}{
		"REST with a body": {
			traffic.Entry{HTTPMethod: "PATCH", Path: "/storage/v1/b/logs?alt=json", Request: "{\n \"labels\": {}\n}"},
			`PATCH /storage/v1/b/logs?alt=json {"labels":{}}`,
		},
		"gRPC": {
			traffic.Entry{Path: "/google.pubsub.v1.Publisher/GetTopic"},
			"/google.pubsub.v1.Publisher/GetTopic",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, describeCall(c.entry)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
