package planserver

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	authorization "k8s.io/client-go/kubernetes/typed/authorization/v1"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// accesses answers for the API server, and keeps what it was asked.
type accesses struct {
	authorization.SubjectAccessReviewInterface

	answer func(authorizationv1.SubjectAccessReviewSpec) authorizationv1.SubjectAccessReviewStatus
	err    error

	mu    sync.Mutex
	asked []authorizationv1.SubjectAccessReviewSpec
}

func (a *accesses) Create(
	_ context.Context, review *authorizationv1.SubjectAccessReview, _ metav1.CreateOptions,
) (*authorizationv1.SubjectAccessReview, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, review.Spec)
	return &authorizationv1.SubjectAccessReview{Status: a.answer(review.Spec)}, a.err
}

var (
	bucketKind = kind.Kind{Traits: kind.Traits{Kind: "Bucket", Plural: "buckets"}}
	topicKind  = kind.Kind{Traits: kind.Traits{Kind: "Topic", Plural: "topics"}}
)

func TestAccessIsAskedForByKindAndNamespace(t *testing.T) {
	asked := &accesses{answer: func(spec authorizationv1.SubjectAccessReviewSpec) authorizationv1.SubjectAccessReviewStatus {
		return authorizationv1.SubjectAccessReviewStatus{Allowed: spec.ResourceAttributes.Resource == "buckets" && spec.User == "ci"}
	}}
	a := newAuthorizer(asked)
	ci := &user.DefaultInfo{Name: "ci", UID: "1", Groups: []string{"planners"}, Extra: map[string][]string{"pod": {"a"}}}
	for range 2 { // the second time nobody is asked
		for _, tc := range []struct {
			who       user.Info
			kind      kind.Kind
			namespace string
			want      bool
		}{
			{ci, bucketKind, "shop", true},
			{ci, topicKind, "shop", false},
			{ci, bucketKind, "elsewhere", true},
			{&user.DefaultInfo{Name: "ci"}, bucketKind, "shop", true},
			{&user.DefaultInfo{Name: "eve"}, bucketKind, "shop", false},
		} {
			if got, err := a.allows(t.Context(), tc.who, tc.kind, tc.namespace); got != tc.want || err != nil {
				t.Errorf("%s may plan %s in %s: %t (%v), want %t", tc.who.GetName(), tc.kind.Plural, tc.namespace, got, err, tc.want)
			}
		}
	}
	if len(asked.asked) != 5 {
		t.Errorf("the API server was asked %d times, want once for each of 5", len(asked.asked))
	}
	want := authorizationv1.SubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: "create", Group: "gcp.holdfast.dev", Version: "v1alpha1", Resource: "buckets", Subresource: "plan", Namespace: "shop",
		},
		User: "ci", UID: "1", Groups: []string{"planners"}, Extra: map[string]authorizationv1.ExtraValue{"pod": {"a"}},
	}
	if diff := cmp.Diff(want, asked.asked[0]); diff != "" {
		t.Errorf("what was asked (-want +got):\n%s", diff)
	}
}

func TestWhatIsDeniedIsNotAllowed(t *testing.T) {
	a := newAuthorizer(&accesses{answer: func(authorizationv1.SubjectAccessReviewSpec) authorizationv1.SubjectAccessReviewStatus {
		return authorizationv1.SubjectAccessReviewStatus{Allowed: true, Denied: true}
	}})
	if allowed, err := a.allows(t.Context(), &user.DefaultInfo{Name: "ci"}, bucketKind, "shop"); allowed || err != nil {
		t.Errorf("got %t, %v", allowed, err)
	}
}

func TestAFailureToAskForAccessIsNotRemembered(t *testing.T) {
	asked := &accesses{err: errors.New("down"), answer: func(authorizationv1.SubjectAccessReviewSpec) authorizationv1.SubjectAccessReviewStatus {
		return authorizationv1.SubjectAccessReviewStatus{Allowed: true}
	}}
	a, ci := newAuthorizer(asked), &user.DefaultInfo{Name: "ci"}
	if _, err := a.allows(t.Context(), ci, bucketKind, "shop"); !errors.Is(err, errUnavailable) {
		t.Errorf("got %v", err)
	}
	asked.err = nil
	if allowed, err := a.allows(t.Context(), ci, bucketKind, "shop"); !allowed || err != nil {
		t.Errorf("got %t, %v", allowed, err)
	}
}
