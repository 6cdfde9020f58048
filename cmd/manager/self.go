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

// kubernetesMembers is the member as which the manager's own Kubernetes service account appears in IAM policies, in whatever pool; none
// outside of Kubernetes. GKE's Workload Identity lets that account act as a Google one by it.
func kubernetesMembers(file string) []string {
	token, err := os.ReadFile(file) //nolint:gosec // which is mountedToken but in tests
	if err != nil {
		return nil
	}
	var claims struct {
		Subject string `json:"sub"`
	}
	parts := strings.Split(string(token), ".")
	if len(parts) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return nil
	}
	account, found := strings.CutPrefix(claims.Subject, "system:serviceaccount:")
	namespace, name, named := strings.Cut(account, ":")
	if !found || !named {
		return nil
	}
	return []string{"serviceAccount:" + iampolicy.AnyPool + "[" + namespace + "/" + name + "]"}
}
