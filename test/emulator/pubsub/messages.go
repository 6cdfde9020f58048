package pubsub

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
)

// messages delivers messages, by Google's own fake. It knows the topics and
// subscriptions by name only, and starts with the first subscription, since a
// message that nobody subscribed to is lost anyway.
type messages struct {
	mu     sync.Mutex
	server *pstest.Server
	last   int64 // the ID of the last message that went to nobody
}

// engine returns the fake, nil as long as there is no subscription.
func (m *messages) engine() *pstest.GServer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.server == nil {
		return nil
	}
	return &m.server.GServer
}

func (m *messages) start() *pstest.GServer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.server == nil {
		m.server = pstest.NewServerWithAddress("127.0.0.1:0")
	}
	return &m.server.GServer
}

// subscribe begins to collect messages for a subscription.
func (m *messages) subscribe(s *pb.Subscription) error {
	engine := m.start()
	ctx := context.Background()
	// The topic is there already if it has other subscriptions.
	_, _ = engine.CreateTopic(ctx, &pb.Topic{Name: s.GetTopic()})
	if dead := s.GetDeadLetterPolicy().GetDeadLetterTopic(); dead != "" {
		_, _ = engine.CreateTopic(ctx, &pb.Topic{Name: dead})
	}
	_, err := engine.CreateSubscription(ctx, &pb.Subscription{
		Name: s.GetName(), Topic: s.GetTopic(), AckDeadlineSeconds: s.GetAckDeadlineSeconds(),
		EnableMessageOrdering: s.GetEnableMessageOrdering(), Filter: s.GetFilter(),
		EnableExactlyOnceDelivery: s.GetEnableExactlyOnceDelivery(),
		DeadLetterPolicy:          s.GetDeadLetterPolicy(), RetryPolicy: s.GetRetryPolicy(),
	})
	return err
}

func (m *messages) forgetSubscription(name string) {
	if engine := m.engine(); engine != nil {
		_, _ = engine.DeleteSubscription(context.Background(), &pb.DeleteSubscriptionRequest{Subscription: name})
	}
}

func (m *messages) forgetTopic(name string) {
	if engine := m.engine(); engine != nil {
		_, _ = engine.DeleteTopic(context.Background(), &pb.DeleteTopicRequest{Topic: name})
	}
}

// publish delivers messages to a topic's subscriptions.
func (m *messages) publish(ctx context.Context, request *pb.PublishRequest) (*pb.PublishResponse, error) {
	if engine := m.engine(); engine != nil {
		// A topic without subscriptions is not known to the fake.
		_, _ = engine.CreateTopic(ctx, &pb.Topic{Name: request.GetTopic()})
		return engine.Publish(ctx, request)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	response := &pb.PublishResponse{}
	for range request.GetMessages() {
		m.last++
		response.MessageIds = append(response.MessageIds, strconv.FormatInt(m.last, 10))
	}
	return response, nil
}

// reset forgets all messages and begins anew with the given subscriptions.
func (m *messages) reset(subscriptions map[string]*pb.Subscription) error {
	if err := m.close(); err != nil {
		return err
	}
	for _, s := range subscriptions {
		if s.GetDetached() || s.GetTopic() == deletedTopic {
			continue
		}
		if err := m.subscribe(s); err != nil {
			return fmt.Errorf("subscribing %s: %w", s.GetName(), err)
		}
	}
	return nil
}

func (m *messages) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.server == nil {
		return nil
	}
	err := m.server.Close()
	m.server = nil
	if err != nil {
		return fmt.Errorf("stopping the delivery of messages: %w", err)
	}
	return nil
}
