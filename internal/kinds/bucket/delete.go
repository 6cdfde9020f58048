package bucket

import (
	"context"
	"fmt"

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
