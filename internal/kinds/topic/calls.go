package topic

import (
	"context"
	"fmt"

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
	client, err := k.client(ctx, ref.Impersonate)
	if err != nil {
		return nil, fmt.Errorf("getting topic %q: %w", ref.ID, err)
	}
	live, err := client.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: fullName(ref)}, once)
	if err != nil {
		return nil, fmt.Errorf("getting topic %q: %w", ref.ID, err)
	}
	return live, nil
}

// Create makes the topic.
func (k *Kind) Create(ctx context.Context, ref kind.Ref, want *v1alpha1.Topic) (*pubsubpb.Topic, error) {
	topic, err := build(want.Spec)
	if err != nil {
		return nil, fmt.Errorf("creating topic %q: %w", ref.ID, err)
	}
	topic.Name = fullName(ref)
	topic.Labels = ref.Labels(want.Spec.Labels, nil)
	client, err := k.client(ctx, ref.Impersonate)
	if err != nil {
		return nil, fmt.Errorf("creating topic %q: %w", ref.ID, err)
	}
	live, err := client.CreateTopic(ctx, topic, once)
	if err != nil {
		return nil, fmt.Errorf("creating topic %q: %w", ref.ID, err)
	}
	return live, nil
}

// Delete deletes the topic. Pub/Sub offers no precondition: a namesake made since it was observed would go instead.
func (k *Kind) Delete(ctx context.Context, ref kind.Ref, _ *pubsubpb.Topic) error {
	client, err := k.client(ctx, ref.Impersonate)
	if err != nil {
		return fmt.Errorf("deleting topic %q: %w", ref.ID, err)
	}
	err = client.DeleteTopic(ctx, &pubsubpb.DeleteTopicRequest{Topic: fullName(ref)}, once)
	if err != nil && !gcp.IsNotFound(err) {
		return fmt.Errorf("deleting topic %q: %w", ref.ID, err)
	}
	return nil
}
