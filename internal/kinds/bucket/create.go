package bucket

import (
	"context"
	"fmt"

	"cloud.google.com/go/storage"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Create implements kind.Fielded. A lock of the retention policy is not part of it: Google locks in a call of its own, and
// that waits for approval. Nor is defaultEventBasedHold, which the library cannot send. Both then show as a difference.
func (k *Kind) Create(ctx context.Context, ref kind.Ref, want *v1alpha1.Bucket) (*storage.BucketAttrs, error) {
	bucket, err := k.handle(ctx, ref)
	if err != nil {
		return nil, err
	}
	if want.Spec.ObjectRetention != nil {
		bucket = bucket.SetObjectRetention(true)
	}
	ctx = gcp.KeepingAnswer(ctx)
	if err := bucket.Create(ctx, ref.Project, composeNew(ref, &want.Spec)); err != nil {
		return nil, fmt.Errorf("creating bucket %q: %w", ref.ID, err)
	}
	return observe(ctx, ref, bucket)
}
