package serviceaccount

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// IdentityFunc returns the e-mail by which Google knows us when we act as a service account; the manager's own where impersonate
// is empty.
type IdentityFunc func(ctx context.Context, impersonate string) (email string, err error)

// keepSelf refuses what would lock Holdfast out: no account that it acts as is disabled or deleted. An identity that nobody knows
// cannot be compared.
func (k *Kind) keepSelf(ctx context.Context, doing string, ref kind.Ref, live *adminpb.ServiceAccount) error {
	for _, impersonate := range slices.Compact([]string{"", ref.Impersonate}) {
		if email, err := k.identity(ctx, impersonate); err == nil && strings.EqualFold(email, live.GetEmail()) {
			return &kind.Error{Class: kind.Invalid, Message: fmt.Sprintf(
				"Holdfast itself acts as %s, so %s it would lock Holdfast out: do it yourself once Holdfast acts as another account", email, doing)}
		}
	}
	return nil
}
