package pubsub

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	jsonpatch "github.com/evanphx/json-patch/v5"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// Topic returns a topic as it is, without a call being counted.
func (s *Service) Topic(full string) (*pb.Topic, bool) {
	n, err := s.resolve(full, topicKind)
	if err != nil {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	topic, ok := s.state.topics[n.String()]
	return proto.CloneOf(topic), ok
}

// TopicNames returns the full names of all topics of all projects, in no order.
func (s *Service) TopicNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.state.topics))
}

// PutTopic creates a topic or replaces it, as somebody in the console would:
// without a call being counted or faulted, but with the same rules.
func (s *Service) PutTopic(topic *pb.Topic) error {
	return s.replaceTopic(topic.GetName(), func(*pb.Topic) (*pb.Topic, error) { return proto.CloneOf(topic), nil })
}

// EditTopic changes a topic that exists, as somebody in the console would.
func (s *Service) EditTopic(full string, edit func(*pb.Topic)) error {
	return s.replaceTopic(full, func(current *pb.Topic) (*pb.Topic, error) {
		if current == nil {
			return nil, notFound(full)
		}
		edit(current)
		return current, nil
	})
}

// DeleteTopic deletes a topic, as somebody in the console would.
func (s *Service) DeleteTopic(full string) error {
	n, err := s.resolve(full, topicKind)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.topic(n); err != nil {
		return err
	}
	s.removeTopic(n)
	return nil
}

// replaceTopic puts what change returns in the place of a topic; change gets a
// copy of it, nil if there is none.
func (s *Service) replaceTopic(full string, change func(current *pb.Topic) (*pb.Topic, error)) error {
	n, err := s.resolve(full, topicKind)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	current := s.state.topics[n.String()]
	topic, err := change(proto.CloneOf(current))
	if err != nil {
		return err
	}
	topic.Name = n.String()
	if err := s.settle(topic, current, n); err != nil {
		return err
	}
	s.state.topics[n.String()] = topic
	return nil
}

// Console answers GET, PUT, PATCH (a JSON merge patch) and DELETE of topics,
// and GET of the list of a project's topics, at /v1/projects/PROJECT/topics,
// PUT of {"regions": […]} to /v1/projects/PROJECT/allowedRegions, see
// [Service.RestrictRegions], and the policies of topics, subscriptions and
// schemas, see [policy.Mount].
func (s *Service) Console() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /v1/projects/{project}/allowedRegions", s.consoleRegions)
	mux.HandleFunc("GET /v1/projects/{project}/topics", s.consoleList)
	mux.HandleFunc("GET /v1/projects/{project}/topics/{topic}", s.consoleGet)
	mux.HandleFunc("PUT /v1/projects/{project}/topics/{topic}", s.consolePut)
	mux.HandleFunc("PATCH /v1/projects/{project}/topics/{topic}", s.consolePatch)
	mux.HandleFunc("DELETE /v1/projects/{project}/topics/{topic}", s.consoleDelete)
	policy.Mount(mux, "/v1/projects/{project}/{kind}/{id}", func(r *http.Request) (policy.Resource, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		full, err := s.policyHolder(name{project: r.PathValue("project"), kind: r.PathValue("kind"), id: r.PathValue("id")}.String())
		return s.policies.Resource(full), err
	})
	return mux
}

func (s *Service) consoleRegions(w http.ResponseWriter, r *http.Request) {
	project, err := s.project(r.PathValue("project"))
	if err != nil {
		traffic.WriteRPCError(w, err)
		return
	}
	var sent struct{ Regions []string }
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		traffic.WriteRPCError(w, invalidArgument(err.Error()))
		return
	}
	s.RestrictRegions(project.ID, sent.Regions...)
	w.WriteHeader(http.StatusNoContent)
}

func consoleName(r *http.Request) string {
	return name{project: r.PathValue("project"), kind: topicKind, id: r.PathValue("topic")}.String()
}

func (s *Service) consoleList(w http.ResponseWriter, r *http.Request) {
	project, err := s.project(r.PathValue("project"))
	if err != nil {
		traffic.WriteRPCError(w, err)
		return
	}
	s.mu.Lock()
	list := &pb.ListTopicsResponse{}
	for _, name := range under(s.state.topics, project.ID, topicKind) {
		list.Topics = append(list.Topics, proto.CloneOf(s.state.topics[name]))
	}
	s.mu.Unlock()
	writeMessage(w, list)
}

func (s *Service) consoleGet(w http.ResponseWriter, r *http.Request) {
	topic, ok := s.Topic(consoleName(r))
	if !ok {
		traffic.WriteRPCError(w, notFound(r.PathValue("topic")))
		return
	}
	writeMessage(w, topic)
}

func (s *Service) consolePut(w http.ResponseWriter, r *http.Request) {
	s.consoleChange(w, r, func(_ *pb.Topic, body []byte) (*pb.Topic, error) {
		return topicFromJSON(body)
	})
}

func (s *Service) consolePatch(w http.ResponseWriter, r *http.Request) {
	s.consoleChange(w, r, func(current *pb.Topic, body []byte) (*pb.Topic, error) {
		if current == nil {
			return nil, notFound(r.PathValue("topic"))
		}
		merged, err := jsonpatch.MergePatch(rawJSON(current), body)
		if err != nil {
			return nil, invalidArgument(fmt.Sprintf("merge patch: %v", err))
		}
		return topicFromJSON(merged)
	})
}

// consoleChange replaces a topic by what change makes of it and the body, and
// answers with the result.
func (s *Service) consoleChange(w http.ResponseWriter, r *http.Request, change func(current *pb.Topic, body []byte) (*pb.Topic, error)) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = s.replaceTopic(consoleName(r), func(current *pb.Topic) (*pb.Topic, error) { return change(current, body) })
	}
	if err != nil {
		traffic.WriteRPCError(w, err)
		return
	}
	s.consoleGet(w, r)
}

func topicFromJSON(raw []byte) (*pb.Topic, error) {
	topic := &pb.Topic{}
	if err := readJSON(raw, topic); err != nil {
		return nil, invalidArgument(err.Error())
	}
	return topic, nil
}

func (s *Service) consoleDelete(w http.ResponseWriter, r *http.Request) {
	if err := s.DeleteTopic(consoleName(r)); err != nil {
		traffic.WriteRPCError(w, err)
		return
	}
	writeMessage(w, &pb.Topic{})
}

func writeMessage(w http.ResponseWriter, message proto.Message) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(rawJSON(message)) // a client that has gone away needs no answer
}
