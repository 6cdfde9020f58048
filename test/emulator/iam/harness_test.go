package iam_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	admin "cloud.google.com/go/iam/admin/apiv1"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
	"github.com/holdfast-dev/holdfast/test/emulator/iam"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// cloud is a running IAM on a clock that tests move.
type cloud struct {
	grpctest.Endpoints
	service   *iam.Service
	control   *traffic.Control
	directory *policy.Directory
	registry  *projects.Registry
	now       time.Time
}

// start serves an IAM over gRPC and HTTP until the test is over, for the
// project "my-project" and "theirs", which belongs to somebody else.
func start(t *testing.T) *cloud {
	t.Helper()
	registry := projects.New(true)
	for _, p := range []projects.Project{{ID: "my-project", Number: 123}, {ID: "example.com:scoped"}, {ID: "theirs", Foreign: true}} {
		if err := registry.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	c := &cloud{control: traffic.New(), directory: policy.NewDirectory(registry), registry: registry, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	c.service = iam.New(iam.Options{
		Projects: registry, Traffic: c.control, Directory: c.directory, Now: func() time.Time { return c.now },
	})

	c.Endpoints = grpctest.Serve(t, c.control, c.service)
	return c
}

// client returns the real client, over gRPC.
func (c *cloud) client(t *testing.T) *admin.IamClient {
	t.Helper()
	return grpctest.Open(t, admin.NewIamClient, c.GRPC())
}

// send makes one HTTP request and returns the status and the body without
// white space around.
func (c *cloud) send(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	status, answer := c.Send(t, method, path, body)
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(answer)); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, answer)
	}
	return status, compact.String()
}
