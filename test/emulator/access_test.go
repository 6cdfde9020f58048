package emulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
)

// TestEnforceIAM: over HTTP and gRPC, with a token and without, a caller can do what the policies say; and whoever may create tokens of
// an account can do what the account can.
func TestEnforceIAM(t *testing.T) {
	e := StartTest(t, Options{EnforceIAM: true})
	const project, eve, writer = "shop", "user:eve@example.com", "serviceAccount:writer@shop.iam.gserviceaccount.com"
	if _, known := e.Projects.Lookup(project); !known {
		t.Fatal("no project")
	}
	if _, err := e.IAM.CreateAccount(project, "writer"); err != nil {
		t.Fatal(err)
	}
	edit := func(edit func(*iampb.Policy)) {
		t.Helper()
		if err := e.ResourceManager.EditPolicy(project, edit); err != nil {
			t.Fatal(err)
		}
	}
	edit(func(p *iampb.Policy) {
		policy.Grant(p, "roles/pubsub.admin", writer)
		policy.Grant(p, "roles/storage.admin", writer)
	})
	connection, err := grpc.NewClient(e.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	create := func(token string) codes.Code {
		ctx := t.Context()
		if token != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
		}
		_, err := pubsubpb.NewPublisherClient(connection).CreateTopic(ctx, &pubsubpb.Topic{Name: "projects/shop/topics/orders"})
		return status.Code(err)
	}
	insert := func(token string) int {
		code, _ := send(t, e, http.MethodPost, "/storage/v1/b?project=shop", token, `{"name": "logs"}`)
		return code
	}
	become := func(token string) (int, string) {
		code, answer := send(t, e, http.MethodPost, "/iamcredentials/v1/projects/-/serviceAccounts/writer@shop.iam.gserviceaccount.com:generateAccessToken", token, "{}")
		return code, answer["accessToken"]
	}

	own := e.Access.Token(eve)
	for _, token := range []string{"", own} {
		if code := create(token); code != codes.PermissionDenied {
			t.Errorf("a topic, with the token %q: %v", token, code)
		}
		if code := insert(token); code != http.StatusForbidden {
			t.Errorf("a bucket, with the token %q: %d", token, code)
		}
		if code, _ := become(token); code != http.StatusForbidden {
			t.Errorf("a token, with the token %q: %d", token, code)
		}
	}
	if code := create("stolen"); code != codes.Unauthenticated {
		t.Errorf("a token that nobody issued: %v", code)
	}
	if err := e.IAM.EditPolicy("writer@shop.iam.gserviceaccount.com", func(p *iampb.Policy) {
		policy.Grant(p, "roles/iam.serviceAccountTokenCreator", eve)
	}); err != nil {
		t.Fatal(err)
	}
	code, borrowed := become(own)
	if code != http.StatusOK || borrowed == "" {
		t.Fatalf("who may create tokens gets %d, %q", code, borrowed)
	}
	if code := create(borrowed); code != codes.OK {
		t.Errorf("as the account, a topic: %v", code)
	}
	if code := insert(borrowed); code != http.StatusOK {
		t.Errorf("as the account, a bucket: %d", code)
	}
	if code := create(own); code != codes.PermissionDenied {
		t.Errorf("as herself, a topic: %v", code)
	}
}

// TestTokensAndRolesOverHTTP: whoever runs the emulator as a program has both, too.
func TestTokensAndRolesOverHTTP(t *testing.T) {
	e := StartTest(t, Options{EnforceIAM: true})
	_, issued := send(t, e, http.MethodPost, "/emulator/tokens", "", `{"member": "user:eve@example.com"}`)
	send(t, e, http.MethodPost, "/emulator/resourcemanager/projects/shop/policy:grant", "", `{"role": "projects/shop/roles/maker", "member": "user:eve@example.com"}`)
	create := func() int {
		code, _ := send(t, e, http.MethodPut, "/v1/projects/shop/topics/orders", issued["token"], `{}`)
		return code
	}
	if code := create(); code != http.StatusForbidden {
		t.Errorf("with a role that nobody described: %d", code)
	}
	send(t, e, http.MethodPut, "/emulator/roles", "", `{"role": "projects/shop/roles/maker", "permissions": ["pubsub.topics.create"]}`)
	if code := create(); code != http.StatusOK {
		t.Errorf("with a role for it: %d", code)
	}
}

// send makes an HTTP call with a token, unless it is empty. It returns what the answer has, if that is strings only.
func send(t *testing.T, e *Emulator, method, path, token, body string) (int, map[string]string) {
	t.Helper()
	var answer map[string]string
	code := exchange(t, e, method, path, token, body, &answer)
	return code, answer
}

// fetch reads with a token.
func fetch(t *testing.T, e *Emulator, path, token string, into any) int {
	t.Helper()
	return exchange(t, e, http.MethodGet, path, token, "", into)
}

// exchange makes an HTTP call with a token, unless it is empty, and decodes the answer as far as it fits.
func exchange(t *testing.T, e *Emulator, method, path, token, body string, into any) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, e.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	_ = json.NewDecoder(response.Body).Decode(into) // what does not fit is not looked at
	return response.StatusCode
}
