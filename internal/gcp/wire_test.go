package gcp

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
)

// sent are the headers of a request that every transport has to send.
type sent struct {
	Authorization, QuotaProject string
	// Introduced says that our own user agent comes first.
	Introduced bool
}

// wire records what goes out, by service and in lower case as gRPC has it: the last request wins.
type wire struct {
	mu   sync.Mutex
	sent map[string]sent
}

func (w *wire) note(service string, header func(string) string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent[service] = sent{
		Authorization: header("authorization"), QuotaProject: header("x-goog-user-project"),
		Introduced: strings.HasPrefix(header("user-agent"), "holdfast/test"),
	}
}

// RoundTrip implements http.RoundTripper for Cloud Storage and the token endpoint.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	service, _, _ := strings.Cut(req.URL.Hostname(), ".")
	w.note(service, req.Header.Get)
	return (&cloudOverTLS{tokenCode: http.StatusOK, tokenBody: annsToken()}).RoundTrip(req)
}

// tap answers all gRPC calls.
func (w *wire) tap(ctx context.Context, info *tap.Info) (context.Context, error) {
	w.note(info.FullMethodName, func(name string) string { return strings.Join(info.Header.Get(name), ", ") })
	return ctx, status.Error(codes.NotFound, "nothing is here")
}

// TestHeaders: whoever is to pay for a call, and who makes it, reaches Google by every transport. Calls about a bucket, which that project
// must not pay for, are in payer_test.go.
func TestHeaders(t *testing.T) {
	const (
		storageAPI = "storage"
		tokenAPI   = "iamcredentials"
		topics     = "/google.pubsub.v1.Publisher/GetTopic"
		accounts   = "/google.iam.admin.v1.IAM/GetServiceAccount"
		projects   = "/google.cloud.resourcemanager.v3.Projects/GetProject"
	)
	withOwn := auth.NewCredentials(&auth.CredentialsOptions{
		TokenProvider:          staticToken("managers", nil),
		QuotaProjectIDProvider: auth.CredentialsPropertyFunc(func(context.Context) (string, error) { return "own-quota", nil }),
	})
	withFile := auth.NewCredentials(&auth.CredentialsOptions{
		TokenProvider: staticToken("managers", nil), JSON: []byte(`{"type":"authorized_user","quota_project_id":"file-quota"}`),
	})
	// Who calls the services, and what they are charged to; the manager fetches the token of the account that it acts as.
	manager := func(project string) map[string]sent {
		says := sent{"Bearer managers", project, true}
		return map[string]sent{storageAPI: says, topics: says, accounts: says, projects: says}
	}
	impersonated := func(account, token string) map[string]sent {
		says := sent{"Bearer anns", account, true}
		return map[string]sent{
			tokenAPI: {"Bearer managers", token, true}, storageAPI: says, topics: says, accounts: says, projects: says,
		}
	}
	cases := map[string]struct {
		credentials *auth.Credentials
		variable    string
		option      string
		account     string
		want        map[string]sent
	}{
		"no quota project":                        {credentials: staticToken("managers", nil), want: manager("")},
		"the environment's":                       {credentials: staticToken("managers", nil), variable: "env-quota", want: manager("env-quota")},
		"the option's, before the environment's":  {credentials: staticToken("managers", nil), variable: "env-quota", option: "our-quota", want: manager("our-quota")},
		"the option's, before the file's":         {credentials: withFile, option: "our-quota", want: manager("our-quota")},
		"impersonated, the option's":              {credentials: withOwn, option: "our-quota", account: tenant, want: impersonated("our-quota", "our-quota")},
		"the credentials' own":                    {credentials: withOwn, want: manager("own-quota")},
		"the credentials' file's":                 {credentials: withFile, want: manager("file-quota")},
		"the environment's, before the file's":    {credentials: withFile, variable: "env-quota", want: manager("env-quota")},
		"impersonated, no quota project":          {credentials: staticToken("managers", nil), account: tenant, want: impersonated("", "")},
		"impersonated, the environment's":         {credentials: staticToken("managers", nil), variable: "env-quota", account: tenant, want: impersonated("env-quota", "env-quota")},
		"impersonated, the manager's is its own":  {credentials: withOwn, account: tenant, want: impersonated("", "own-quota")},
		"impersonated, the file's is the manager": {credentials: withFile, account: tenant, want: impersonated("", "file-quota")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOOGLE_CLOUD_QUOTA_PROJECT", tc.variable)
			wire := &wire{sent: map[string]sent{}}
			server, client := rpcOverTLS(t)
			rpc := Endpoint{Address: (&fakeCloud{}).serve(t, server, grpc.InTapHandle(wire.tap))}
			clients := newClients(t, Options{
				PubSub: rpc, IAM: rpc, ResourceManager: rpc, UserAgent: "holdfast/test", QuotaProject: tc.option, Timeout: 10 * time.Second,
				credentials: tc.credentials, base: wire, dialOptions: []grpc.DialOption{client},
			})
			callEach(t, clients, tc.account)
			if diff := cmp.Diff(tc.want, wire.sent); diff != "" {
				t.Errorf("what went out (-want +got):\n%s", diff)
			}
		})
	}
}

// callEach makes one call to each service.
func callEach(t *testing.T, clients *Clients, account string) {
	t.Helper()
	ctx := WithProject(t.Context(), "p")
	buckets, err := clients.StorageService(ctx, account)
	if err != nil {
		t.Fatal(err)
	}
	if err := buckets.Call(ctx, http.MethodPost, "b", url.Values{"project": {"p"}}, struct{}{}, new(any)); err != nil {
		t.Error(err)
	}
	if err := getTopic(ctx, clients, account); !IsNotFound(err) {
		t.Error(err)
	}
	accounts, err := clients.ServiceAccounts(ctx, account)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := accounts.GetServiceAccount(ctx, &adminpb.GetServiceAccountRequest{Name: "projects/p/serviceAccounts/" + tenant}); !IsNotFound(err) {
		t.Error(err)
	}
	projects, err := clients.Projects(ctx, account)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := projects.GetProject(ctx, &resourcemanagerpb.GetProjectRequest{Name: "projects/p"}); !IsNotFound(err) {
		t.Error(err)
	}
}
