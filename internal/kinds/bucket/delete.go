package bucket

import (
	"context"
	"fmt"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Delete implements kind.Fielded.
func (k *Kind) Delete(ctx context.Context, ref kind.Ref, live *Live) error {
	service, err := k.clients.StorageService(ctx, ref.Impersonate)
	if err != nil {
		return fmt.Errorf("deleting bucket %q: %w", ref.ID, err)
	}
	err = service.Buckets.Delete(ref.ID).IfMetagenerationMatch(live.Metageneration).Context(ctx).Do()
	if err != nil && !gcp.IsNotFound(err) {
		return fmt.Errorf("deleting bucket %q: %w", ref.ID, err)
	}
	return nil
}

// Empty implements kind.Emptier: it lists one page of object generations, live and noncurrent, and deletes exactly
// those. Each is a call of its own.
func (k *Kind) Empty(ctx context.Context, ref kind.Ref, _ *Live, limit int) (deleted int, more bool, err error) {
	client, err := k.clients.Storage(ctx, ref.Impersonate)
	if err != nil {
		return 0, true, fmt.Errorf("listing the objects of bucket %q: %w", ref.ID, err)
	}
	bucket := client.Bucket(ref.ID)
	query := &storage.Query{Versions: true, Projection: storage.ProjectionNoACL}
	if err := query.SetAttrSelection([]string{"Name", "Generation"}); err != nil {
		return 0, true, fmt.Errorf("selecting what to list: %w", err)
	}
	var page []*storage.ObjectAttrs
	next, err := iterator.NewPager(bucket.Objects(ctx, query), limit, "").NextPage(&page)
	switch {
	case gcp.IsNotFound(err):
		return 0, false, nil
	case err != nil:
		return 0, true, fmt.Errorf("listing the objects of bucket %q: %w", ref.ID, err)
	}
	for _, object := range page {
		err := bucket.Object(object.Name).Generation(object.Generation).Delete(ctx)
		if err != nil && !gcp.IsNotFound(err) {
			return deleted, true, fmt.Errorf("deleting generation %d of object %q in bucket %q: %w", object.Generation, object.Name, ref.ID, err)
		}
		deleted++
	}
	return deleted, next != "", nil
}
