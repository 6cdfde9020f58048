package bucket

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

var _ kind.Lister[*Live] = (*Kind)(nil)

// pageSize is how many buckets are listed with one call: as many as Google allows.
const pageSize = 1000

// List implements kind.Lister.
func (k *Kind) List(ctx context.Context, ref kind.Ref, yield func(page []kind.Item[*Live]) bool) error {
	service, err := k.clients.StorageService(ctx, ref.Impersonate)
	if err != nil {
		return fmt.Errorf("listing the buckets of project %q: %w", ref.Project, err)
	}
	query := withoutACL()
	query.Set("project", ref.Project)
	query.Set("maxResults", strconv.Itoa(pageSize))
	for {
		var answer struct {
			Items         []*Live `json:"items"`
			NextPageToken string  `json:"nextPageToken"`
		}
		if err := service.Call(ctx, http.MethodGet, "b", query, nil, &answer); err != nil {
			return fmt.Errorf("listing the buckets of project %q: %w", ref.Project, err)
		}
		page := make([]kind.Item[*Live], 0, len(answer.Items))
		for _, live := range answer.Items {
			page = append(page, kind.Item[*Live]{ID: live.Name, Live: live, Partial: live.IPFilter != nil}) // of which lists show the mode alone
		}
		if !yield(page) || answer.NextPageToken == "" {
			return nil
		}
		query.Set("pageToken", answer.NextPageToken)
	}
}
