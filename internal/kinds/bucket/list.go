package bucket

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/api/iterator"

	"github.com/holdfast-dev/holdfast/internal/engine"
)

var _ engine.Lister = (*Kind)(nil)

// pageSize is how many buckets are listed with one call: as many as Google allows.
const pageSize = 1000

// List implements engine.Lister.
func (k *Kind) List(ctx context.Context, ref engine.Ref) ([]string, error) {
	client, err := k.clients(ctx, ref.Impersonate)
	if err != nil {
		return nil, fmt.Errorf("listing the buckets of project %q: %w", ref.Project, err)
	}
	buckets := client.Buckets(ctx, ref.Project)
	buckets.PageInfo().MaxSize = pageSize
	var names []string
	for {
		bucket, err := buckets.Next()
		if errors.Is(err, iterator.Done) {
			return names, nil
		}
		if err != nil {
			return nil, fmt.Errorf("listing the buckets of project %q: %w", ref.Project, err)
		}
		names = append(names, bucket.Name)
	}
}
