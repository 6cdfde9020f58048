package bucket

import (
	"context"
	"fmt"
	"reflect"

	"cloud.google.com/go/iam"
	"cloud.google.com/go/iam/apiv1/iampb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

var _ kind.Policied[*v1alpha1.Bucket] = (*Kind)(nil)

// Policy implements kind.Policied.
func (k *Kind) Policy(obj *v1alpha1.Bucket) (*v1alpha1.IAMPolicy, []v1alpha1.AuditConfig) {
	return obj.Spec.IAM, nil
}

// GetPolicy implements kind.Policied. The client library hides the etag in its own policy, which is kept as the Source.
func (k *Kind) GetPolicy(ctx context.Context, ref kind.Ref) (iampolicy.Policy, error) {
	bucket, err := k.handle(ctx, ref)
	if err != nil {
		return iampolicy.Policy{}, fmt.Errorf("getting the policy of bucket %q: %w", ref.ID, err)
	}
	return getPolicy(ctx, ref, bucket.IAM().V3())
}

func getPolicy(ctx context.Context, ref kind.Ref, handle *iam.Handle3) (iampolicy.Policy, error) {
	source, err := handle.Policy(ctx)
	if err != nil {
		return iampolicy.Policy{}, fmt.Errorf("getting the policy of bucket %q: %w", ref.ID, err)
	}
	policy := iampolicy.FromProto(&iampb.Policy{Bindings: source.Bindings, Etag: etagOf(source)})
	policy.Source = source
	return policy, nil
}

// etagOf reads the etag that the client library keeps to itself: a policy that came without one must not be written, since that
// would go out without a precondition.
func etagOf(source *iam.Policy3) []byte {
	return reflect.ValueOf(source).Elem().FieldByName("etag").Bytes()
}

// SetPolicy implements kind.Policied.
func (k *Kind) SetPolicy(ctx context.Context, ref kind.Ref, policy iampolicy.Policy) (iampolicy.Policy, error) {
	bucket, err := k.handle(ctx, ref)
	if err != nil {
		return iampolicy.Policy{}, fmt.Errorf("setting the policy of bucket %q: %w", ref.ID, err)
	}
	source, ok := policy.Source.(*iam.Policy3)
	if !ok {
		return iampolicy.Policy{}, fmt.Errorf("setting the policy of bucket %q: %w", ref.ID, iampolicy.ErrUnread)
	}
	next := *source // with its etag
	next.Bindings = policy.Proto().GetBindings()
	ctx = gcp.KeepingAnswer(ctx)
	if err := bucket.IAM().V3().SetPolicy(ctx, &next); err != nil {
		return iampolicy.Policy{}, fmt.Errorf("setting the policy of bucket %q: %w", ref.ID, err)
	}
	return getPolicy(ctx, ref, bucket.IAM().V3())
}
