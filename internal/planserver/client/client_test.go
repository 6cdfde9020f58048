package client

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
)

func secret(context.Context) (string, error) { return "secret", nil }

// serve serves what answers, and returns the server with the file of its authority.
func serve(t *testing.T, answers ...http.HandlerFunc) (server *httptest.Server, authority string) {
	t.Helper()
	n := 0
	server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers[min(n, len(answers)-1)](w, r)
		n++
	}))
	t.Cleanup(server.Close)
	authority = filepath.Join(t.TempDir(), "ca.crt")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(authority, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return server, authority
}

func says(code int, text string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, text)
	}
}

func TestPlan(t *testing.T) {
	busy := says(http.StatusTooManyRequests, `{"error": "you ask too often"}`, "Retry-After", "1")
	cases := map[string]struct {
		answers    []http.HandlerFunc
		want, fail string
	}{
		"a plan":           {[]http.HandlerFunc{says(200, `{"kind": "Plan"}`)}, `{"kind": "Plan"}`, ""},
		"after a while":    {[]http.HandlerFunc{busy, says(200, `{}`)}, `{}`, ""},
		"busy for an hour": {[]http.HandlerFunc{says(429, `{"error": "later"}`, "Retry-After", "3600")}, "", "429 too many requests: later"},
		"not accepted":     {[]http.HandlerFunc{says(401, `{"error": "the token is not accepted"}`)}, "", "401 unauthorized: the token is not accepted"},
		"another server":   {[]http.HandlerFunc{says(404, `<html>`)}, "", "is it a plan server?"},
		"something else":   {[]http.HandlerFunc{says(200, `<html>`)}, "", "something that is no plan"},
		"a way elsewhere":  {[]http.HandlerFunc{says(307, ``, "Location", "https://127.0.0.1:1/")}, "", "is it a plan server?"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server, authority := serve(t, tc.answers...)
			c, err := New(server.URL, authority, secret)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Plan(t.Context(), protocol.Request{Manifests: []json.RawMessage{json.RawMessage(`{}`)}})
			switch {
			case tc.fail == "" && err != nil:
				t.Error(err)
			case tc.fail != "" && (err == nil || !strings.Contains(err.Error(), tc.fail)):
				t.Errorf("got %v, want %q", err, tc.fail)
			case err != nil && strings.Contains(err.Error(), "secret"):
				t.Errorf("the token is in %v", err)
			}
			if string(got) != tc.want {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestWhatIsAsked(t *testing.T) {
	server, authority := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var request protocol.Request
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			t.Error(err)
		}
		got := []string{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(request.Manifests[1]), string(request.Against[0])}
		want := []string{"POST", "/below/v1alpha1/plan", "Bearer secret", "application/json", `{"b":1}`, `{"c":1}`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the request (-want +got):\n%s", diff)
		}
		fmt.Fprint(w, "{}")
	})
	c, err := New(server.URL+"/below/", authority, secret)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Plan(t.Context(), protocol.Request{
		Manifests: []json.RawMessage{json.RawMessage(`{"a":1}`), json.RawMessage(`{"b":1}`)}, Against: []json.RawMessage{json.RawMessage(`{"c":1}`)},
	})
	if err != nil {
		t.Error(err)
	}
}

func TestATokenIsShownToNobodyElse(t *testing.T) {
	for name, server := range map[string]string{
		"without TLS": "http://plans.example.com", "no URL": "plans.example.com", "with a password": "https://a:b@plans.example.com", "nothing": "https://",
	} {
		if _, err := New(server, "", secret); err == nil || strings.Contains(err.Error(), "b@") {
			t.Errorf("%s: %v", name, err)
		}
	}
	server, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("it was shown %s", r.Header.Get("Authorization"))
	})
	c, err := New(server.URL, "", secret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Plan(t.Context(), protocol.Request{}); err == nil {
		t.Error("a server that nobody vouches for is trusted")
	}
}

func TestTokens(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	github := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer request" || r.URL.Query().Get("api-version") != "2" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, `{"value": "for-%s"}`, r.URL.Query().Get("audience"))
	}))
	defer github.Close()
	actions := map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": github.URL + "?api-version=2", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request"}
	cases := map[string]struct {
		source     Source
		env        map[string]string
		want, fail string
	}{
		"a file":             {Source{File: file}, actions, "from-file", ""},
		"a variable":         {Source{Variable: "TOKEN"}, map[string]string{"TOKEN": "from-env"}, "from-env", ""},
		"GitHub Actions":     {Source{Audience: "holdfast-plan"}, actions, "for-holdfast-plan", ""},
		"nothing":            {Source{}, nil, "", "no token says who asks"},
		"both":               {Source{File: file, Variable: "TOKEN"}, nil, "", "exclude each other"},
		"an empty variable":  {Source{Variable: "TOKEN"}, nil, "", "$TOKEN has no token"},
		"no file":            {Source{File: file + ".none"}, nil, "", "reading the token"},
		"two in a variable":  {Source{Variable: "TOKEN"}, map[string]string{"TOKEN": "a b"}, "", "more than a token"},
		"GitHub without TLS": {Source{}, map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": "http://a", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request"}, "", "https"},
		"GitHub that refuses": {
			Source{}, map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": github.URL, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request"}, "", "403",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tokens, err := tc.source.Tokens(func(name string) string { return tc.env[name] })
			var got string
			if err == nil {
				got, err = tokens(t.Context())
			}
			if got != tc.want || (err == nil) != (tc.fail == "") || err != nil && !strings.Contains(err.Error(), tc.fail) {
				t.Errorf("got %q (%v), want %q (%s)", got, err, tc.want, tc.fail)
			}
			if err != nil && strings.Contains(err.Error(), "request\"") {
				t.Errorf("a token is in %v", err)
			}
		})
	}
}
