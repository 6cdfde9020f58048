package pubsub

import (
	"context"
	"maps"
	"slices"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

// subscriber is google.pubsub.v1.Subscriber, without snapshots.
type subscriber struct {
	pb.UnimplementedSubscriberServer
	*Service
}

// CreateSubscription creates a subscription to a topic.
func (sub subscriber) CreateSubscription(_ context.Context, request *pb.Subscription) (*pb.Subscription, error) {
	n, err := sub.resolve(request.GetName(), subscriptionKind)
	if err != nil {
		return nil, err
	}
	topicName, err := sub.resolve(request.GetTopic(), topicKind)
	if err != nil {
		return nil, err
	}
	subscription := proto.CloneOf(request)
	subscription.Name, subscription.Topic = n.String(), topicName.String()
	if err := settleSubscription(subscription); err != nil {
		return nil, err
	}
	sub.mu.Lock()
	defer sub.mu.Unlock()
	topic, err := sub.topic(topicName)
	if err != nil {
		return nil, err
	}
	if err := sub.checkDeadLetters(subscription); err != nil {
		return nil, err
	}
	if _, taken := sub.state.subscriptions[subscription.GetName()]; taken {
		return nil, alreadyExists(n.id)
	}
	if err := sub.messages.subscribe(subscription); err != nil {
		return nil, err
	}
	sub.state.subscriptions[subscription.GetName()] = subscription
	return reported(subscription, topic), nil
}

// GetSubscription returns a subscription.
func (sub subscriber) GetSubscription(_ context.Context, request *pb.GetSubscriptionRequest) (*pb.Subscription, error) {
	return onSubscription(sub.Service, request.GetSubscription(), func(_ name, subscription *pb.Subscription) (*pb.Subscription, error) {
		return reported(subscription, sub.state.topics[subscription.GetTopic()]), nil
	})
}

// UpdateSubscription changes the fields that the mask names.
func (sub subscriber) UpdateSubscription(_ context.Context, request *pb.UpdateSubscriptionRequest) (*pb.Subscription, error) {
	return onSubscription(sub.Service, request.GetSubscription().GetName(), func(n name, current *pb.Subscription) (*pb.Subscription, error) {
		updated := proto.CloneOf(current)
		if err := subscriptionMask.apply(updated, proto.CloneOf(request.GetSubscription()), request.GetUpdateMask()); err != nil {
			return nil, err
		}
		if err := settleSubscription(updated); err != nil {
			return nil, err
		}
		if err := sub.checkDeadLetters(updated); err != nil {
			return nil, err
		}
		sub.state.subscriptions[n.String()] = updated
		return reported(updated, sub.state.topics[updated.GetTopic()]), nil
	})
}

// ModifyPushConfig replaces the push configuration; an empty one makes it a
// pull subscription.
func (sub subscriber) ModifyPushConfig(_ context.Context, request *pb.ModifyPushConfigRequest) (*emptypb.Empty, error) {
	return onSubscription(sub.Service, request.GetSubscription(), func(_ name, subscription *pb.Subscription) (*emptypb.Empty, error) {
		subscription.PushConfig = proto.CloneOf(request.GetPushConfig())
		if err := settleSubscription(subscription); err != nil {
			return nil, err
		}
		return &emptypb.Empty{}, nil
	})
}

// ListSubscriptions returns a page of a project's subscriptions, ordered by
// name.
func (sub subscriber) ListSubscriptions(_ context.Context, request *pb.ListSubscriptionsRequest) (*pb.ListSubscriptionsResponse, error) {
	project, err := sub.parent(request.GetProject())
	if err != nil {
		return nil, err
	}
	sub.mu.Lock()
	defer sub.mu.Unlock()
	names, next, err := page(under(sub.state.subscriptions, project.ID, subscriptionKind), request.GetPageSize(), request.GetPageToken())
	if err != nil {
		return nil, err
	}
	response := &pb.ListSubscriptionsResponse{NextPageToken: next}
	for _, name := range names {
		subscription := sub.state.subscriptions[name]
		response.Subscriptions = append(response.Subscriptions, reported(subscription, sub.state.topics[subscription.GetTopic()]))
	}
	return response, nil
}

// DeleteSubscription deletes a subscription.
func (sub subscriber) DeleteSubscription(_ context.Context, request *pb.DeleteSubscriptionRequest) (*emptypb.Empty, error) {
	return onSubscription(sub.Service, request.GetSubscription(), func(n name, _ *pb.Subscription) (*emptypb.Empty, error) {
		sub.removeSubscription(n)
		return &emptypb.Empty{}, nil
	})
}

// DetachSubscription cuts a subscription off its topic for good.
func (p publisher) DetachSubscription(_ context.Context, request *pb.DetachSubscriptionRequest) (*pb.DetachSubscriptionResponse, error) {
	return onSubscription(p.Service, request.GetSubscription(), func(n name, subscription *pb.Subscription) (*pb.DetachSubscriptionResponse, error) {
		subscription.Detached = true
		p.messages.forgetSubscription(n.String())
		return &pb.DetachSubscriptionResponse{}, nil
	})
}

// onSubscription calls do for the subscription that a request names, see [on].
func onSubscription[A any](s *Service, full string, do func(name, *pb.Subscription) (A, error)) (A, error) {
	return on(s, full, subscriptionKind, s.subscription, do)
}

// subscription finds a subscription; the caller holds s.mu.
func (s *Service) subscription(n name) (*pb.Subscription, error) {
	subscription, ok := s.state.subscriptions[n.String()]
	if !ok {
		return nil, notFound(n.id)
	}
	return subscription, nil
}

// attached returns the names of a topic's subscriptions, sorted; the caller
// holds s.mu.
func (s *Service) attached(topic name) []string {
	attached := map[string]bool{}
	for name, subscription := range s.state.subscriptions {
		if subscription.GetTopic() == topic.String() && !subscription.GetDetached() {
			attached[name] = true
		}
	}
	return slices.Sorted(maps.Keys(attached))
}

// removeSubscription deletes a subscription; the caller holds s.mu.
func (s *Service) removeSubscription(n name) {
	delete(s.state.subscriptions, n.String())
	s.policies.Drop(n.String())
	s.messages.forgetSubscription(n.String())
}

// reported returns a copy of a subscription as Google reports it, with the
// retention of its topic, which is nil if it was deleted.
func reported(subscription *pb.Subscription, topic *pb.Topic) *pb.Subscription {
	report := proto.CloneOf(subscription)
	report.TopicMessageRetentionDuration = proto.CloneOf(topic.GetMessageRetentionDuration())
	return report
}
