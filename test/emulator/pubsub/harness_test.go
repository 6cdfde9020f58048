package pubsub_test

import (
	"testing"
	"time"

	apiv1 "cloud.google.com/go/pubsub/v2/apiv1"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/pubsub"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

const project = "projects/my-project"

// epoch is what the clock of the tests says.
var epoch = time.Date(2026, time.March, 4, 5, 6, 7, 123456000, time.UTC)

// cloud is a running Pub/Sub.
type cloud struct {
	grpctest.Endpoints
	service  *pubsub.Service
	control  *traffic.Control
	registry *projects.Registry
}

// start serves a Pub/Sub over gRPC and HTTP until the test is over.
func start(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{control: traffic.New(), registry: projects.New(false)}
	c.service = pubsub.New(c.control, c.registry, policy.NewDirectory(c.registry), pubsub.WithClock(func() time.Time { return epoch }))
	t.Cleanup(func() {
		if err := c.service.Close(); err != nil {
			t.Errorf("closing Pub/Sub: %v", err)
		}
	})

	c.Endpoints = grpctest.Serve(t, c.control, c.service)
	return c
}

// topics returns the real client for topics, over gRPC.
func (c *cloud) topics(t *testing.T) *apiv1.TopicAdminClient {
	t.Helper()
	return grpctest.Open(t, apiv1.NewTopicAdminClient, c.GRPC())
}

// schemas returns the real client for schemas, over gRPC.
func (c *cloud) schemas(t *testing.T) *apiv1.SchemaClient {
	t.Helper()
	return grpctest.Open(t, apiv1.NewSchemaClient, c.GRPC())
}

// subscriptions returns the real client for subscriptions, over gRPC.
func (c *cloud) subscriptions(t *testing.T) *apiv1.SubscriptionAdminClient {
	t.Helper()
	return grpctest.Open(t, apiv1.NewSubscriptionAdminClient, c.GRPC())
}

// eachTransport runs a test with the real topic client over gRPC and over
// REST, each with a Pub/Sub of its own.
func eachTransport(t *testing.T, test func(t *testing.T, c *cloud, topics *apiv1.TopicAdminClient)) {
	t.Helper()
	grpctest.EachTransport(t, start, apiv1.NewTopicAdminClient, apiv1.NewTopicAdminRESTClient, test)
}
