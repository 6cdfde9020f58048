package pubsub

import (
	"context"
	"slices"
	"strings"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

// publisher is google.pubsub.v1.Publisher.
type publisher struct {
	pb.UnimplementedPublisherServer
	*Service
}

// CreateTopic creates a topic.
func (p publisher) CreateTopic(ctx context.Context, request *pb.Topic) (*pb.Topic, error) {
	n, err := p.resolve(request.GetName(), topicKind)
	if err != nil {
		return nil, err
	}
	if err := p.mayAttach(ctx, request.GetSchemaSettings()); err != nil {
		return nil, err
	}
	topic := proto.CloneOf(request)
	topic.Name = n.String()
	ignoreOutputs(topic)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.settle(topic, nil, n); err != nil {
		return nil, err
	}
	if _, taken := p.state.topics[topic.GetName()]; taken {
		return nil, alreadyExists(n.id)
	}
	p.state.topics[topic.GetName()] = topic
	return proto.CloneOf(topic), nil
}

// GetTopic returns a topic.
func (p publisher) GetTopic(_ context.Context, request *pb.GetTopicRequest) (*pb.Topic, error) {
	return onTopic(p.Service, request.GetTopic(), func(_ name, topic *pb.Topic) (*pb.Topic, error) {
		return proto.CloneOf(topic), nil
	})
}

// UpdateTopic changes the fields of a topic that the mask names.
func (p publisher) UpdateTopic(ctx context.Context, request *pb.UpdateTopicRequest) (*pb.Topic, error) {
	if slices.ContainsFunc(request.GetUpdateMask().GetPaths(), func(path string) bool { return strings.HasPrefix(path, "schema_settings") }) {
		if err := p.mayAttach(ctx, request.GetTopic().GetSchemaSettings()); err != nil {
			return nil, err
		}
	}
	return onTopic(p.Service, request.GetTopic().GetName(), func(n name, current *pb.Topic) (*pb.Topic, error) {
		updated, update := proto.CloneOf(current), proto.CloneOf(request.GetTopic())
		ignoreOutputs(update)
		if err := topicMask.apply(updated, update, request.GetUpdateMask()); err != nil {
			return nil, err
		}
		if err := p.settle(updated, current, n); err != nil {
			return nil, err
		}
		p.state.topics[n.String()] = updated
		return proto.CloneOf(updated), nil
	})
}

// ListTopics returns a page of a project's topics, ordered by name.
func (p publisher) ListTopics(_ context.Context, request *pb.ListTopicsRequest) (*pb.ListTopicsResponse, error) {
	project, err := p.parent(request.GetProject())
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	names, next, err := page(under(p.state.topics, project.ID, topicKind), request.GetPageSize(), request.GetPageToken())
	if err != nil {
		return nil, err
	}
	response := &pb.ListTopicsResponse{NextPageToken: next}
	for _, name := range names {
		response.Topics = append(response.Topics, proto.CloneOf(p.state.topics[name]))
	}
	return response, nil
}

// DeleteTopic deletes a topic. Its subscriptions stay, without a topic.
func (p publisher) DeleteTopic(_ context.Context, request *pb.DeleteTopicRequest) (*emptypb.Empty, error) {
	return onTopic(p.Service, request.GetTopic(), func(n name, _ *pb.Topic) (*emptypb.Empty, error) {
		p.removeTopic(n)
		return &emptypb.Empty{}, nil
	})
}

// ListTopicSubscriptions returns a page of the names of the subscriptions that
// are attached to a topic.
func (p publisher) ListTopicSubscriptions(
	_ context.Context, request *pb.ListTopicSubscriptionsRequest,
) (*pb.ListTopicSubscriptionsResponse, error) {
	return onTopic(p.Service, request.GetTopic(), func(n name, _ *pb.Topic) (*pb.ListTopicSubscriptionsResponse, error) {
		names, next, err := page(p.attached(n), request.GetPageSize(), request.GetPageToken())
		if err != nil {
			return nil, err
		}
		return &pb.ListTopicSubscriptionsResponse{Subscriptions: names, NextPageToken: next}, nil
	})
}

// ListTopicSnapshots returns no snapshots, since there are none here.
func (p publisher) ListTopicSnapshots(_ context.Context, request *pb.ListTopicSnapshotsRequest) (*pb.ListTopicSnapshotsResponse, error) {
	return onTopic(p.Service, request.GetTopic(), func(_ name, _ *pb.Topic) (*pb.ListTopicSnapshotsResponse, error) {
		return &pb.ListTopicSnapshotsResponse{}, nil
	})
}

// onTopic calls do for the topic that a request names, see [on].
func onTopic[A any](s *Service, full string, do func(name, *pb.Topic) (A, error)) (A, error) {
	return on(s, full, topicKind, s.topic, do)
}

// topic finds a topic; the caller holds s.mu and does not change it.
func (s *Service) topic(n name) (*pb.Topic, error) {
	topic, ok := s.state.topics[n.String()]
	if !ok {
		return nil, notFound(n.id)
	}
	return topic, nil
}

// removeTopic deletes a topic; the caller holds s.mu.
func (s *Service) removeTopic(n name) {
	for _, attached := range s.attached(n) {
		s.state.subscriptions[attached].Topic = deletedTopic
		s.state.subscriptions[attached].TopicMessageRetentionDuration = nil
	}
	delete(s.state.topics, n.String())
	s.policies.Drop(n.String())
	s.messages.forgetTopic(n.String())
}
