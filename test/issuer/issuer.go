// Package issuer issues OpenID Connect tokens in tests, on loopback, as GitHub does for its actions.
package issuer

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Issuer issues tokens.
type Issuer struct {
	*httptest.Server

	// Asked counts the questions for keys.
	Asked atomic.Int32

	mu   sync.Mutex
	key  *rsa.PrivateKey
	kid  string
	down bool
}

// Start starts one for the time of a test.
func Start(t *testing.T) *Issuer {
	t.Helper()
	f := &Issuer{}
	f.Rotate(t, "first")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": f.URL, "jwks_uri": f.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		f.Asked.Add(1)
		f.mu.Lock()
		defer f.mu.Unlock()
		public := f.key.PublicKey
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []map[string]string{{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": f.kid,
			"n": Encode(public.N.Bytes()), "e": Encode(big.NewInt(int64(public.E)).Bytes()),
		}}})
	})
	f.Server = httptest.NewTLSServer(mux)
	t.Cleanup(f.Close)
	return f
}

// Rotate gives the issuer another key, by an ID.
func (f *Issuer) Rotate(t *testing.T, kid string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.key, f.kid = key, kid
}

// Authority is the certificate that vouches for the issuer, in PEM.
func (f *Issuer) Authority() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw}))
}

// Claims are those of a token that is in force, for the audience holdfast-plan and of the repository 123, with others in their place or
// beside them; nil is none.
func (f *Issuer) Claims(others map[string]any) map[string]any {
	all := map[string]any{
		"iss": f.URL, "aud": "holdfast-plan", "sub": "repo:shop/infra:pull_request", "repository": "shop/infra", "repository_id": "123",
		"exp": time.Now().Add(5 * time.Minute).Unix(), "iat": time.Now().Unix(), "nbf": time.Now().Add(-time.Minute).Unix(),
	}
	for name, value := range others {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}

// Token is one that the issuer has signed.
func (f *Issuer) Token(t *testing.T, others map[string]any) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	return Signed(t, map[string]any{"alg": "RS256", "kid": f.kid, "typ": "JWT"}, f.Claims(others), BySigning(f.key))
}

// Signed is a token.
func Signed(t *testing.T, header, claims map[string]any, sign func(text string) []byte) string {
	t.Helper()
	var parts [2]string
	for i, part := range []map[string]any{header, claims} {
		text, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts[i] = Encode(text)
	}
	text := fmt.Sprintf("%s.%s", parts[0], parts[1])
	return text + "." + Encode(sign(text))
}

// BySigning signs by a key, as RS256.
func BySigning(key *rsa.PrivateKey) func(string) []byte {
	return func(text string) []byte {
		sum := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			panic(err)
		}
		return signature
	}
}

// ByHMAC signs by a secret, as HS256.
func ByHMAC(secret []byte) func(string) []byte {
	return func(text string) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
}

// Encode is a part of a token.
func Encode(text []byte) string { return base64.RawURLEncoding.EncodeToString(text) }

// Down makes the issuer answer nothing.
func (f *Issuer) Down() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = true
}

// Key is the issuer's public key.
func (f *Issuer) Key() *rsa.PublicKey {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &f.key.PublicKey
}
