package pubsub

import (
	"time"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// What a subscription gets if it does not say, and the bounds of what it may
// say.
const (
	defaultAckSeconds = 10
	maxAckSeconds     = 600
	defaultRetention  = 7 * 24 * time.Hour
	defaultExpiration = 31 * 24 * time.Hour
	minExpiration     = 24 * time.Hour
	minDeadLetters    = 5
	maxDeadLetters    = 100
)

// settleSubscription turns a subscription that somebody asked for into the one
// that the service keeps.
func settleSubscription(s *pb.Subscription) error {
	if s.GetAckDeadlineSeconds() == 0 {
		s.AckDeadlineSeconds = defaultAckSeconds
	}
	if s.GetMessageRetentionDuration() == nil {
		s.MessageRetentionDuration = durationpb.New(defaultRetention)
	}
	if s.GetExpirationPolicy() == nil {
		s.ExpirationPolicy = &pb.ExpirationPolicy{Ttl: durationpb.New(defaultExpiration)}
	}
	if s.GetPushConfig() == nil {
		s.PushConfig = &pb.PushConfig{}
	}
	s.State = pb.Subscription_ACTIVE
	s.TopicMessageRetentionDuration = nil // of the topic, see reported
	s.AnalyticsHubSubscriptionInfo = nil
	s.Tags = nil
	return validateSubscription(s)
}

func validateSubscription(s *pb.Subscription) error {
	if err := validateLabels(s.GetLabels()); err != nil {
		return err
	}
	if seconds := s.GetAckDeadlineSeconds(); seconds < defaultAckSeconds || seconds > maxAckSeconds {
		return status.Errorf(codes.InvalidArgument,
			"Invalid ack deadline given (ack_deadline=%d). The ack deadline must be between 0 and %d seconds.", seconds, maxAckSeconds)
	}
	if err := validateRetention(s.GetMessageRetentionDuration()); err != nil {
		return err
	}
	if ttl := s.GetExpirationPolicy().GetTtl(); ttl != nil && ttl.AsDuration() < minExpiration {
		return status.Errorf(codes.InvalidArgument,
			"The value for expiration duration is too small. You passed %s in the request, but the minimum value is 24h.",
			humanDuration(ttl.AsDuration()))
	}
	return validateTransforms(s.GetMessageTransforms())
}

// checkDeadLetters checks the dead-letter policy, whose topic must exist, and
// fills in its default; the caller holds s.mu.
func (s *Service) checkDeadLetters(subscription *pb.Subscription) error {
	policy := subscription.GetDeadLetterPolicy()
	if policy == nil {
		return nil
	}
	n, err := s.resolve(policy.GetDeadLetterTopic(), topicKind)
	if err != nil {
		return err
	}
	if _, err := s.topic(n); err != nil {
		return err
	}
	if policy.GetMaxDeliveryAttempts() == 0 {
		policy.MaxDeliveryAttempts = minDeadLetters
	}
	if attempts := policy.GetMaxDeliveryAttempts(); attempts < minDeadLetters || attempts > maxDeadLetters {
		return invalidArgument("DeadLetterPolicy::max_delivery_attempts")
	}
	return nil
}
