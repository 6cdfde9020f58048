package serviceaccount

import (
	"context"

	corepolicy "cloud.google.com/go/iam"
	iam "cloud.google.com/go/iam/admin/apiv1"
	"cloud.google.com/go/iam/apiv1/iampb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Policy is what the manifest says of the policy on the account.
func (*Kind) Policy(obj *v1alpha1.ServiceAccount) (*v1alpha1.IAMPolicy, []v1alpha1.AuditConfig) {
	return obj.Spec.IAM, nil
}

// GetPolicy reads the policy on the account: who may act as it, or manage it.
func (k *Kind) GetPolicy(ctx context.Context, ref kind.Ref) (iampolicy.Policy, error) {
	return call(ctx, k, "getting the policy of", ref, func(client *iam.IamClient) (iampolicy.Policy, error) {
		policy, err := client.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{
			Resource: nameOf(ref), Options: &iampb.GetPolicyOptions{RequestedPolicyVersion: iampolicy.Version},
		})
		if err != nil {
			return iampolicy.Policy{}, err
		}
		return gcp.PolicyFromProto(policy.InternalProto), nil
	})
}

// SetPolicy writes the policy on the account, on condition that it is still the one that was read.
func (k *Kind) SetPolicy(ctx context.Context, ref kind.Ref, policy iampolicy.Policy) (iampolicy.Policy, error) {
	return call(ctx, k, "setting the policy of", ref, func(client *iam.IamClient) (iampolicy.Policy, error) {
		if len(policy.Etag) == 0 {
			return iampolicy.Policy{}, iampolicy.ErrUnread
		}
		stored, err := client.SetIamPolicy(ctx, &iam.SetIamPolicyRequest{
			Resource: nameOf(ref), Policy: &corepolicy.Policy{InternalProto: gcp.PolicyProto(policy)},
		})
		if err != nil {
			return iampolicy.Policy{}, err
		}
		return gcp.PolicyFromProto(stored.InternalProto), nil
	})
}
