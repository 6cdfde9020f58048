package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"

	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// mountedToken is where Kubernetes mounts the token of a pod's service account.
const mountedToken = "/var/run/secrets/kubernetes.io/serviceaccount/token" //nolint:gosec // a path

// serviceAccount is the user prefix of service accounts.
const serviceAccount = "system:serviceaccount:"

// kubernetesUser is the user name of the manager's own Kubernetes service account; empty outside of Kubernetes.
func kubernetesUser(file string) string {
	token, err := os.ReadFile(file) //nolint:gosec // which is mountedToken but in tests
	if err != nil {
		return ""
	}
	var claims struct {
		Subject string `json:"sub"`
	}
	parts := strings.Split(string(token), ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil || !strings.HasPrefix(claims.Subject, serviceAccount) {
		return ""
	}
	return claims.Subject
}

// kubernetesMembers is the member as which that account appears in IAM policies, in whatever pool; none outside of Kubernetes. GKE's Workload
// Identity lets the account act as a Google one by it.
func kubernetesMembers(user string) []string {
	namespace, name, named := strings.Cut(strings.TrimPrefix(user, serviceAccount), ":")
	if !named {
		return nil
	}
	return []string{"serviceAccount:" + iampolicy.AnyPool + "[" + namespace + "/" + name + "]"}
}
