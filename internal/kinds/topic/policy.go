package topic

import (
	"context"

	"cloud.google.com/go/iam/apiv1/iampb"
	pubsub "cloud.google.com/go/pubsub/v2/apiv1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

var _ kind.Policied[*v1alpha1.Topic] = (*Kind)(nil)

// Policy is what the manifest says of the policy on the topic.
func (*Kind) Policy(obj *v1alpha1.Topic) (*v1alpha1.IAMPolicy, []v1alpha1.AuditConfig) {
	return obj.Spec.IAM, nil
}

// GetPolicy reads the policy on the topic.
func (k *Kind) GetPolicy(ctx context.Context, ref kind.Ref) (iampolicy.Policy, error) {
	return k.policyCall(ctx, "getting", ref, func(client *pubsub.TopicAdminClient) (*iampb.Policy, error) {
		return client.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{
			Resource: fullName(ref), Options: &iampb.GetPolicyOptions{RequestedPolicyVersion: iampolicy.Version},
		}, once)
	})
}

// SetPolicy writes the policy on the topic, on condition that it is still the one that was read.
func (k *Kind) SetPolicy(ctx context.Context, ref kind.Ref, policy iampolicy.Policy) (iampolicy.Policy, error) {
	return k.policyCall(ctx, "setting", ref, func(client *pubsub.TopicAdminClient) (*iampb.Policy, error) {
		if len(policy.Etag) == 0 {
			return nil, iampolicy.ErrUnread
		}
		return client.SetIamPolicy(ctx, &iampb.SetIamPolicyRequest{Resource: fullName(ref), Policy: gcp.PolicyProto(policy)}, once)
	})
}

// policyCall makes one call about a topic's policy.
func (k *Kind) policyCall(
	ctx context.Context, doing string, ref kind.Ref, do func(*pubsub.TopicAdminClient) (*iampb.Policy, error),
) (iampolicy.Policy, error) {
	answer, err := call(ctx, k, doing+" the policy of", ref, do)
	return gcp.PolicyFromProto(answer), err
}
