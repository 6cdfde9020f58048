package admission

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

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
	ResponseStatus   struct{ Message string }
}

// audited are the events about an object, the oldest first.
func audited(name string) ([]auditEvent, error) {
	return auditEvents(func(event auditEvent) bool { return event.ObjectRef.Name == name })
}

// noGuardFailed reads in the audit log that no expression of a policy failed in all the tests, since the API server then refuses the request. Only
// what is wrong with a regular expression the API server says in this way.
func noGuardFailed() error {
	failed, err := auditEvents(func(event auditEvent) bool {
		said := event.ResponseStatus.Message
		return (strings.Contains(said, "resulted in error") || strings.Contains(said, "cost limit") || strings.Contains(said, "cost budget")) &&
			!strings.Contains(said, "error parsing regexp")
	})
	for _, event := range failed {
		err = errors.Join(err, fmt.Errorf("a policy failed: %.1000s", event.ResponseStatus.Message))
	}
	return err
}

func auditEvents(wanted func(auditEvent) bool) ([]auditEvent, error) {
	file, err := os.Open(auditLog)
	if err != nil {
		return nil, err
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
		if wanted(event) {
			events = append(events, event)
		}
	}
	return events, lines.Err()
}
