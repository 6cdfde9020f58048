package bucket

import (
	"context"
	"fmt"

	raw "google.golang.org/api/storage/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

var (
	_ kind.Policied[*v1alpha1.Bucket] = (*Kind)(nil)
	_ kind.Granted[*v1alpha1.Bucket]  = (*Kind)(nil)
)

// Policy implements kind.Policied.
func (k *Kind) Policy(obj *v1alpha1.Bucket) (*v1alpha1.IAMPolicy, []v1alpha1.AuditConfig) {
	return obj.Spec.IAM, nil
}

// GetPolicy implements kind.Policied.
func (k *Kind) GetPolicy(ctx context.Context, ref kind.Ref) (iampolicy.Policy, error) {
	service, err := k.clients.StorageService(ctx, ref.Impersonate)
	if err != nil {
		return iampolicy.Policy{}, fmt.Errorf("getting the policy of bucket %q: %w", ref.ID, err)
	}
	read, err := service.Buckets.GetIamPolicy(ref.ID).OptionsRequestedPolicyVersion(iampolicy.Version).Context(ctx).Do()
	if err != nil {
		return iampolicy.Policy{}, fmt.Errorf("getting the policy of bucket %q: %w", ref.ID, err)
	}
	return describePolicy(read), nil
}

// SetPolicy implements kind.Policied. Without its etag a policy would replace whatever is there.
func (k *Kind) SetPolicy(ctx context.Context, ref kind.Ref, policy iampolicy.Policy) (iampolicy.Policy, error) {
	if len(policy.Etag) == 0 {
		return iampolicy.Policy{}, fmt.Errorf("setting the policy of bucket %q: %w", ref.ID, iampolicy.ErrUnread)
	}
	service, err := k.clients.StorageService(ctx, ref.Impersonate)
	if err != nil {
		return iampolicy.Policy{}, fmt.Errorf("setting the policy of bucket %q: %w", ref.ID, err)
	}
	stored, err := service.Buckets.SetIamPolicy(ref.ID, composePolicy(policy)).Context(ctx).Do()
	if err != nil {
		return iampolicy.Policy{}, fmt.Errorf("setting the policy of bucket %q: %w", ref.ID, err)
	}
	return describePolicy(stored), nil
}

// Initial implements kind.Granted: who has the basic roles in the bucket's project may manage it, and reach its objects, which under fine-grained
// access is left to their access control lists.
func (k *Kind) Initial(ref kind.Ref, live *v1alpha1.Bucket) []iampolicy.Grant {
	owner, editor, viewer := "projectOwner:"+ref.Project, "projectEditor:"+ref.Project, "projectViewer:"+ref.Project
	grants := []iampolicy.Grant{
		{Role: "roles/storage.legacyBucketOwner", Member: owner}, {Role: "roles/storage.legacyBucketOwner", Member: editor},
		{Role: "roles/storage.legacyBucketReader", Member: viewer},
	}
	if uniform := live.Spec.UniformBucketLevelAccess; uniform == nil || uniform.Enabled == nil || !*uniform.Enabled {
		return grants
	}
	return append(grants,
		iampolicy.Grant{Role: "roles/storage.legacyObjectOwner", Member: owner},
		iampolicy.Grant{Role: "roles/storage.legacyObjectOwner", Member: editor},
		iampolicy.Grant{Role: "roles/storage.legacyObjectReader", Member: viewer})
}

func describePolicy(p *raw.Policy) iampolicy.Policy {
	policy := iampolicy.Policy{Etag: []byte(p.Etag)}
	for _, b := range p.Bindings {
		binding := iampolicy.Binding{Role: b.Role, Members: b.Members}
		if c := b.Condition; c != nil {
			binding.Condition = iampolicy.Condition{Title: c.Title, Description: c.Description, Expression: c.Expression}
		}
		policy.Bindings = append(policy.Bindings, binding)
	}
	return policy
}

func composePolicy(p iampolicy.Policy) *raw.Policy {
	policy := &raw.Policy{Version: iampolicy.Version, Etag: string(p.Etag)}
	for _, b := range p.Bindings {
		binding := &raw.PolicyBindings{Role: b.Role, Members: b.Members}
		if c := b.Condition; c != (iampolicy.Condition{}) {
			binding.Condition = &raw.Expr{Title: c.Title, Description: c.Description, Expression: c.Expression}
		}
		policy.Bindings = append(policy.Bindings, binding)
	}
	return policy
}
