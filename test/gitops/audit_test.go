package gitops

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// audit is the API server's record of what anybody changed, or tried to.
type audit struct{ policy, log string }

// auditPolicy records every request that is no mere read.
const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
`

func newAudit(folder string) (*audit, error) {
	a := &audit{policy: filepath.Join(folder, "audit-policy.yaml"), log: filepath.Join(folder, "audit.log")}
	return a, os.WriteFile(a.policy, []byte(auditPolicy), 0o600)
}

// deed is a request that may have changed something.
type deed struct {
	Verb, User, Resource, Namespace, Name string
	Time                                  time.Time
}

func (d deed) String() string {
	return fmt.Sprintf("%s %s: %s %s %s/%s", d.Time.Format(time.TimeOnly), d.User, d.Verb, d.Resource, d.Namespace, d.Name)
}

// size is how much is recorded up to now, for since.
func (a *audit) size() (int64, error) {
	info, err := os.Stat(a.log)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// since returns what was done to objects of Holdfast in namespaces after the record had a size. Dry runs are none.
func (a *audit) since(size int64, namespaces ...string) ([]deed, error) {
	text, err := os.ReadFile(a.log)
	if err != nil {
		return nil, err
	}
	in := map[string]bool{}
	for _, namespace := range namespaces {
		in[namespace] = true
	}
	var deeds []deed
	lines := bufio.NewScanner(bytes.NewReader(text[size:]))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var event struct {
			Verb       string
			RequestURI string
			User       struct{ Username string }
			ObjectRef  struct{ Resource, Subresource, Namespace, Name, APIGroup string }
			Stage      string
			Time       time.Time `json:"stageTimestamp"`
		}
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return nil, fmt.Errorf("reading the audit log: %w", err)
		}
		uri, err := url.Parse(event.RequestURI)
		if err != nil {
			return nil, err
		}
		object := event.ObjectRef
		if uri.Query().Has("dryRun") || object.APIGroup != v1alpha1.GroupVersion.Group || !in[object.Namespace] {
			continue
		}
		resource := strings.TrimSuffix(object.Resource+"/"+object.Subresource, "/")
		deeds = append(deeds, deed{event.Verb, event.User.Username, resource, object.Namespace, object.Name, event.Time})
	}
	return deeds, lines.Err()
}
