package resourcemanager_test

import (
	"testing"

	apiv3 "cloud.google.com/go/resourcemanager/apiv3"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/resourcemanager"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// cloud is a running Resource Manager with the projects "my-project" (123),
// "other-project", labelled team=shop, and "theirs" (456), which belongs to
// somebody else.
type cloud struct {
	grpctest.Endpoints
	service   *resourcemanager.Service
	control   *traffic.Control
	registry  *projects.Registry
	directory *policy.Directory
}

func start(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{control: traffic.New(), registry: projects.New(true)}
	for _, p := range []projects.Project{
		{ID: "my-project", Number: 123}, {ID: "other-project", Labels: map[string]string{"team": "shop"}},
		{ID: "theirs", Number: 456, Foreign: true},
	} {
		if err := c.registry.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	c.directory = policy.NewDirectory(c.registry)
	c.service = resourcemanager.New(resourcemanager.Options{Projects: c.registry, Traffic: c.control, Directory: c.directory})

	c.Endpoints = grpctest.Serve(t, c.control, c.service)
	return c
}

// client returns the real client, over gRPC.
func (c *cloud) client(t *testing.T) *apiv3.ProjectsClient {
	t.Helper()
	return grpctest.Open(t, apiv3.NewProjectsClient, c.GRPC())
}

// eachTransport runs a test with the real client over gRPC and over REST,
// each with a Resource Manager of its own.
func eachTransport(t *testing.T, test func(t *testing.T, c *cloud, client *apiv3.ProjectsClient)) {
	t.Helper()
	grpctest.EachTransport(t, start, apiv3.NewProjectsClient, apiv3.NewProjectsRESTClient, test)
}
