package topic

import (
	"context"
	"errors"
	"strings"
	"testing"

	pubsub "cloud.google.com/go/pubsub/v2/apiv1"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// operations are all that the kind does with Pub/Sub, by what it says when it fails.
var operations = map[string]func(context.Context, *Kind, kind.Ref) (*pubsubpb.Topic, error){
	"getting": func(ctx context.Context, k *Kind, ref kind.Ref) (*pubsubpb.Topic, error) {
		return k.Observe(ctx, ref)
	},
	"creating": func(ctx context.Context, k *Kind, ref kind.Ref) (*pubsubpb.Topic, error) {
		return k.Create(ctx, ref, &v1alpha1.Topic{})
	},
	"updating": func(ctx context.Context, k *Kind, ref kind.Ref) (*pubsubpb.Topic, error) {
		return k.Update(ref, &v1alpha1.Topic{}, diff.Changes{{Path: "spec.kmsKeyName"}})[0].Do(ctx, &pubsubpb.Topic{})
	},
	"deleting": func(ctx context.Context, k *Kind, ref kind.Ref) (*pubsubpb.Topic, error) {
		return nil, k.Delete(ctx, ref, &pubsubpb.Topic{})
	},
}

func TestCallsAreMadeOnceAndFailWithTheirSubject(t *testing.T) {
	for name, call := range operations {
		t.Run(name, func(t *testing.T) {
			// The client library would retry this one.
			s := &server{err: status.Error(codes.Unavailable, "try later")}
			_, err := call(t.Context(), s.start(t), ref)
			if want := name + ` topic "orders": `; err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("error %q, want one that begins with %q", err, want)
			}
			if !gcp.IsUnavailable(err) || gcp.Classify(err).Message != "try later" {
				t.Errorf("classified as %+v", gcp.Classify(err))
			}
			if len(s.requests) != 1 {
				t.Errorf("%d calls, want 1", len(s.requests))
			}
		})
	}
}

func TestCallsActAsTheServiceAccount(t *testing.T) {
	for name, call := range operations {
		t.Run(name, func(t *testing.T) {
			s := &server{topic: &pubsubpb.Topic{}}
			ref := ref
			ref.Impersonate = account
			if _, err := call(t.Context(), s.start(t), ref); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{account}, s.impersonated); diff != "" {
				t.Errorf("clients: -want +got\n%s", diff)
			}
		})
	}
}

func TestCallsWithoutClient(t *testing.T) {
	for name, call := range operations {
		t.Run(name, func(t *testing.T) {
			cause := errors.New("no credentials")
			impl := New(func(context.Context, string) (*pubsub.TopicAdminClient, error) { return nil, cause })
			_, err := call(t.Context(), impl, ref)
			if want := name + ` topic "orders": no credentials`; !errors.Is(err, cause) || err.Error() != want {
				t.Errorf("error %q, want %q", err, want)
			}
		})
	}
}

func TestObserve(t *testing.T) {
	s := &server{topic: fullTopic()}
	got, err := s.start(t).Observe(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullTopic(), got, protocmp.Transform()); diff != "" {
		t.Errorf("topic: -want +got\n%s", diff)
	}
	expectRequest(t, s, &pubsubpb.GetTopicRequest{Topic: "projects/demo-project/topics/orders"})
}

func TestObserveNotFound(t *testing.T) {
	s := &server{err: status.Error(codes.NotFound, "Resource not found (resource=orders).")}
	if _, err := s.start(t).Observe(t.Context(), ref); !gcp.IsNotFound(err) {
		t.Errorf("error %v, want one of class NotFound", err)
	}
}

func TestCreate(t *testing.T) {
	s := &server{topic: fullTopic()}
	spec := fullSpec()
	if _, err := s.start(t).Create(t.Context(), ref, &v1alpha1.Topic{Spec: spec}); err != nil {
		t.Fatal(err)
	}
	want := fullTopic()
	want.Name = "projects/demo-project/topics/orders"
	want.Labels = map[string]string{
		"team": "shop", "holdfast-owner": "cluster-1", "holdfast-namespace": "shop", "holdfast-name": "orders",
	}
	expectRequest(t, s, want)
}

func TestCreateWhatCannotBeBuilt(t *testing.T) {
	s := &server{}
	spec := fullSpec()
	spec.MessageTransforms[2].AIInference.UnstructuredInference.Parameters.Raw = []byte(`{"a":1e999}`)
	if _, err := s.start(t).Create(t.Context(), ref, &v1alpha1.Topic{Spec: spec}); !gcp.IsInvalid(err) {
		t.Errorf("error %v, want one of class Invalid", err)
	}
	if len(s.requests) > 0 {
		t.Errorf("sent %v", s.requests)
	}
}

func TestDelete(t *testing.T) {
	for name, tc := range map[string]struct {
		err    error
		denied bool
	}{
		"what is there":      {},
		"what is gone":       {err: status.Error(codes.NotFound, "Resource not found (resource=orders).")},
		"without permission": {err: status.Error(codes.PermissionDenied, "no"), denied: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{err: tc.err}
			err := s.start(t).Delete(t.Context(), ref, fullTopic())
			if gcp.IsDenied(err) != tc.denied || err != nil && !tc.denied {
				t.Errorf("error %v", err)
			}
			expectRequest(t, s, &pubsubpb.DeleteTopicRequest{Topic: "projects/demo-project/topics/orders"})
		})
	}
}

func TestExternalNameAndIdentity(t *testing.T) {
	impl := New(nil)
	if got, want := impl.ExternalName(ref), "//pubsub.googleapis.com/projects/demo-project/topics/orders"; got != want {
		t.Errorf("external name %q, want %q", got, want)
	}
	labels := map[string]string{"holdfast-owner": "o", "team": "shop"}
	want := kind.Identity{Labels: labels}
	if diff := cmp.Diff(want, impl.Identify(&pubsubpb.Topic{Labels: labels})); diff != "" {
		t.Errorf("identity: -want +got\n%s", diff)
	}
}

// expectRequest checks that there was exactly one request, and which.
func expectRequest(t *testing.T, s *server, want proto.Message) {
	t.Helper()
	if diff := cmp.Diff([]proto.Message{want}, s.requests, protocmp.Transform()); diff != "" {
		t.Errorf("requests: -want +got\n%s", diff)
	}
}
