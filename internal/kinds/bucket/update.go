package bucket

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"reflect"

	raw "google.golang.org/api/storage/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Update implements kind.Fielded: one patch. Google locks a retention policy in a call of its own, after the policy is there.
func (k *Kind) Update(ref kind.Ref, want *v1alpha1.Bucket, changes diff.Changes) []kind.Call[*Live] {
	calls := []kind.Call[*Live]{{
		Name: "updating the bucket",
		Do: func(ctx context.Context, live *Live) (*Live, error) {
			return k.patch(ctx, ref, live, composePatch(ref, &want.Spec, changes, live))
		},
	}}
	if locks(want.Spec.RetentionPolicy, changes) {
		calls = append(calls, kind.Call[*Live]{
			Name: "locking the retention policy of the bucket",
			Do: func(ctx context.Context, live *Live) (*Live, error) {
				return k.lock(ctx, ref, live)
			},
		})
	}
	return calls
}

// locks says whether the changes lock the retention policy.
func locks(want *v1alpha1.RetentionPolicy, changes diff.Changes) bool {
	return changes.Has("spec.retentionPolicy.locked") && orZero(orZero(want).Locked)
}

// patch patches the bucket, if there is anything to change.
func (k *Kind) patch(ctx context.Context, ref kind.Ref, live *Live, patch *raw.Bucket) (*Live, error) {
	if reflect.ValueOf(*patch).IsZero() {
		return live, nil
	}
	updated, err := k.call(ctx, ref, http.MethodPatch, pathOf(ref), unchanged(withoutACL(), live), patch)
	if err != nil {
		return nil, fmt.Errorf("updating bucket %q: %w", ref.ID, err)
	}
	return updated, nil
}

// lock locks the retention policy for good.
func (k *Kind) lock(ctx context.Context, ref kind.Ref, live *Live) (*Live, error) {
	locked, err := k.call(ctx, ref, http.MethodPost, pathOf(ref)+"/lockRetentionPolicy", unchanged(url.Values{}, live), nil)
	if err != nil {
		return nil, fmt.Errorf("locking the retention policy of bucket %q: %w", ref.ID, err)
	}
	return locked, nil
}
