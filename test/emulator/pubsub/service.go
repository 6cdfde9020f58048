// Package pubsub emulates the Pub/Sub API: topics, schemas and the policies on
// them as faithfully as recordings and Google's documentation allow;
// subscriptions and messages as far as gcloud and the clients need them to
// show that a topic works (messages go through Google's own pstest).
//
// Nothing is pushed, exported, transformed, ingested or checked against a
// schema: these settings are only validated and stored.
package pubsub

import (
	"net/http"
	"sync"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/emulator/transcode"
)

// Service is the emulated Pub/Sub. All methods may be called at any time.
type Service struct {
	control  *traffic.Control
	projects *projects.Registry
	now      func() time.Time
	messages messages
	policies *policy.Book

	mu    sync.Mutex
	state state
}

// Option changes how a Service works.
type Option func(*Service)

// WithClock sets the clock that times of creation are taken from.
func WithClock(now func() time.Time) Option { return func(s *Service) { s.now = now } }

// New returns a Pub/Sub without topics. The directory knows which principals
// policies can name.
func New(control *traffic.Control, registry *projects.Registry, directory *policy.Directory, options ...Option) *Service {
	s := &Service{
		control: control, projects: registry, now: time.Now, state: newState(),
		policies: policy.NewBook(policy.Rules{Directory: directory, Roles: []string{"pubsub"}, NoConditions: true}),
	}
	for _, option := range options {
		option(s)
	}
	return s
}

// Name returns "pubsub".
func (s *Service) Name() string { return "pubsub" }

// RegisterGRPC adds Publisher, Subscriber, SchemaService and the IAMPolicy
// interface to a server.
func (s *Service) RegisterGRPC(server *grpc.Server) { s.register(server) }

// RegisterHTTP adds the REST form of the same services.
func (s *Service) RegisterHTTP(mux *http.ServeMux) {
	front := transcode.New(s.control.UnaryInterceptor(s.classify), transcode.WithRules(policyRules))
	s.register(front)
	front.Mount(mux)
}

func (s *Service) register(registrar grpc.ServiceRegistrar) {
	pb.RegisterPublisherServer(registrar, publisher{Service: s})
	pb.RegisterSubscriberServer(registrar, subscriber{Service: s})
	pb.RegisterSchemaServiceServer(registrar, schemaService{Service: s})
	iampb.RegisterIAMPolicyServer(registrar, policyServer{Service: s})
}

// on finds the resource that a request names, and calls do with it while it
// holds s.mu.
func on[R, A any](s *Service, full, kind string, find func(name) (R, error), do func(name, R) (A, error)) (A, error) {
	var none A
	n, err := s.resolve(full, kind)
	if err != nil {
		return none, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := find(n)
	if err != nil {
		return none, err
	}
	return do(n, found)
}

// Close frees what delivering messages needs.
func (s *Service) Close() error { return s.messages.close() }
