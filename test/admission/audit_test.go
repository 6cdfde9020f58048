package admission

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// auditLog is the file of the API server's audit log.
var auditLog string

// auditInto has an API server write its audit log into a folder, and returns the file: every request that is no mere read.
func auditInto(folder string, arguments *envtest.Arguments) (string, error) {
	const rules = `{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
		"rules": [{"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]}]}`
	policy, log := filepath.Join(folder, "audit-policy"), filepath.Join(folder, "audit-log")
	arguments.Set("audit-policy-file", policy).Set("audit-log-path", log)
	return log, os.WriteFile(policy, []byte(rules), 0o600)
}

// auditEvent is what the audit log has about a request.
type auditEvent struct {
	AuditID     string
	Annotations map[string]string
	ObjectRef   struct{ Resource, Subresource, Namespace, Name string }
	// ImpersonatedUser is who the tests act as.
	ImpersonatedUser struct{ Username string }
	ResponseStatus   struct{ Code int }
}

// audited are the events about an object, the oldest first.
func audited(t *testing.T, name string) []auditEvent {
	t.Helper()
	file, err := os.Open(auditLog)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var events []auditEvent
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var event auditEvent
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			continue // the last line is being written
		}
		if event.ObjectRef.Name == name {
			events = append(events, event)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return events
}
