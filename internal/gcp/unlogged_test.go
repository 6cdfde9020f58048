package gcp

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTokensAreNotLogged, neither the manager's nor an account's, even where Google's libraries are told to log everything: not where calls
// succeed, and not in what is said of those that fail.
func TestTokensAreNotLogged(t *testing.T) {
	const own = "ya29.managers-secret"
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"`+own+`","token_type":"Bearer","expires_in":3600}`)
	}))
	t.Cleanup(tokens.Close)
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", keyFile(t, tokens.URL))
	t.Setenv("GOOGLE_SDK_GO_LOGGING_LEVEL", "debug")
	var said strings.Builder
	logged := stderrOf(t, func() {
		found, err := detectCredentials()
		if err != nil {
			t.Error(err)
			return
		}
		for _, cloud := range []*cloudOverTLS{
			{tokenCode: http.StatusOK, tokenBody: annsToken()},
			{tokenCode: http.StatusForbidden, tokenBody: `{"error":{"code":403,"message":"No.","status":"PERMISSION_DENIED"}}`},
		} {
			clients := newClients(t, Options{credentials: found, base: cloud})
			for _, account := range []string{"", tenant} {
				if _, err := getBucket(t.Context(), clients, account); err != nil {
					said.WriteString(err.Error() + Classify(err).Explain("p", account))
				}
			}
			if sent := strings.Join(cloud.asked, " "); !strings.Contains(sent, own) {
				t.Errorf("the token was not used: %s", sent)
			}
		}
	})
	if said.Len() == 0 {
		t.Error("nothing failed")
	}
	for _, secret := range []string{own, "anns"} {
		if strings.Contains(logged+said.String(), secret) {
			t.Errorf("%q is in what is logged or said:\n%s%s", secret, logged, said.String())
		}
	}
}

// keyFile is the file of a service account's key, whose tokens a server issues.
func keyFile(t *testing.T, tokenServer string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "holdfast@ops.iam.gserviceaccount.com", "private_key_id": "1", "token_uri": tokenServer,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// stderrOf is what is written to standard error meanwhile.
func stderrOf(t *testing.T, do func()) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	was := os.Stderr
	os.Stderr = file
	do()
	os.Stderr = was
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
