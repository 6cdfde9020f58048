package bucket

import (
	"context"
	"fmt"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

var _ kind.Lister[*storage.BucketAttrs] = (*Kind)(nil)

// pageSize is how many buckets are listed with one call: as many as Google allows.
const pageSize = 1000

// List implements kind.Lister.
func (k *Kind) List(ctx context.Context, ref kind.Ref, yield func(page []kind.Item[*storage.BucketAttrs]) bool) error {
	client, err := k.clients(ctx, ref.Impersonate)
	if err != nil {
		return fmt.Errorf("listing the buckets of project %q: %w", ref.Project, err)
	}
	pager := iterator.NewPager(client.Buckets(ctx, ref.Project), pageSize, "")
	for {
		var buckets []*storage.BucketAttrs
		next, err := pager.NextPage(&buckets)
		if err != nil {
			return fmt.Errorf("listing the buckets of project %q: %w", ref.Project, err)
		}
		page := make([]kind.Item[*storage.BucketAttrs], 0, len(buckets))
		for _, bucket := range buckets {
			page = append(page, kind.Item[*storage.BucketAttrs]{ID: bucket.Name, Live: bucket})
		}
		if !yield(page) || next == "" {
			return nil
		}
	}
}
