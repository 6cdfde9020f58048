package access

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// tokenLifetime is how long a token is said to be good for; none expires.
const tokenLifetime = time.Hour

// Credentials is the one call of the IAM Service Account Credentials API by
// which a caller becomes a service account:
//
//	POST …/projects/-/serviceAccounts/EMAIL:generateAccessToken
//
// https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
func (e *Enforcer) Credentials(control *traffic.Control) http.Handler {
	return control.Middleware(tokenCall, traffic.RPCErrors)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_ = json.NewEncoder(w).Encode(map[string]string{ // a client that has gone away needs no answer
			"accessToken": e.Token("serviceAccount:" + account(r)),
			"expireTime":  time.Now().Add(tokenLifetime).UTC().Format(time.RFC3339),
		})
	}))
}

func account(r *http.Request) string {
	email, _ := strings.CutSuffix(r.PathValue("account"), ":generateAccessToken")
	return email
}

func tokenCall(r *http.Request) traffic.Call {
	id, domain, _ := strings.Cut(account(r), "@")
	project, _ := strings.CutSuffix(domain, ".iam.gserviceaccount.com")
	return traffic.Call{Service: "iamcredentials", Method: "GenerateAccessToken", Project: project, Resource: id}
}
