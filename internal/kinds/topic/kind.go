// Package topic is all that is special to the kind Topic: how a spec and a Pub/Sub topic translate into each other, and the
// calls that read, create, update and delete one.
//
// The mapping is one function each way: build.go writes a spec as a topic, for creating and updating alike, describe.go
// reads a topic as the spec that a person would have written. Sources of ingestion and message transforms have a file
// each, which holds both ways.
package topic

import (
	"context"

	pubsub "cloud.google.com/go/pubsub/v2/apiv1"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Kind is the kind Topic.
type Kind struct {
	client ClientFunc
}

// ClientFunc returns the client that acts as a service account; as the manager itself where impersonate is empty.
type ClientFunc func(ctx context.Context, impersonate string) (*pubsub.TopicAdminClient, error)

var (
	_ kind.Fielded[*v1alpha1.Topic, *pubsubpb.Topic] = (*Kind)(nil)
	_ kind.Naming[*v1alpha1.Topic]                   = (*Kind)(nil)
	_ kind.Using[*v1alpha1.Topic]                    = (*Kind)(nil)
)

// New returns the kind, which reaches Pub/Sub through client.
func New(client ClientFunc) *Kind {
	return &Kind{client: client}
}

// Traits are the facts about topics that the engine decides by.
func (*Kind) Traits() kind.Traits {
	return kind.Traits{
		Kind: "Topic", Plural: "topics", Name: "topic", Methods: methods, FieldTraits: fields, Labels: true,
		AssetType: "pubsub.googleapis.com/Topic", ConsolePath: "cloudpubsub/topic/detail/{id}?project={project}",
	}
}

// New returns an empty Topic.
func (*Kind) New() *v1alpha1.Topic {
	return &v1alpha1.Topic{}
}

// ExternalName is //pubsub.googleapis.com/projects/P/topics/T.
func (*Kind) ExternalName(ref kind.Ref) string {
	return "//pubsub.googleapis.com/" + fullName(ref)
}

// Identify has no UID to offer: Google tells neither when a topic was created nor any other mark of its own.
func (*Kind) Identify(live *pubsubpb.Topic) kind.Identity {
	return kind.Identity{Labels: live.GetLabels()}
}

// fullName is the name that Pub/Sub calls the topic by.
func fullName(ref kind.Ref) string {
	return "projects/" + ref.Project + "/topics/" + ref.ID
}
