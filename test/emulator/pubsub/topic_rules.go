package pubsub

import (
	"regexp"
	"slices"
	"strings"
	"time"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/types/known/durationpb"
)

// The bounds of message retention, for topics and subscriptions.
const (
	minRetention = 10 * time.Minute
	maxRetention = 31 * 24 * time.Hour
)

var (
	kmsKeyPattern = regexp.MustCompile(`^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$`)
	regionPattern = regexp.MustCompile(`^[a-z]+(-[a-z]+)*-[a-z]+[0-9]+$`)
)

// ignoreOutputs drops what only the service sets, which requests may contain
// but not decide.
func ignoreOutputs(topic *pb.Topic) {
	topic.SatisfiesPzs = false
	topic.State = pb.Topic_STATE_UNSPECIFIED
	setSourceState(topic.GetIngestionDataSourceSettings(), 0)
}

// settle turns a topic that somebody asked for into the one that the service
// keeps: it refuses what Google refuses, and sets what the service decides.
// Current is the topic that it replaces, if any. The caller holds s.mu.
func (s *Service) settle(topic, current *pb.Topic, n name) error {
	if err := validateTopic(topic); err != nil {
		return err
	}
	if err := s.checkSchema(topic.GetSchemaSettings(), current.GetSchemaSettings(), n); err != nil {
		return err
	}
	if err := s.applyRegions(topic, n.project); err != nil {
		return err
	}
	topic.Tags = nil // input only
	topic.State = ingestionState(topic.GetIngestionDataSourceSettings())
	for _, transform := range topic.GetMessageTransforms() {
		clearEnabled(transform)
	}
	return nil
}

// validateTopic checks all that can be seen in the topic alone.
func validateTopic(topic *pb.Topic) error {
	if err := validateLabels(topic.GetLabels()); err != nil {
		return err
	}
	if err := validateRetention(topic.GetMessageRetentionDuration()); err != nil {
		return err
	}
	if key := topic.GetKmsKeyName(); key != "" && !kmsKeyPattern.MatchString(key) {
		return invalidArgument("Topic::kms_key_name")
	}
	if err := validateStoragePolicy(topic.GetMessageStoragePolicy()); err != nil {
		return err
	}
	if err := validateIngestion(topic.GetIngestionDataSourceSettings()); err != nil {
		return err
	}
	return validateTransforms(topic.GetMessageTransforms())
}

func validateRetention(retention *durationpb.Duration) error {
	if retention == nil {
		return nil
	}
	if d := retention.AsDuration(); d < minRetention || d > maxRetention {
		return outOfBounds("message retention duration", d, minRetention, maxRetention)
	}
	return nil
}

func validateStoragePolicy(policy *pb.MessageStoragePolicy) error {
	if policy == nil {
		return nil
	}
	regions := policy.GetAllowedPersistenceRegions()
	unknown := func(region string) bool { return !regionPattern.MatchString(region) }
	if len(regions) == 0 || slices.ContainsFunc(regions, unknown) {
		return invalidArgument("MessageStoragePolicy::allowed_persistence_regions")
	}
	return nil
}

// applyRegions gives a topic without a storage policy the one that the
// organization policy of its project says, and refuses any that goes beyond.
func (s *Service) applyRegions(topic *pb.Topic, project string) error {
	allowed, restricted := s.state.regions[project]
	if !restricted {
		return nil
	}
	if topic.GetMessageStoragePolicy() == nil {
		topic.MessageStoragePolicy = &pb.MessageStoragePolicy{AllowedPersistenceRegions: slices.Clone(allowed)}
		return nil
	}
	var beyond []string
	for _, region := range topic.GetMessageStoragePolicy().GetAllowedPersistenceRegions() {
		if !slices.Contains(allowed, region) {
			beyond = append(beyond, region)
		}
	}
	if len(beyond) == 0 {
		return nil
	}
	return failedPrecondition("The requested message storage policy contains the following GCP regions that are not allowed by the project's organization policy: %s. "+
		"The organization policy may be updated by your project or organization administrator. See https://console.cloud.google.com/iam-admin/orgpolicies/gcp-resourceLocations?project=%s.",
		strings.Join(beyond, ", "), s.projects.NumberText(project))
}
