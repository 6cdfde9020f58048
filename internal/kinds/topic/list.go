package topic

import (
	"context"
	"fmt"
	"strings"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/api/iterator"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

var _ kind.Lister[*pubsubpb.Topic] = (*Kind)(nil)

// pageSize is how many topics are listed with one call: as many as Google allows.
const pageSize = 1000

// List yields a project's topics.
func (k *Kind) List(ctx context.Context, ref kind.Ref, yield func(page []kind.Item[*pubsubpb.Topic]) bool) error {
	client, err := k.client(ctx, ref.Impersonate)
	if err != nil {
		return fmt.Errorf("listing the topics of project %q: %w", ref.Project, err)
	}
	pager := iterator.NewPager(client.ListTopics(ctx, &pubsubpb.ListTopicsRequest{Project: "projects/" + ref.Project}, once), pageSize, "")
	for {
		var topics []*pubsubpb.Topic
		next, err := pager.NextPage(&topics)
		if err != nil {
			return fmt.Errorf("listing the topics of project %q: %w", ref.Project, err)
		}
		page := make([]kind.Item[*pubsubpb.Topic], 0, len(topics))
		for _, topic := range topics {
			page = append(page, kind.Item[*pubsubpb.Topic]{ID: strings.TrimPrefix(topic.GetName(), "projects/"+ref.Project+"/topics/"), Live: topic})
		}
		if !yield(page) || next == "" {
			return nil
		}
	}
}
