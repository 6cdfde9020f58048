package planserver

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/apiserver/pkg/authentication/user"
	authorization "k8s.io/client-go/kubernetes/typed/authorization/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Subresource is what of a kind's resource somebody must be allowed to create who asks for plans of it, as in buckets/plan. There is no such
// subresource: it stands for seeing what is in Google Cloud, kind by kind and namespace by namespace.
const Subresource = "plan"

const (
	// reviewLasts is how long an answer of the API server is good for, and mostReviews how many are remembered.
	reviewLasts = 10 * time.Second
	mostReviews = 4096
)

// authorizer knows who may ask for plans of what.
type authorizer struct {
	reviews authorization.SubjectAccessReviewInterface
	answers *cache.LRUExpireCache
}

func newAuthorizer(reviews authorization.SubjectAccessReviewInterface) authorizer {
	return authorizer{reviews, cache.NewLRUExpireCache(mostReviews)}
}

// allows says whether somebody may ask for plans of a kind in a namespace. Whether there is such a namespace makes no difference.
func (a authorizer) allows(ctx context.Context, who user.Info, k kind.Kind, namespace string) (bool, error) {
	spec := authorizationv1.SubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: "create", Group: v1alpha1.GroupVersion.Group, Version: v1alpha1.GroupVersion.Version,
			Resource: k.Plural, Subresource: Subresource, Namespace: namespace,
		},
		User: who.GetName(), UID: who.GetUID(), Groups: who.GetGroups(), Extra: map[string]authorizationv1.ExtraValue{},
	}
	for name, values := range who.GetExtra() {
		spec.Extra[name] = values
	}
	asked, err := json.Marshal(spec)
	if err != nil {
		return false, err
	}
	key := sha256.Sum256(asked)
	if answer, ok := a.answers.Get(key); ok {
		return answer.(bool), nil
	}
	review, err := a.reviews.Create(ctx, &authorizationv1.SubjectAccessReview{Spec: spec}, metav1.CreateOptions{})
	if err != nil {
		return false, unavailable(fmt.Errorf("asking the API server for access: %w", err))
	}
	allowed := review.Status.Allowed && !review.Status.Denied
	a.answers.Add(key, allowed, reviewLasts)
	return allowed, nil
}
