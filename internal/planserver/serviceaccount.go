package planserver

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/time/rate"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	authentication "k8s.io/client-go/kubernetes/typed/authentication/v1"

	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
)

// How many tokens the API server is asked about, whoever sends them: a second, and at once.
const (
	reviewsPerSecond = 20
	reviewsAtOnce    = 40
)

// serviceAccounts asks the API server about the tokens of service accounts that are meant for plans, and for nothing else. No other token
// is shown to it.
type serviceAccounts struct {
	reviews authentication.TokenReviewInterface
	limiter *rate.Limiter
}

func newServiceAccounts(reviews authentication.TokenReviewInterface) serviceAccounts {
	return serviceAccounts{reviews, rate.NewLimiter(reviewsPerSecond, reviewsAtOnce)}
}

// authenticate implements authenticator.
func (s serviceAccounts) authenticate(ctx context.Context, token string, says said) (user.Info, error) {
	if err := says.onlyFor(protocol.Audience); err != nil {
		return nil, err
	}
	if !s.limiter.Allow() {
		return nil, &busy{"the API server is asked about too many tokens", pauseBusy}
	}
	review, err := s.reviews.Create(ctx, &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: []string{protocol.Audience}},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, unavailable(fmt.Errorf("asking the API server about the token: %w", err))
	}
	who := review.Status.User
	switch {
	case !review.Status.Authenticated:
		return nil, notAccepted("the API server does not know it: %s", review.Status.Error)
	case !slices.Contains(review.Status.Audiences, protocol.Audience):
		return nil, notAccepted("the API server answers for the audiences %q", review.Status.Audiences)
	case !strings.HasPrefix(who.Username, "system:serviceaccount:"):
		return nil, notAccepted("%q is no service account", who.Username)
	}
	extra := make(map[string][]string, len(who.Extra))
	for key, values := range who.Extra {
		extra[key] = values
	}
	return &user.DefaultInfo{Name: who.Username, UID: who.UID, Groups: who.Groups, Extra: extra}, nil
}
