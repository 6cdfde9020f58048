package planserver

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/authentication/user"
	authentication "k8s.io/client-go/kubernetes/typed/authentication/v1"

	"github.com/holdfast-dev/holdfast/test/issuer"
)

// configuration is one for an issuer: by the id of the repository.
func configuration(f *issuer.Issuer) string {
	authority, err := json.Marshal(f.Authority())
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer:
    url: %s
    audiences: [holdfast-plan]
    certificateAuthority: %s
  claimValidationRules:
  - expression: claims.repository_id in ["123", "124"]
    message: of another repository
  claimMappings:
    username:
      expression: '"ci:" + claims.repository_id'
    groups:
      expression: "has(claims.roles) ? claims.roles : []"
`, f.URL, authority)
}

// authenticatorsOf are those of the issuer and the cluster. They are returned once the issuer's keys can be asked for.
func authenticatorsOf(t *testing.T, f *issuer.Issuer, cluster authenticator) authenticators {
	t.Helper()
	configured, err := parseIssuers([]byte(configuration(f)))
	if err != nil {
		t.Fatal(err)
	}
	by, err := newIssuer(t.Context(), configured[0])
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the issuer is known", func() bool { return by.(tokenIssuer).verifier.HealthCheck() == nil })
	return authenticators{issuers: map[string]authenticator{f.URL: by}, cluster: cluster}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) { return holds(), nil })
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// reviews answers for the API server, and keeps what it was asked.
type reviews struct {
	authentication.TokenReviewInterface

	answer authenticationv1.TokenReviewStatus
	err    error
	asked  []authenticationv1.TokenReviewSpec
}

func (r *reviews) Create(
	_ context.Context, review *authenticationv1.TokenReview, _ metav1.CreateOptions,
) (*authenticationv1.TokenReview, error) {
	r.asked = append(r.asked, review.Spec)
	return &authenticationv1.TokenReview{Status: r.answer}, r.err
}

func TestTokensOfAnIssuer(t *testing.T) {
	f := issuer.Start(t)
	asked := &reviews{}
	known := authenticatorsOf(t, f, newServiceAccounts(asked))
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(f.Key())
	if err != nil {
		t.Fatal(err)
	}
	good := f.Token(t, nil)
	header, payload, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(payload, ".")
	rs256, none := map[string]any{"alg": "RS256", "kid": "first"}, map[string]any{"alg": "none"}
	cases := map[string]struct {
		token string
		want  user.Info // nil for not accepted
	}{
		"in force": {good, &user.DefaultInfo{Name: "ci:123"}},
		"of groups": {
			f.Token(t, map[string]any{"roles": []string{"planners"}, "repository_id": "124"}),
			&user.DefaultInfo{Name: "ci:124", Groups: []string{"planners"}},
		},
		"expired":                 {f.Token(t, map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}), nil},
		"without an end":          {f.Token(t, map[string]any{"exp": nil}), nil},
		"for somebody else":       {f.Token(t, map[string]any{"aud": "https://sts.example.com"}), nil},
		"for somebody else, too":  {f.Token(t, map[string]any{"aud": []string{"holdfast-plan", "https://sts.example.com"}}), nil},
		"for the API server, too": {f.Token(t, map[string]any{"aud": []string{"holdfast-plan", "https://kubernetes.default.svc"}}), nil},
		"for nobody":              {f.Token(t, map[string]any{"aud": nil}), nil},
		"of another repository":   {f.Token(t, map[string]any{"repository_id": "125"}), nil},
		"of a namesake":           {f.Token(t, map[string]any{"repository_id": "999", "repository": "shop/infra"}), nil},
		"of no repository":        {f.Token(t, map[string]any{"repository_id": nil}), nil},
		"of a reserved group":     {f.Token(t, map[string]any{"roles": []string{"system:masters"}}), nil},
		"of another issuer":       {f.Token(t, map[string]any{"iss": f.URL + "/other"}), nil},
		// The last letter of the claim folds to an s: whoever minds no case takes it for the issuer.
		"of an issuer and another": {f.Token(t, map[string]any{"is\u017f": "https://kubernetes.default.svc"}), nil},
		"signed by another key":    {issuer.Signed(t, rs256, f.Claims(nil), issuer.BySigning(other)), nil},
		"by a key that is unknown": {issuer.Signed(t, map[string]any{"alg": "RS256", "kid": "mine"}, f.Claims(nil), issuer.BySigning(other)), nil},
		"by a key that it brings": {
			issuer.Signed(t, map[string]any{"alg": "RS256", "jwk": map[string]string{"kty": "RSA", "n": issuer.Encode(other.N.Bytes()), "e": "AQAB"}},
				f.Claims(nil), issuer.BySigning(other)), nil,
		},
		"not signed":            {issuer.Signed(t, none, f.Claims(nil), func(string) []byte { return nil }), nil},
		"signed by the public":  {issuer.Signed(t, map[string]any{"alg": "HS256", "kid": "first"}, f.Claims(nil), issuer.ByHMAC(public)), nil},
		"with another payload":  {header + "." + issuer.Encode([]byte(strings.ReplaceAll(decoded(t, payload), `"123"`, `"124"`))) + "." + signature, nil},
		"without its signature": {header + "." + payload + ".", nil},
		"no token":              {"ghp_16C7e42F292c6912E7710c838347Ae178B4a", nil},
		"nothing in it":         {"..", nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := known.authenticate(t.Context(), tc.token)
			if tc.want == nil {
				if !errors.Is(err, errNotAccepted) || err.Error() != errNotAccepted.Error() {
					t.Errorf("got %v, %v; want that it is not accepted, and no more", got, err)
				}
				if strings.Contains(reasonOf(err).Error(), tc.token) {
					t.Errorf("the token is in what is logged: %v", reasonOf(err))
				}
				return
			}
			if err != nil {
				t.Fatal(reasonOf(err))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("user (-want +got):\n%s", diff)
			}
		})
	}
	for _, spec := range asked.asked {
		if spec.Token != cases["of another issuer"].token {
			t.Error("a token of the issuer was shown to the API server")
		}
	}
}

func decoded(t *testing.T, text string) string {
	t.Helper()
	out, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestAReservedUserIsNobody: no issuer makes somebody one of Kubernetes' own.
func TestAReservedUserIsNobody(t *testing.T) {
	by := authenticators{issuers: map[string]authenticator{"https://issuer": is{&user.DefaultInfo{Name: "system:admin"}}}}
	token := issuer.Signed(t, nil, map[string]any{"iss": "https://issuer"}, func(string) []byte { return nil })
	if who, err := by.authenticate(t.Context(), token); !errors.Is(err, errNotAccepted) {
		t.Errorf("got %v, %v", who, err)
	}
}

// is an authenticator that knows one user.
type is struct{ user.Info }

func (i is) authenticate(context.Context, string, said) (user.Info, error) { return i.Info, nil }

func TestAnIssuerChangesItsKey(t *testing.T) {
	f := issuer.Start(t)
	known := authenticatorsOf(t, f, nil)
	before := f.Token(t, nil)
	if _, err := known.authenticate(t.Context(), before); err != nil {
		t.Fatal(reasonOf(err))
	}
	f.Rotate(t, "second")
	if _, err := known.authenticate(t.Context(), f.Token(t, nil)); err != nil {
		t.Errorf("a token by the new key: %v", reasonOf(err))
	}
	// Whoever asked for the keys has them a moment before all others do.
	var err error
	for deadline := time.Now().Add(10 * time.Second); !errors.Is(err, errNotAccepted) && time.Now().Before(deadline); {
		_, err = known.authenticate(t.Context(), before)
	}
	if !errors.Is(err, errNotAccepted) {
		t.Errorf("a token by the old key, which the issuer does not have any more: %v", err)
	}
}

// TestNobodyMakesUsAskTheIssuerAllTheTime: whoever sends tokens by keys that nobody knows keeps nobody else out.
func TestNobodyMakesUsAskTheIssuerAllTheTime(t *testing.T) {
	f := issuer.Start(t)
	known := authenticatorsOf(t, f, nil)
	good := f.Token(t, nil)
	if _, err := known.authenticate(t.Context(), good); err != nil {
		t.Fatal(reasonOf(err))
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		forged := issuer.Signed(t, map[string]any{"alg": "RS256", "kid": fmt.Sprint("forged", i)}, f.Claims(nil), issuer.BySigning(other))
		if _, err := known.authenticate(t.Context(), forged); !errors.Is(err, errNotAccepted) {
			t.Fatalf("got %v", err)
		}
	}
	if asked := f.Asked.Load(); asked > askAhead {
		t.Errorf("the issuer was asked for its keys %d times", asked)
	}
	if _, err := known.authenticate(t.Context(), good); err != nil {
		t.Errorf("a token by the known key: %v", reasonOf(err))
	}
}

func TestAnIssuerThatDoesNotAnswer(t *testing.T) {
	f := issuer.Start(t)
	f.Down()
	configured, err := parseIssuers([]byte(configuration(f)))
	if err != nil {
		t.Fatal(err)
	}
	by, err := newIssuer(t.Context(), configured[0])
	if err != nil {
		t.Fatal(err)
	}
	known := authenticators{issuers: map[string]authenticator{f.URL: by}}
	if _, err := known.authenticate(t.Context(), f.Token(t, nil)); !errors.Is(err, errUnavailable) {
		t.Errorf("got %v, want that nobody knows at the moment", err)
	}
}

func TestTokensOfServiceAccounts(t *testing.T) {
	answer := func(change func(*authenticationv1.TokenReviewStatus)) *reviews {
		status := authenticationv1.TokenReviewStatus{
			Authenticated: true, Audiences: []string{"holdfast-plan"},
			User: authenticationv1.UserInfo{
				Username: "system:serviceaccount:ci:runner", UID: "1", Groups: []string{"system:serviceaccounts"},
				Extra: map[string]authenticationv1.ExtraValue{"pod": {"runner-1"}},
			},
		}
		change(&status)
		return &reviews{answer: status}
	}
	yes := func(*authenticationv1.TokenReviewStatus) {}
	token := func(audiences any) string {
		return issuer.Signed(t, nil, map[string]any{"iss": "https://kubernetes.default.svc", "aud": audiences}, func(string) []byte { return nil })
	}
	ours := token([]string{"holdfast-plan"})
	cases := map[string]struct {
		token    string
		reviews  *reviews
		shown    bool // to the API server
		accepted bool
	}{
		"for plans":                         {ours, answer(yes), true, true},
		"for the API server":                {token([]string{"https://kubernetes.default.svc"}), answer(yes), false, false},
		"for the API server, too":           {token([]string{"holdfast-plan", "https://kubernetes.default.svc"}), answer(yes), false, false},
		"for nobody, as of old":             {token(nil), answer(yes), false, false},
		"of another issuer for another":     {token("https://sts.example.com"), answer(yes), false, false},
		"not known":                         {ours, answer(func(s *authenticationv1.TokenReviewStatus) { s.Authenticated = false }), true, false},
		"of an API server without aud":      {ours, answer(func(s *authenticationv1.TokenReviewStatus) { s.Audiences = nil }), true, false},
		"of one that answers for its own":   {ours, answer(func(s *authenticationv1.TokenReviewStatus) { s.Audiences = []string{"api"} }), true, false},
		"of a person whom the server signs": {ours, answer(func(s *authenticationv1.TokenReviewStatus) { s.User.Username = "ada" }), true, false},
		"of a node":                         {ours, answer(func(s *authenticationv1.TokenReviewStatus) { s.User.Username = "system:node:a" }), true, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			by := authenticators{cluster: newServiceAccounts(tc.reviews)}
			who, err := by.authenticate(t.Context(), tc.token)
			switch {
			case tc.accepted && err != nil:
				t.Error(reasonOf(err))
			case tc.accepted && (who.GetName() != "system:serviceaccount:ci:runner" || !slices.Equal(who.GetExtra()["pod"], []string{"runner-1"})):
				t.Errorf("it is %v", who)
			case !tc.accepted && !errors.Is(err, errNotAccepted):
				t.Errorf("got %v, %v", who, err)
			}
			if shown := len(tc.reviews.asked) > 0; shown != tc.shown {
				t.Errorf("the API server was shown it: %t", shown)
			}
			for _, spec := range tc.reviews.asked {
				if !slices.Equal(spec.Audiences, []string{"holdfast-plan"}) {
					t.Errorf("it was asked for the audiences %q", spec.Audiences)
				}
			}
		})
	}
	if _, err := (authenticators{cluster: newServiceAccounts(&reviews{err: errors.New("down")})}).authenticate(t.Context(), ours); !errors.Is(err, errUnavailable) {
		t.Errorf("an API server that does not answer: %v", err)
	}
}

// TestNobodyMakesUsAskTheAPIServerAllTheTime: anybody can send tokens that look as if they were for plans.
func TestNobodyMakesUsAskTheAPIServerAllTheTime(t *testing.T) {
	asked := &reviews{}
	by := authenticators{cluster: newServiceAccounts(asked)}
	token := issuer.Signed(t, nil, map[string]any{"aud": "holdfast-plan"}, func(string) []byte { return nil })
	var last error
	for range 10 * reviewsAtOnce {
		_, last = by.authenticate(t.Context(), token)
	}
	if len(asked.asked) > 2*reviewsAtOnce {
		t.Errorf("the API server was asked %d times", len(asked.asked))
	}
	if later := (*busy)(nil); !errors.As(last, &later) {
		t.Errorf("got %v, want to be told to come later", last)
	}
}
