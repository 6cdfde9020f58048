package gcp

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/auth"
)

// credentialsFile are credentials as a file has them; none, as a machine of Google's has them.
func credentialsFile(text string, tokenErr error) *auth.Credentials {
	opts := &auth.CredentialsOptions{TokenProvider: tokenFunc(func(context.Context) (*auth.Token, error) {
		return &auth.Token{Value: "managers token", Expiry: time.Now().Add(time.Hour)}, tokenErr
	})}
	if text != "" {
		opts.JSON = []byte(text)
	}
	return auth.NewCredentials(opts)
}

// answering is a transport that gives one answer to all, and remembers the last request.
type answering struct {
	code  int
	body  string
	calls atomic.Int32
	last  string
}

func (a *answering) RoundTrip(req *http.Request) (*http.Response, error) {
	a.calls.Add(1)
	a.last = req.Method + " " + req.URL.String()
	if req.Body != nil {
		if err := req.ParseForm(); err != nil {
			return nil, err
		}
		a.last += " " + req.PostForm.Encode()
	}
	if a.code == 0 {
		return nil, errors.New("no route to host")
	}
	recorder := httptest.NewRecorder()
	recorder.WriteHeader(a.code)
	_, _ = recorder.WriteString(a.body)
	return recorder.Result(), nil
}

func TestIdentity(t *testing.T) {
	const (
		advice    = "; set --gcp-identity to its e-mail"
		machine   = "GET http://metadata.test/computeMetadata/v1/instance/service-accounts/default/email"
		google    = "POST https://oauth2.googleapis.com/tokeninfo access_token=managers+token"
		generator = `"service_account_impersonation_url":"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/b@p.iam.gserviceaccount.com:generateAccessToken"`
		user      = `{"type":"authorized_user"}`
	)
	cases := map[string]struct {
		impersonate, flag string
		credentials       *auth.Credentials
		cloud             *answering
		want, fails       string
		asked             string
	}{
		"an impersonated account":      {impersonate: tenant, flag: "a@example.com", want: tenant},
		"as the flag says":             {flag: "a@example.com", credentials: credentialsFile(`{"client_email":"b@example.com"}`, nil), want: "a@example.com"},
		"a service account's key":      {credentials: credentialsFile(`{"type":"service_account","client_email":"a@p.iam.gserviceaccount.com"}`, nil), want: "a@p.iam.gserviceaccount.com"},
		"a user who acts as another":   {credentials: credentialsFile(`{"type":"impersonated_service_account",`+generator+`}`, nil), want: "b@p.iam.gserviceaccount.com"},
		"a key that acts as another":   {credentials: credentialsFile(`{"client_email":"a@p.iam.gserviceaccount.com",`+generator+`}`, nil), want: "b@p.iam.gserviceaccount.com"},
		"somebody else's, as another":  {credentials: credentialsFile(`{"type":"external_account",`+generator+`}`, nil), want: "b@p.iam.gserviceaccount.com"},
		"a machine":                    {credentials: credentialsFile("", nil), cloud: &answering{code: 200, body: "node@p.iam.gserviceaccount.com\n"}, want: "node@p.iam.gserviceaccount.com", asked: machine},
		"a Kubernetes service account": {credentials: credentialsFile("", nil), cloud: &answering{code: 200, body: "p.svc.id.goog"}, fails: `the metadata server answered "p.svc.id.goog", which is not an e-mail`, asked: machine},
		"a machine that is nobody":     {credentials: credentialsFile("", nil), cloud: &answering{code: 404}, fails: "asking the metadata server", asked: machine},
		"a user":                       {credentials: credentialsFile(user, nil), cloud: &answering{code: 200, body: `{"email":"ann@example.com","expires_in":"3599"}`}, want: "ann@example.com", asked: google},
		"a user without that scope":    {credentials: credentialsFile(user, nil), cloud: &answering{code: 200, body: `{"azp":"32555940559"}`}, fails: "asking Google: the answer has no e-mail", asked: google},
		"a token that is none":         {credentials: credentialsFile(user, nil), cloud: &answering{code: 400, body: `{"error":"invalid_token","error_description":"Invalid Value"}`}, fails: "asking Google: ", asked: google},
		"no sense":                     {credentials: credentialsFile(user, nil), cloud: &answering{code: 200, body: `<html>`}, fails: "reading what Google says of the credentials: ", asked: google},
		"no answer":                    {credentials: credentialsFile(user, nil), cloud: &answering{}, fails: "asking Google: ", asked: google},
		"no token":                     {credentials: credentialsFile(user, errors.New("revoked")), cloud: &answering{}, fails: "revoked"},
		"a file that is none":          {credentials: credentialsFile("{", nil), cloud: &answering{code: 200, body: `{"email":"ann@example.com"}`}, want: "ann@example.com", asked: google},
		"no credentials":               {fails: "there are no credentials"},
	}
	t.Setenv("GCE_METADATA_HOST", "metadata.test")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			opts := allInsecure(t, "127.0.0.1:1")
			if opts.Identity = tc.flag; tc.cloud != nil {
				opts.base = tc.cloud
			}
			clients := newClients(t, opts)
			clients.base = tc.credentials
			for range 3 {
				got, err := clients.Identity(t.Context(), tc.impersonate)
				switch {
				case got != tc.want, (err != nil) != (tc.fails != ""):
					t.Errorf("got %q, %v, want %q", got, err, tc.want)
				case err != nil && (!strings.Contains(err.Error(), tc.fails) || !strings.HasSuffix(err.Error(), advice)):
					t.Errorf("got %v, want %q and the advice", err, tc.fails)
				case err != nil && strings.Contains(err.Error(), "managers token"):
					t.Errorf("the token is in the error: %v", err)
				}
			}
			if tc.cloud == nil {
				return
			}
			want := int32(0)
			if tc.asked != "" {
				want = 1
			}
			if got := tc.cloud.calls.Load(); got != want || tc.cloud.last != tc.asked {
				t.Errorf("asked %d times, at last %q, want %q", got, tc.cloud.last, tc.asked)
			}
		})
	}
}

func TestIdentityIsAskedAgain(t *testing.T) {
	cloud := &answering{code: 503}
	opts := allInsecure(t, "127.0.0.1:1")
	opts.base = cloud
	clients, clock := newClients(t, opts), newClock()
	clients.base, clients.identity.now = credentialsFile(`{"type":"authorized_user"}`, nil), clock.now
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := clients.Identity(impatient, ""); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("got %v: one caller's end is not the others'", err)
	}
	clock.advance(identityPause)
	cloud.code, cloud.body = 200, `{"email":"ann@example.com"}`
	for i := range 3 {
		if email, err := clients.Identity(t.Context(), ""); email != "ann@example.com" || err != nil {
			t.Errorf("after a minute: %q, %v", email, err)
		}
		clock.advance(time.Duration(i) * time.Hour)
	}
	if n := cloud.calls.Load(); n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
}
