package topic

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/api/iterator"

	"github.com/holdfast-dev/holdfast/internal/engine"
)

var _ engine.Lister = (*Kind)(nil)

// pageSize is how many topics are listed with one call: as many as Google allows.
const pageSize = 1000

// List returns the names of a project's topics.
func (k *Kind) List(ctx context.Context, ref engine.Ref) ([]string, error) {
	client, err := k.client(ctx, ref.Impersonate)
	if err != nil {
		return nil, fmt.Errorf("listing the topics of project %q: %w", ref.Project, err)
	}
	topics := client.ListTopics(ctx, &pubsubpb.ListTopicsRequest{Project: "projects/" + ref.Project, PageSize: pageSize}, once)
	var names []string
	for {
		topic, err := topics.Next()
		if errors.Is(err, iterator.Done) {
			return names, nil
		}
		if err != nil {
			return nil, fmt.Errorf("listing the topics of project %q: %w", ref.Project, err)
		}
		names = append(names, strings.TrimPrefix(topic.GetName(), "projects/"+ref.Project+"/topics/"))
	}
}
