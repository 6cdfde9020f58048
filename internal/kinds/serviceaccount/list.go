package serviceaccount

import (
	"context"
	"fmt"
	"strings"

	iam "cloud.google.com/go/iam/admin/apiv1"
	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"google.golang.org/api/iterator"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

var _ kind.Lister[*adminpb.ServiceAccount] = (*Kind)(nil)

// pageSize is how many accounts are listed with one call: as many as Google allows.
const pageSize = 100

// List yields a project's accounts. Those that Google creates by itself, such as the default account of Compute Engine, have e-mails
// of another form and are left out.
func (k *Kind) List(ctx context.Context, ref kind.Ref, yield func(page []kind.Item[*adminpb.ServiceAccount]) bool) error {
	doing := fmt.Sprintf("listing the service accounts of project %q", ref.Project)
	_, err := gcp.With(ctx, k.client, ref.Impersonate, doing, func(client *iam.IamClient) (none, error) {
		all := client.ListServiceAccounts(ctx, &adminpb.ListServiceAccountsRequest{Name: "projects/" + ref.Project})
		pager := iterator.NewPager(all, pageSize, "")
		for {
			var accounts []*adminpb.ServiceAccount
			next, err := pager.NextPage(&accounts)
			if err != nil || !yield(pageOf(ref, accounts)) || next == "" {
				return none{}, err
			}
		}
	})
	return err
}

func pageOf(ref kind.Ref, accounts []*adminpb.ServiceAccount) []kind.Item[*adminpb.ServiceAccount] {
	page := make([]kind.Item[*adminpb.ServiceAccount], 0, len(accounts))
	for _, account := range accounts {
		id, _, _ := strings.Cut(account.GetEmail(), "@")
		if emailOf(kind.Ref{Project: ref.Project, ID: id}) == account.GetEmail() {
			page = append(page, kind.Item[*adminpb.ServiceAccount]{ID: id, Live: account})
		}
	}
	return page
}
