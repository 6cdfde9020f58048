package pubsub

import (
	"context"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// maxMessages is how many messages one request can publish.
const maxMessages = 1000

// Publish adds messages to a topic.
func (p publisher) Publish(ctx context.Context, request *pb.PublishRequest) (*pb.PublishResponse, error) {
	n, err := p.resolve(request.GetTopic(), topicKind)
	if err != nil {
		return nil, err
	}
	if err := validatePublish(request); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.topic(n); err != nil {
		return nil, err
	}
	request.Topic = n.String()
	return p.messages.publish(ctx, request)
}

func validatePublish(request *pb.PublishRequest) error {
	switch count := len(request.GetMessages()); {
	case count == 0:
		return status.Error(codes.InvalidArgument,
			"The value for message_count is too small. You passed 0 in the request, but the minimum value is 1.")
	case count > maxMessages:
		return status.Errorf(codes.InvalidArgument,
			"The value for message_count is too large. You passed %d in the request, but the maximum value is %d.", count, maxMessages)
	}
	for _, message := range request.GetMessages() {
		if len(message.GetData()) == 0 && len(message.GetAttributes()) == 0 {
			return status.Error(codes.InvalidArgument,
				"One or more messages in the publish request is empty. Each message must contain either non-empty data, or at least one attribute.")
		}
	}
	return nil
}

// Pull returns messages that wait.
func (sub subscriber) Pull(ctx context.Context, request *pb.PullRequest) (*pb.PullResponse, error) {
	if request.GetMaxMessages() <= 0 {
		return nil, invalidArgument("max_messages")
	}
	engine, full, err := sub.deliverer(request.GetSubscription())
	if err != nil {
		return nil, err
	}
	request.Subscription = full
	return engine.Pull(ctx, request)
}

// StreamingPull returns messages as they come. The fake finds the subscription
// itself, in the first request.
func (sub subscriber) StreamingPull(stream pb.Subscriber_StreamingPullServer) error {
	return sub.messages.start().StreamingPull(stream)
}

// Acknowledge takes messages off a subscription.
func (sub subscriber) Acknowledge(ctx context.Context, request *pb.AcknowledgeRequest) (*emptypb.Empty, error) {
	if len(request.GetAckIds()) == 0 {
		return nil, noAckID()
	}
	engine, full, err := sub.deliverer(request.GetSubscription())
	if err != nil {
		return nil, err
	}
	request.Subscription = full
	return engine.Acknowledge(ctx, request)
}

// ModifyAckDeadline gives messages more time, or none.
func (sub subscriber) ModifyAckDeadline(ctx context.Context, request *pb.ModifyAckDeadlineRequest) (*emptypb.Empty, error) {
	if len(request.GetAckIds()) == 0 {
		return nil, noAckID()
	}
	engine, full, err := sub.deliverer(request.GetSubscription())
	if err != nil {
		return nil, err
	}
	request.Subscription = full
	return engine.ModifyAckDeadline(ctx, request)
}

// Seek drops the messages before a time.
func (sub subscriber) Seek(ctx context.Context, request *pb.SeekRequest) (*pb.SeekResponse, error) {
	engine, full, err := sub.deliverer(request.GetSubscription())
	if err != nil {
		return nil, err
	}
	request.Subscription = full
	return engine.Seek(ctx, request)
}

func noAckID() error {
	return status.Error(codes.InvalidArgument, "You have not specified an ack ID in the request.")
}

// deliverer finds a subscription that messages can be taken from, and returns
// what delivers them.
func (sub subscriber) deliverer(full string) (*pstest.GServer, string, error) {
	n, err := sub.resolve(full, subscriptionKind)
	if err != nil {
		return nil, "", err
	}
	sub.mu.Lock()
	defer sub.mu.Unlock()
	subscription, err := sub.subscription(n)
	switch {
	case err != nil:
		return nil, "", err
	case subscription.GetDetached():
		return nil, "", failedPrecondition("The subscription is detached (resource=%s).", n.id)
	case subscription.GetPushConfig().GetPushEndpoint() != "":
		return nil, "", failedPrecondition("This method is not supported for this subscription type.")
	default:
		return sub.messages.start(), n.String(), nil
	}
}
