package topic

import (
	"context"
	"fmt"

	pubsub "cloud.google.com/go/pubsub/v2/apiv1"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/googleapis/gax-go/v2"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// once turns the client library's own retries off: retrying is the engine's business.
var once = gax.WithRetry(nil)

// Observe reads the topic.
func (k *Kind) Observe(ctx context.Context, ref kind.Ref) (*pubsubpb.Topic, error) {
	return call(ctx, k, "getting", ref, func(client *pubsub.TopicAdminClient) (*pubsubpb.Topic, error) {
		return client.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: fullName(ref)}, once)
	})
}

// Create makes the topic.
func (k *Kind) Create(ctx context.Context, ref kind.Ref, want *v1alpha1.Topic) (*pubsubpb.Topic, error) {
	return call(ctx, k, "creating", ref, func(client *pubsub.TopicAdminClient) (*pubsubpb.Topic, error) {
		topic, err := build(want.Spec)
		if err != nil {
			return nil, err
		}
		topic.Name = fullName(ref)
		topic.Labels = ref.Labels(want.Spec.Labels, nil)
		return client.CreateTopic(ctx, topic, once)
	})
}

// Delete deletes the topic. Pub/Sub offers no precondition: a namesake made since it was observed would go instead.
func (k *Kind) Delete(ctx context.Context, ref kind.Ref, _ *pubsubpb.Topic) error {
	_, err := call(ctx, k, "deleting", ref, func(client *pubsub.TopicAdminClient) (none, error) {
		return none{}, client.DeleteTopic(ctx, &pubsubpb.DeleteTopicRequest{Topic: fullName(ref)}, once)
	})
	if gcp.IsNotFound(err) {
		return nil
	}
	return err
}

type none struct{}

// call makes one call of Pub/Sub, and says in its error what it was for.
func call[R any](ctx context.Context, k *Kind, doing string, ref kind.Ref, do func(*pubsub.TopicAdminClient) (R, error)) (R, error) {
	return gcp.With(ctx, k.client, ref.Impersonate, fmt.Sprintf("%s topic %q", doing, ref.ID), do)
}
