package serviceaccount

import (
	"context"
	"errors"
	"strings"

	iam "cloud.google.com/go/iam/admin/apiv1"
	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"google.golang.org/api/iterator"

	"github.com/holdfast-dev/holdfast/internal/engine"
)

var _ engine.Lister = (*Kind)(nil)

// pageSize is how many accounts are listed with one call: as many as Google allows.
const pageSize = 100

// List returns the IDs of a project's accounts. Those that Google makes by itself, such as the default account of Compute Engine,
// have e-mails of another form and are left out.
func (k *Kind) List(ctx context.Context, ref engine.Ref) ([]string, error) {
	return call(ctx, k, "listing", ref, func(client *iam.IamClient) ([]string, error) {
		accounts := client.ListServiceAccounts(ctx, &adminpb.ListServiceAccountsRequest{Name: "projects/" + ref.Project, PageSize: pageSize})
		var ids []string
		for {
			account, err := accounts.Next()
			if errors.Is(err, iterator.Done) {
				return ids, nil
			}
			if err != nil {
				return nil, err
			}
			id, _, _ := strings.Cut(account.GetEmail(), "@")
			if one := (engine.Ref{Project: ref.Project, ID: id}); emailOf(one) == account.GetEmail() {
				ids = append(ids, id)
			}
		}
	})
}
