package pubsub

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// ClassifyRPC names the calls of Pub/Sub, and those of the IAMPolicy interface
// that are about its resources: {"pubsub", "Publisher.GetTopic", "my-project",
// "my-topic"}. The resource is the ID, empty for lists and creates in a
// project.
func (s *Service) ClassifyRPC(fullMethod string, req any) (traffic.Call, bool) {
	method, ok := strings.CutPrefix(fullMethod, "/google.pubsub.v1.")
	if !ok {
		method, ok = strings.CutPrefix(fullMethod, "/google.iam.v1.")
	}
	message, isMessage := req.(proto.Message)
	if !ok || !isMessage {
		return traffic.Call{}, false
	}
	call := traffic.Call{Service: s.Name(), Method: strings.ReplaceAll(method, "/", ".")}
	call.Project, call.Resource = s.subject(message.ProtoReflect())
	return call, true
}

func (s *Service) classify(fullMethod string, req any) traffic.Call {
	call, _ := s.ClassifyRPC(fullMethod, req)
	return call
}

// subjectFields are where requests name what they are about; the first that
// holds a resource name counts. A subscription names its topic as well, but
// its own name comes first.
var subjectFields = []protoreflect.Name{"name", "resource", "subscription", "topic", "snapshot", "parent", "project", "schema"}

// subject returns the project ID and the ID of what a request is about.
func (s *Service) subject(request protoreflect.Message) (project, id string) {
	for _, fieldName := range subjectFields {
		field := request.Descriptor().Fields().ByName(fieldName)
		switch {
		case field == nil || !request.Has(field):
		case field.Kind() == protoreflect.StringKind:
			if parts := strings.Split(request.Get(field).String(), "/"); len(parts) >= 2 && parts[0] == "projects" {
				return s.projectID(parts[1]), strings.Join(parts[min(3, len(parts)):], "/")
			}
		case field.Message() != nil && !field.IsList() && !field.IsMap():
			if project, id := s.subject(request.Get(field).Message()); project != "" {
				return project, id
			}
		}
	}
	return "", ""
}

// projectID returns the ID of a project that is named by its number.
func (s *Service) projectID(name string) string {
	if project, ok := s.projects.Lookup(name); ok {
		return project.ID
	}
	return name
}
