package bucket

import (
	"context"
	"fmt"
	"reflect"

	"cloud.google.com/go/storage"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Update implements kind.Fielded: one patch, with two exceptions. The library cannot clear one field of a web site, so the
// web site is cleared before. And Google locks a retention policy in a call of its own, after the policy is there.
func (k *Kind) Update(ref kind.Ref, want *v1alpha1.Bucket, changes diff.Changes) []kind.Call[*storage.BucketAttrs] {
	var calls []kind.Call[*storage.BucketAttrs]
	if clearsPage(want.Spec.Website, changes) {
		calls = append(calls, kind.Call[*storage.BucketAttrs]{
			Name: "clearing the web site of the bucket",
			Do: func(ctx context.Context, live *storage.BucketAttrs) (*storage.BucketAttrs, error) {
				return k.update(ctx, ref, live, storage.BucketAttrsToUpdate{Website: &storage.BucketWebsite{}})
			},
		})
	}
	calls = append(calls, kind.Call[*storage.BucketAttrs]{
		Name: "updating the bucket",
		Do: func(ctx context.Context, live *storage.BucketAttrs) (*storage.BucketAttrs, error) {
			return k.update(ctx, ref, live, composeUpdate(ref, &want.Spec, changes, live))
		},
	})
	if locks(want.Spec.RetentionPolicy, changes) {
		calls = append(calls, kind.Call[*storage.BucketAttrs]{
			Name: "locking the retention policy of the bucket",
			Do: func(ctx context.Context, live *storage.BucketAttrs) (*storage.BucketAttrs, error) {
				return k.lock(ctx, ref, live)
			},
		})
	}
	return calls
}

// clearsPage says whether one page of a web site goes and the other stays.
func clearsPage(want *v1alpha1.Website, changes diff.Changes) bool {
	return want != nil &&
		(want.MainPageSuffix == "" && changes.Has("spec.website.mainPageSuffix") ||
			want.NotFoundPage == "" && changes.Has("spec.website.notFoundPage"))
}

// locks says whether the changes lock the retention policy.
func locks(want *v1alpha1.RetentionPolicy, changes diff.Changes) bool {
	return changes.Has("spec.retentionPolicy.locked") && orZero(orZero(want).Locked)
}

// update patches the bucket, if there is anything to change.
func (k *Kind) update(
	ctx context.Context, ref kind.Ref, live *storage.BucketAttrs, update storage.BucketAttrsToUpdate,
) (*storage.BucketAttrs, error) {
	if reflect.ValueOf(update).IsZero() {
		return live, nil
	}
	bucket, err := k.handle(ctx, ref)
	if err != nil {
		return nil, err
	}
	updated, err := bucket.If(unchanged(live)).Update(ctx, update)
	if err != nil {
		return nil, fmt.Errorf("updating bucket %q: %w", ref.ID, err)
	}
	return updated, nil
}

// lock locks the retention policy for good.
func (k *Kind) lock(ctx context.Context, ref kind.Ref, live *storage.BucketAttrs) (*storage.BucketAttrs, error) {
	bucket, err := k.handle(ctx, ref)
	if err != nil {
		return nil, err
	}
	ctx = gcp.KeepingAnswer(ctx)
	if err := bucket.If(unchanged(live)).LockRetentionPolicy(ctx); err != nil {
		return nil, fmt.Errorf("locking the retention policy of bucket %q: %w", ref.ID, err)
	}
	return observe(ctx, ref, bucket)
}
