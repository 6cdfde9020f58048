package main

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOurOwnKubernetesServiceAccountIsKnown(t *testing.T) {
	token := func(payload string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
	}
	cases := map[string]struct {
		token string
		user  string
		want  []string
	}{
		"a pod's": {
			token(`{"sub": "system:serviceaccount:holdfast-system:holdfast-manager"}`), "system:serviceaccount:holdfast-system:holdfast-manager",
			[]string{"serviceAccount:*.svc.id.goog[holdfast-system/holdfast-manager]"},
		},
		"a user's": {token(`{"sub": "ada"}`), "", nil},
		"no JSON":  {token(`sub`), "", nil},
		"no token": {"token", "", nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(file, []byte(tc.token), 0o600); err != nil {
				t.Fatal(err)
			}
			user := kubernetesUser(file)
			if user != tc.user {
				t.Errorf("user %q, want %q", user, tc.user)
			}
			if diff := cmp.Diff(tc.want, kubernetesMembers(user)); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
		})
	}
	if got := kubernetesUser(filepath.Join(t.TempDir(), "none")); got != "" {
		t.Errorf("without a token: %q", got)
	}
}
