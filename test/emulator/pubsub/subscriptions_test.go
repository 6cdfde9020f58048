package pubsub_test

import (
	"context"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2"
	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
)

const subscriptionName = project + "/subscriptions/my-sub"

// subscribed returns a Pub/Sub with a topic and a subscription to it.
func subscribed(t *testing.T) *cloud {
	t.Helper()
	c := start(t)
	if _, err := c.topics(t).CreateTopic(t.Context(), &pb.Topic{Name: topicName, MessageRetentionDuration: durationpb.New(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.subscriptions(t).CreateSubscription(t.Context(), &pb.Subscription{Name: subscriptionName, Topic: topicName}); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSubscriptionDefaultsAndChanges(t *testing.T) {
	c := subscribed(t)
	ctx, subscriptions := t.Context(), c.subscriptions(t)
	got, err := subscriptions.GetSubscription(ctx, &pb.GetSubscriptionRequest{Subscription: subscriptionName})
	if err != nil {
		t.Fatal(err)
	}
	want := &pb.Subscription{
		Name: subscriptionName, Topic: topicName, PushConfig: &pb.PushConfig{}, AckDeadlineSeconds: 10,
		MessageRetentionDuration:      durationpb.New(7 * 24 * time.Hour),
		ExpirationPolicy:              &pb.ExpirationPolicy{Ttl: durationpb.New(31 * 24 * time.Hour)},
		TopicMessageRetentionDuration: durationpb.New(time.Hour), State: pb.Subscription_ACTIVE,
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("subscription (-want +got):\n%s", diff)
	}

	want.AckDeadlineSeconds, want.Labels = 30, map[string]string{"a": "b"}
	got, err = subscriptions.UpdateSubscription(ctx, &pb.UpdateSubscriptionRequest{
		Subscription: &pb.Subscription{Name: subscriptionName, AckDeadlineSeconds: 30, Labels: want.GetLabels()},
		UpdateMask:   &fieldmaskpb.FieldMask{Paths: []string{"labels", "ack_deadline_seconds", "expiration_policy"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("updated subscription (-want +got):\n%s", diff)
	}
	_, err = subscriptions.UpdateSubscription(ctx, &pb.UpdateSubscriptionRequest{
		Subscription: &pb.Subscription{Name: subscriptionName, EnableMessageOrdering: true},
		UpdateMask:   &fieldmaskpb.FieldMask{Paths: []string{"enable_message_ordering"}},
	})
	grpctest.WantRefusal(t, err, codes.InvalidArgument,
		"Invalid update_mask provided in the UpdateSubscriptionRequest: the 'enable_message_ordering' field in the Subscription is not mutable.")
}

func TestSubscriptionsThatAreRefused(t *testing.T) {
	cases := map[string]struct {
		subscription *pb.Subscription
		code         codes.Code
		message      string
	}{
		"topic that is not there": {
			&pb.Subscription{Topic: project + "/topics/missing"}, codes.NotFound, "Resource not found (resource=missing).",
		},
		"ack deadline": {
			&pb.Subscription{Topic: topicName, AckDeadlineSeconds: 601}, codes.InvalidArgument,
			"Invalid ack deadline given (ack_deadline=601). The ack deadline must be between 0 and 600 seconds.",
		},
		"expiration": {
			&pb.Subscription{Topic: topicName, ExpirationPolicy: &pb.ExpirationPolicy{Ttl: durationpb.New(time.Hour)}}, codes.InvalidArgument,
			"The value for expiration duration is too small. You passed 1h in the request, but the minimum value is 24h.",
		},
		"dead letters to a topic that is not there": {
			&pb.Subscription{Topic: topicName, DeadLetterPolicy: &pb.DeadLetterPolicy{DeadLetterTopic: project + "/topics/dead"}}, codes.NotFound,
			"Resource not found (resource=dead).",
		},
	}
	c := subscribed(t)
	subscriptions := c.subscriptions(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.subscription.Name = project + "/subscriptions/other"
			_, err := subscriptions.CreateSubscription(t.Context(), tc.subscription)
			grpctest.WantRefusal(t, err, tc.code, tc.message)
		})
	}
	_, err := subscriptions.CreateSubscription(t.Context(), &pb.Subscription{Name: subscriptionName, Topic: topicName})
	grpctest.WantRefusal(t, err, codes.AlreadyExists, "Resource already exists in the project (resource=my-sub).")
}

func TestSubscriptionsOutliveTheirTopic(t *testing.T) {
	c := subscribed(t)
	ctx, topics := t.Context(), c.topics(t)
	attached := topics.ListTopicSubscriptions(ctx, &pb.ListTopicSubscriptionsRequest{Topic: topicName})
	if name, err := attached.Next(); err != nil || name != subscriptionName {
		t.Errorf("subscriptions of the topic: got %q, %v", name, err)
	}
	if err := topics.DeleteTopic(ctx, &pb.DeleteTopicRequest{Topic: topicName}); err != nil {
		t.Fatal(err)
	}
	got, err := c.subscriptions(t).GetSubscription(ctx, &pb.GetSubscriptionRequest{Subscription: subscriptionName})
	if err != nil {
		t.Fatal(err)
	}
	if got.GetTopic() != "_deleted-topic_" || got.GetTopicMessageRetentionDuration() != nil {
		t.Errorf("subscription of a deleted topic: %v", got)
	}
	// A topic of the same name is another one.
	if _, err := topics.CreateTopic(ctx, &pb.Topic{Name: topicName}); err != nil {
		t.Fatal(err)
	}
	if name, err := topics.ListTopicSubscriptions(ctx, &pb.ListTopicSubscriptionsRequest{Topic: topicName}).Next(); err == nil {
		t.Errorf("the new topic has the subscription %q of the old one", name)
	}
}

func TestMessagesArriveAndAreAcknowledged(t *testing.T) {
	c := subscribed(t)
	ctx, topics, subscriptions := t.Context(), c.topics(t), c.subscriptions(t)
	_, err := topics.Publish(ctx, &pb.PublishRequest{Topic: topicName})
	grpctest.WantRefusal(t, err, codes.InvalidArgument,
		"The value for message_count is too small. You passed 0 in the request, but the minimum value is 1.")
	message := &pb.PubsubMessage{Data: []byte("hello"), Attributes: map[string]string{"k": "v"}}
	published, err := topics.Publish(ctx, &pb.PublishRequest{Topic: topicName, Messages: []*pb.PubsubMessage{message}})
	if err != nil {
		t.Fatal(err)
	}
	pull := func() []*pb.ReceivedMessage {
		t.Helper()
		response, err := subscriptions.Pull(ctx, &pb.PullRequest{Subscription: subscriptionName, MaxMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		return response.GetReceivedMessages()
	}
	received := pull()
	if len(received) != 1 {
		t.Fatalf("pulled %d messages, want 1", len(received))
	}
	want := &pb.PubsubMessage{Data: []byte("hello"), Attributes: map[string]string{"k": "v"}, MessageId: published.GetMessageIds()[0]}
	if diff := cmp.Diff(want, received[0].GetMessage(), protocmp.Transform(), protocmp.IgnoreFields(&pb.PubsubMessage{}, "publish_time")); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
	if err := subscriptions.Acknowledge(ctx, &pb.AcknowledgeRequest{Subscription: subscriptionName, AckIds: []string{received[0].GetAckId()}}); err != nil {
		t.Fatal(err)
	}
	if again := pull(); len(again) > 0 {
		t.Errorf("pulled %v after it was acknowledged", again)
	}
}

func TestTheStreamingClientReceives(t *testing.T) {
	c := subscribed(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	client, err := pubsub.NewClient(ctx, "my-project", c.GRPC()...)
	grpctest.Must(t, err)
	t.Cleanup(func() { _ = client.Close() })
	if _, err := client.Publisher(topicName).Publish(ctx, &pubsub.Message{Data: []byte("hello")}).Get(ctx); err != nil {
		t.Fatal(err)
	}
	var got string
	err = client.Subscriber(subscriptionName).Receive(ctx, func(_ context.Context, m *pubsub.Message) {
		got = string(m.Data)
		m.Ack()
		cancel()
	})
	if err != nil || got != "hello" {
		t.Errorf("received %q, %v", got, err)
	}
}

func TestDetachedSubscriptionsDeliverNothing(t *testing.T) {
	c := subscribed(t)
	ctx, topics := t.Context(), c.topics(t)
	if _, err := topics.DetachSubscription(ctx, &pb.DetachSubscriptionRequest{Subscription: subscriptionName}); err != nil {
		t.Fatal(err)
	}
	_, err := c.subscriptions(t).Pull(ctx, &pb.PullRequest{Subscription: subscriptionName, MaxMessages: 1})
	grpctest.WantRefusal(t, err, codes.FailedPrecondition, "The subscription is detached (resource=my-sub).")
}
