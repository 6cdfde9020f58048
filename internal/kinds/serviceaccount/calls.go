package serviceaccount

import (
	"context"
	"fmt"

	iam "cloud.google.com/go/iam/admin/apiv1"
	"cloud.google.com/go/iam/admin/apiv1/adminpb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Observe reads the account.
func (k *Kind) Observe(ctx context.Context, ref kind.Ref) (*adminpb.ServiceAccount, error) {
	return call(ctx, k, "getting", ref, func(client *iam.IamClient) (*adminpb.ServiceAccount, error) {
		return client.GetServiceAccount(ctx, &adminpb.GetServiceAccountRequest{Name: nameOf(ref)})
	})
}

// Create makes the account, enabled: a disabled one follows as an update.
func (k *Kind) Create(ctx context.Context, ref kind.Ref, want *v1alpha1.ServiceAccount) (*adminpb.ServiceAccount, error) {
	return call(ctx, k, "creating", ref, func(client *iam.IamClient) (*adminpb.ServiceAccount, error) {
		return client.CreateServiceAccount(ctx, &adminpb.CreateServiceAccountRequest{
			Name: "projects/" + ref.Project, AccountId: ref.ID, ServiceAccount: build(want.Spec),
		})
	})
}

// Delete deletes the very account that was observed. That IAM does not find it is an error: the next look tells whether it is gone.
func (k *Kind) Delete(ctx context.Context, ref kind.Ref, live *adminpb.ServiceAccount) error {
	_, err := call(ctx, k, "deleting", ref, func(client *iam.IamClient) (none, error) {
		return none{}, client.DeleteServiceAccount(ctx, &adminpb.DeleteServiceAccountRequest{Name: named(ref, live.GetUniqueId())})
	})
	return err
}

// Undelete brings back the account with that unique ID, which Google keeps for 30 days.
func (k *Kind) Undelete(ctx context.Context, ref kind.Ref, uid string) (*adminpb.ServiceAccount, error) {
	return call(ctx, k, "undeleting", ref, func(client *iam.IamClient) (*adminpb.ServiceAccount, error) {
		answer, err := client.UndeleteServiceAccount(ctx, &adminpb.UndeleteServiceAccountRequest{Name: named(ref, uid)})
		return answer.GetRestoredAccount(), err
	})
}

type none struct{}

// call makes one call of IAM, and says in its error what it was for.
func call[R any](ctx context.Context, k *Kind, doing string, ref kind.Ref, do func(*iam.IamClient) (R, error)) (R, error) {
	return gcp.With(ctx, k.client, ref.Impersonate, fmt.Sprintf("%s service account %q", doing, ref.ID), do)
}
