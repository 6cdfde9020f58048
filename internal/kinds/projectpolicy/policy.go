package projectpolicy

import (
	"context"
	"fmt"
	"reflect"

	"cloud.google.com/go/iam/apiv1/iampb"
	resourcemanager "cloud.google.com/go/resourcemanager/apiv3"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Policy is what the manifest says: all of it.
func (*Kind) Policy(obj *v1alpha1.ProjectPolicy) (*v1alpha1.IAMPolicy, []v1alpha1.AuditConfig) {
	return &obj.Spec.IAMPolicy, obj.Spec.AuditConfigs
}

// GetPolicy reads the project's policy.
func (k *Kind) GetPolicy(ctx context.Context, ref kind.Ref) (iampolicy.Policy, error) {
	return k.call(ctx, "getting", ref, func(client *resourcemanager.ProjectsClient) (*iampb.Policy, error) {
		return client.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{
			Resource: nameOf(ref), Options: &iampb.GetPolicyOptions{RequestedPolicyVersion: iampolicy.Version},
		})
	})
}

// SetPolicy writes the project's policy, on condition that it is still the one that was read. Audit configs are sent only if
// they change, so that a manifest without any cannot touch them.
func (k *Kind) SetPolicy(ctx context.Context, ref kind.Ref, policy iampolicy.Policy) (iampolicy.Policy, error) {
	return k.call(ctx, "setting", ref, func(client *resourcemanager.ProjectsClient) (*iampb.Policy, error) {
		mask, err := maskOf(policy)
		if err != nil {
			return nil, err
		}
		return client.SetIamPolicy(ctx, &iampb.SetIamPolicyRequest{Resource: nameOf(ref), Policy: gcp.PolicyProto(policy), UpdateMask: mask})
	})
}

// audited are the audit configs as they were read. They are a policy's Source, to tell whether they change.
type audited []iampolicy.AuditConfig

func maskOf(policy iampolicy.Policy) (*fieldmaskpb.FieldMask, error) {
	before, ok := policy.Source.(audited)
	if !ok || len(policy.Etag) == 0 {
		return nil, iampolicy.ErrUnread
	}
	mask := &fieldmaskpb.FieldMask{Paths: []string{"bindings", "etag"}}
	if len(before)+len(policy.AuditConfigs) > 0 && !reflect.DeepEqual([]iampolicy.AuditConfig(before), policy.AuditConfigs) {
		mask.Paths = append(mask.Paths, "audit_configs")
	}
	return mask, nil
}

// call makes one call of Resource Manager, and says in its error what it was for.
func (k *Kind) call(
	ctx context.Context, doing string, ref kind.Ref, do func(*resourcemanager.ProjectsClient) (*iampb.Policy, error),
) (iampolicy.Policy, error) {
	answer, err := gcp.With(ctx, k.client, ref.Impersonate, fmt.Sprintf("%s the policy of project %q", doing, ref.Project), do)
	if err != nil {
		return iampolicy.Policy{}, err
	}
	policy := gcp.PolicyFromProto(answer)
	policy.Source = audited(policy.AuditConfigs)
	return policy, nil
}
