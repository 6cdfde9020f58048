package bucket

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Create implements kind.Fielded. A lock of the retention policy is not part of it: Google locks in a call of its own, and
// that waits for approval. It then shows as a difference.
func (k *Kind) Create(ctx context.Context, ref kind.Ref, want *v1alpha1.Bucket) (*Live, error) {
	query := url.Values{"project": {ref.Project}}
	if want.Spec.ObjectRetention != nil {
		query.Set("enableObjectRetention", "true")
	}
	live, err := k.call(ctx, ref, http.MethodPost, "b", query, composeNew(ref, &want.Spec))
	if err != nil {
		return nil, fmt.Errorf("creating bucket %q: %w", ref.ID, err)
	}
	return live, nil
}
