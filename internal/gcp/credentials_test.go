package gcp

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/auth"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// staticToken are credentials that are always the same.
func staticToken(token string, err error) *auth.Credentials {
	return auth.NewCredentials(&auth.CredentialsOptions{TokenProvider: tokenFunc(func(context.Context) (*auth.Token, error) {
		return &auth.Token{Value: token, Expiry: time.Now().Add(time.Hour)}, err
	})})
}

type tokenFunc func(context.Context) (*auth.Token, error)

func (f tokenFunc) Token(ctx context.Context) (*auth.Token, error) { return f(ctx) }

// cloudOverTLS answers the token endpoint and Cloud Storage, and records who asked.
type cloudOverTLS struct {
	tokenCode int
	tokenBody string
	asked     []string
}

func (c *cloudOverTLS) RoundTrip(req *http.Request) (*http.Response, error) {
	c.asked = append(c.asked, req.URL.Hostname()+" "+req.Header.Get("Authorization"))
	recorder := httptest.NewRecorder()
	if req.URL.Hostname() == "iamcredentials.googleapis.com" {
		recorder.WriteHeader(c.tokenCode)
		_, _ = recorder.WriteString(c.tokenBody)
	} else {
		_, _ = recorder.WriteString(`{"name":"logs"}`)
	}
	return recorder.Result(), nil
}

// rpcOverTLS are a server's and a client's options that go together.
func rpcOverTLS(t testing.TB) (grpc.ServerOption, grpc.DialOption) {
	t.Helper()
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	t.Cleanup(certificate.Close)
	trusting := certificate.Client().Transport.(*http.Transport).TLSClientConfig
	trusting.ServerName = "example.com"
	return grpc.Creds(credentials.NewServerTLSFromCert(&certificate.TLS.Certificates[0])),
		grpc.WithTransportCredentials(credentials.NewTLS(trusting))
}

const tenant = "ann@tenant.iam.gserviceaccount.com"

func annsToken() string {
	return fmt.Sprintf(`{"accessToken":"anns","expireTime":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339))
}

func TestImpersonation(t *testing.T) {
	cloud := &cloudOverTLS{200, annsToken(), nil}
	clients := newClients(t, Options{credentials: staticToken("managers", nil), base: cloud})
	for _, account := range []string{"", tenant, tenant} {
		if _, err := getBucket(t.Context(), clients, account); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"storage.googleapis.com Bearer managers",
		"iamcredentials.googleapis.com Bearer managers",
		"storage.googleapis.com Bearer anns",
		"storage.googleapis.com Bearer anns",
	}
	if diff := cmp.Diff(want, cloud.asked); diff != "" {
		t.Errorf("who asked whom (-want +got):\n%s", diff)
	}
}

// A token that cannot be had says nothing about the resource that it was for, over HTTP as over gRPC.
func TestTokenRefused(t *testing.T) {
	const denied = `{"error":{"code":403,"message":"Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).","status":"PERMISSION_DENIED"}}`
	disabled := detailedBody("SERVICE_DISABLED", "Disabled.", `"service":"iamcredentials.googleapis.com","consumer":"projects/4711"`)
	cases := map[string]struct {
		code int
		body string
		own  error
		want Error
		// says is what the denial advises.
		says string
	}{
		"may not act as": {403, denied, nil, Error{
			Class: kind.Denied, Permission: "iam.serviceAccounts.getAccessToken", Resource: tenant,
			Message: "getting the token to act as " + tenant + ": Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
		}, "Holdfast may not act as " + tenant},
		"unknown account": {404, `{"error":{"code":404,"message":"Unknown service account","status":"NOT_FOUND"}}`, nil, Error{
			Class: kind.Denied, Message: "getting the token to act as " + tenant + ": Unknown service account",
		}, "Correct the annotation"},
		"API disabled": {403, disabled, nil, Error{
			Class: kind.Denied, Message: "getting the token to act as " + tenant + ": Disabled.",
		}, "gcloud services enable iamcredentials.googleapis.com --project 4711"},
		"outage": {503, `{"error":{"code":503,"message":"The service is currently unavailable.","status":"UNAVAILABLE"}}`, nil, Error{
			Class: kind.Unavailable, Message: "getting the token to act as " + tenant + ": The service is currently unavailable.",
		}, ""},
		"own credentials revoked": {0, "", &auth.Error{Response: &http.Response{StatusCode: http.StatusBadRequest}, Body: []byte("invalid_grant")}, Error{
			Class: kind.Denied, Message: "getting the manager's Google Cloud credentials: auth: cannot fetch token: 400 Response: invalid_grant",
		}, "Application Default Credentials"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server, client := rpcOverTLS(t)
			clients := newClients(t, Options{
				PubSub:      Endpoint{Address: (&fakeCloud{}).serve(t, server)},
				credentials: staticToken("managers", tc.own),
				base:        &cloudOverTLS{tokenCode: tc.code, tokenBody: tc.body},
				dialOptions: []grpc.DialOption{client},
			})
			_, err := getBucket(t.Context(), clients, tenant)
			if diff := cmp.Diff(&tc.want, Classify(err), cmpopts.IgnoreFields(Error{}, "Err", "Denial")); diff != "" {
				t.Errorf("storage (-want +got):\n%s", diff)
			}
			err = getTopic(t.Context(), clients, tenant)
			if diff := cmp.Diff(&tc.want, Classify(err), cmpopts.IgnoreFields(Error{}, "Err", "Denial")); diff != "" {
				t.Errorf("pubsub (-want +got):\n%s", diff)
			}
			if got := Classify(err).Explain("p", tenant); !strings.Contains(got, tc.says) {
				t.Errorf("it says %q", got)
			}
		})
	}
}
