package pubsub

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// state is all that there is, by resource name.
type state struct {
	topics        map[string]*pb.Topic
	subscriptions map[string]*pb.Subscription
	// schemas holds the revisions of each schema, the oldest first.
	schemas map[string][]*pb.Schema
	// regions are what a project's organization policy allows messages to be
	// stored in; a project that is not in it may use any.
	regions map[string][]string
}

func newState() state {
	return state{
		topics: map[string]*pb.Topic{}, subscriptions: map[string]*pb.Subscription{},
		schemas: map[string][]*pb.Schema{}, regions: map[string][]string{},
	}
}

// under returns the names of a project's resources, sorted.
func under[T any](resources map[string]T, project, kind string) []string {
	prefix := "projects/" + project + "/" + kind + "/"
	var names []string
	for name := range resources {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// RestrictRegions sets the regions in which a project's organization policy
// allows messages to be stored (gcp.resourceLocations): topics without a
// policy of their own get these, others are refused. Without regions the
// restriction is lifted. Topics that exist stay as they are.
func (s *Service) RestrictRegions(projectID string, regions ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(regions) == 0 {
		delete(s.state.regions, projectID)
		return
	}
	s.state.regions[projectID] = slices.Clone(regions)
}

// dump is the state as JSON: resources in Google's own JSON form.
type dump struct {
	Topics        []json.RawMessage          `json:"topics,omitempty"`
	Subscriptions []json.RawMessage          `json:"subscriptions,omitempty"`
	Schemas       []json.RawMessage          `json:"schemas,omitempty"`
	Policies      map[string]json.RawMessage `json:"policies,omitempty"`
	Regions       map[string][]string        `json:"regions,omitempty"`
}

// Dump returns all topics, subscriptions, schemas (every revision, the oldest
// first) and policies. Messages are left out.
func (s *Service) Dump() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := dump{Regions: maps.Clone(s.state.regions), Policies: s.policies.Dump()}
	for _, name := range slices.Sorted(maps.Keys(s.state.topics)) {
		d.Topics = append(d.Topics, rawJSON(s.state.topics[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(s.state.subscriptions)) {
		d.Subscriptions = append(d.Subscriptions, rawJSON(s.state.subscriptions[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(s.state.schemas)) {
		for _, revision := range s.state.schemas[name] {
			d.Schemas = append(d.Schemas, rawJSON(revision))
		}
	}
	return d
}

// Load replaces everything by what Dump returned. Messages are gone then.
func (s *Service) Load(encoded json.RawMessage) error {
	var d dump
	if err := json.Unmarshal(encoded, &d); err != nil {
		return fmt.Errorf("reading the state of Pub/Sub: %w", err)
	}
	loaded := newState()
	maps.Copy(loaded.regions, d.Regions)
	for _, raw := range d.Topics {
		topic := &pb.Topic{}
		if err := readJSON(raw, topic); err != nil {
			return err
		}
		loaded.topics[topic.GetName()] = topic
	}
	for _, raw := range d.Subscriptions {
		subscription := &pb.Subscription{}
		if err := readJSON(raw, subscription); err != nil {
			return err
		}
		loaded.subscriptions[subscription.GetName()] = subscription
	}
	for _, raw := range d.Schemas {
		schema := &pb.Schema{}
		if err := readJSON(raw, schema); err != nil {
			return err
		}
		loaded.schemas[schema.GetName()] = append(loaded.schemas[schema.GetName()], schema)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.messages.reset(loaded.subscriptions); err != nil {
		return fmt.Errorf("loading the state of Pub/Sub: %w", err)
	}
	if err := s.policies.Load(d.Policies); err != nil {
		return fmt.Errorf("loading the state of Pub/Sub: %w", err)
	}
	s.state = loaded
	return nil
}

// rawJSON encodes a message of the state, which always can be.
func rawJSON(message proto.Message) json.RawMessage {
	encoded, err := protojson.Marshal(message)
	if err != nil {
		panic(fmt.Sprintf("pubsub: encoding %s: %v", proto.MessageName(message), err))
	}
	return encoded
}

func readJSON(raw json.RawMessage, message proto.Message) error {
	if err := protojson.Unmarshal(raw, message); err != nil {
		return fmt.Errorf("reading %s: %w", proto.MessageName(message), err)
	}
	return nil
}
